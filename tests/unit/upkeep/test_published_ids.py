"""The ids that a release knows stand in a ConfigMap of the release, whatever another release wrote there."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from tests.support.fake_clock import FakeClock

from finops.errors import ClusterUnavailable
from finops_operator.rules.known_ids import KnownIds
from finops_operator.upkeep.published_ids import PublishedIds

KNOWN = KnownIds(frozenset({"b_check", "a_check"}), frozenset({"act"}), frozenset({"kind"}))
WANTED = {"checks": "a_check b_check", "actions": "act", "kinds": "kind"}


class Maps:
    """One ConfigMap, or none."""

    def __init__(self, data: Mapping[str, str] | None) -> None:
        self.data, self.reads, self.writes, self.fails = data, 0, 0, False

    def read(self, name: str) -> Mapping[str, str] | None:
        assert name == "r-known-ids"
        if self.fails:
            raise ClusterUnavailable("the API server does not answer")
        self.reads += 1
        return self.data

    def write(self, name: str, data: Mapping[str, str]) -> None:
        assert name == "r-known-ids"
        self.writes += 1
        self.data = {**(self.data or {}), **data}


def test_ids_are_written_once_and_compared_every_ten_minutes() -> None:
    clock, maps = FakeClock(), Maps({})
    published = PublishedIds(maps, "r-known-ids", KNOWN, clock)
    published.publish()
    published.publish()
    assert (maps.data, maps.reads, maps.writes) == (WANTED, 1, 1)
    maps.data = {**WANTED, "checks": "an_older_check", "note": "kept"}
    clock.sleep(601)
    published.publish()
    assert maps.data == {**WANTED, "note": "kept"}


def test_without_the_config_map_nothing_is_written() -> None:
    maps = Maps(None)
    PublishedIds(maps, "r-known-ids", KNOWN, FakeClock()).publish()
    assert maps.writes == 0


def test_what_could_not_be_written_is_written_at_the_next_pass() -> None:
    maps = Maps({})
    published = PublishedIds(maps, "r-known-ids", KNOWN, FakeClock())
    maps.fails = True
    with pytest.raises(ClusterUnavailable):
        published.publish()
    maps.fails = False
    published.publish()
    assert maps.data == WANTED
