"""Days out of the ordinary are announced once, to whose policies cover what changed, and only while they are news."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, cast

import pytest
from tests.support.budgets import DATABASES, INSTANCES, VOLUMES, policy_object, read_policies, remember
from tests.support.fake_clock import FakeClock
from tests.support.notices import announced
from tests.support.web_estate import ACCOUNT, NOW, StoredScan, priced, resource

from finops.crds.expected import PREFIX, annotation_of
from finops.crds.scan_policy import ScanPolicy
from finops.domain.analytics.expected import LONGEST_DAYS, Expected, Way
from finops.k8s.events import Events
from finops.store.connection import Store
from finops.store.notices import StoredNotices
from finops_operator.cluster.cache import KindCache
from finops_operator.upkeep.anomalies import Anomalies


def duty(
    store: Store,
    *,
    watched: tuple[str, ...] = (),
    days_later: int = 0,
    policies: KindCache[ScanPolicy] | None = None,
) -> Anomalies:
    clock = FakeClock(NOW + timedelta(days=days_later))
    return Anomalies(policies or read_policies(watched=watched), store, StoredNotices(store), clock)


def rose(store: Store, monthly: str, *, days: int = 1) -> None:
    """Sixty days at 100 US dollars each, the last `days` of them at another cost."""
    StoredScan(store).write({"a": (resource("ec2-instance", "i-1"), priced("0.10"))})
    remember(store, INSTANCES, "3041.6667", 60)
    remember(store, INSTANCES, monthly, days)


def test_a_rise_is_announced_once_with_its_cause_also_by_a_process_that_starts_anew(store: Store) -> None:
    rose(store, "9125")

    for _ in range(2):
        duty(store).announce()

    (one,) = announced(store)
    assert (one.id, one.type, one.namespace) == ("anomaly:team-a:2026-03-10:more", "anomaly.found", "team-a")
    assert (one.data["cost"], one.data["expected"]) == ("300.00", "100.00")
    assert one.data["causes"] == [
        {"account": ACCOUNT, "region": "us-east-1", "service": "ec2-instance", "extraPerDay": "200.00"}
    ]
    assert "300.00 USD on 2026-03-10, 100.00 were expected" in one.text


def annotated(text: str) -> dict[str, Any]:
    """A policy with one annotation that somebody wrote with kubectl."""
    made = policy_object("all")
    return {**made, "metadata": {**made["metadata"], "annotations": {f"{PREFIX}load-test": text}}}


class Published:
    """Events that were published, as (policy, reason, note)."""

    def __init__(self) -> None:
        """Begin with none."""
        self.found: list[tuple[str, str, str]] = []

    def publish(self, about: ScanPolicy, *, reason: str, note: str, action: str, type_: str) -> None:
        """Keep one."""
        assert (action, type_) == ("Anomalies", "Warning")
        self.found.append((about.metadata.name, reason, note))


def test_an_annotation_that_cannot_be_read_is_an_event_once_and_again_when_it_is_wrong_otherwise(store: Store) -> None:
    rose(store, "9125")
    events = Published()
    one = duty(store, policies=read_policies(annotated('{"account": "1"}')))
    one.events = cast("Events", events)

    one.announce()
    one.announce()

    (said,) = events.found
    assert said[1] == "ExpectationNotRead"
    assert "expected.finops.dev/load-test has no region" in said[2]
    one.policies = read_policies(annotated("no"))
    one.announce()
    assert events.found[-1][2].startswith("the annotation expected.finops.dev/load-test is no JSON object; it keeps")
    assert len(events.found) == 2
    # What cannot be read keeps nothing back.
    assert len(announced(store)) == 1


def test_less_than_a_hundred_dollars_or_forty_percent_is_left_to_the_page(store: Store) -> None:
    rose(store, "5475")

    duty(store).announce()

    assert announced(store) == []


def test_what_began_days_ago_is_no_news_to_a_fresh_installation(store: Store) -> None:
    rose(store, "9125", days=4)

    duty(store).announce()

    assert announced(store) == []


def test_a_namespace_that_is_not_watched_is_left_alone(store: Store) -> None:
    rose(store, "9125")

    duty(store, watched=("team-b",)).announce()
    assert announced(store) == []
    duty(store, watched=("team-a",)).announce()

    assert len(announced(store)) == 1


def test_an_anomaly_goes_to_the_channels_of_the_policies_that_cover_it_and_says_what_changed(store: Store) -> None:
    rose(store, "9125")
    policies = read_policies(
        policy_object("all", notify={"slack": {"channel": "C0ORDERS01"}}),
        policy_object("night", notify={"slack": {"channel": "C0ORDERS01"}}),
        policy_object("quiet"),
        policy_object("far", "team-b", notify={"slack": {"channel": "C0OTHERS01"}}),
    )

    duty(store, policies=policies).announce()

    (one,) = announced(store)
    assert one.channels == ("C0ORDERS01",)
    assert one.title == "Cost of team-a on 2026-03-10: 200.00 USD more than expected"
    said = dict(one.lines)
    assert said["Changed most"] == f"ec2-instance in us-east-1 of {ACCOUNT} +200.00 USD a day (4 → 4 resources)."
    assert said["As of"].startswith("2026-03-10 ")
    assert "Not known" not in said


def test_nothing_is_announced_before_the_watch_has_read_which_channels_there_are(store: Store) -> None:
    rose(store, "9125")
    early = duty(store, policies=KindCache(ScanPolicy, lambda: None))

    early.announce()
    assert announced(store) == []

    early.policies.read(lambda _where: ())
    early.announce()
    assert len(announced(store)) == 1


def expecting(by: str, **changes: Any) -> dict[str, Any]:
    """A policy on which somebody has said that instances may cost more."""
    said = Expected(
        account=ACCOUNT,
        region="us-east-1",
        service="ec2-instance",
        way=Way.MORE,
        reason="load test",
        until=NOW.date() + timedelta(days=7),
        by=by,
        at=NOW,
        extra=Decimal("200.00"),
    )
    name, text = annotation_of(replace(said, **changes))
    made = policy_object("all")
    return {**made, "metadata": {**made["metadata"], "annotations": {name: text}}}


def test_what_somebody_expects_is_announced_to_nobody_until_its_day_has_passed(store: Store) -> None:
    rose(store, "9125")

    duty(store, policies=read_policies(expecting("alice"))).announce()
    assert announced(store) == []

    yesterday = NOW.date() - timedelta(days=1)
    duty(store, policies=read_policies(expecting("alice", until=yesterday))).announce()
    assert [one.id for one in announced(store)] == ["anomaly:team-a:2026-03-10:more"]


def test_a_last_day_that_is_too_far_ahead_keeps_nothing_back_and_is_said_once(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    rose(store, "9125")
    one = duty(store, policies=read_policies(expecting("alice", until=NOW.date() + timedelta(days=LONGEST_DAYS + 1))))

    for _ in range(2):
        one.announce()

    assert len(announced(store)) == 1
    (line,) = [one for one in caplog.messages if "at most 366 days" in one]
    assert "team-a/all: expected.finops.dev/" in line


def test_a_rise_above_twice_what_was_expected_alerts_on_the_day_it_comes_to_that(store: Store) -> None:
    remember(store, INSTANCES, "3041.6667", 60)
    remember(store, INSTANCES, "9125", 6)
    policies = read_policies(expecting("alice", at=NOW - timedelta(days=5)))
    rose_again = [("9125", 0), ("15208", 0), ("600000", 1)]
    StoredScan(store).write({"a": (resource("ec2-instance", "i-1"), priced("0.10"))})

    for monthly, alerts in rose_again:
        remember(store, INSTANCES, monthly, 1)
        duty(store, policies=policies).announce()
        assert len(announced(store)) == alerts, monthly

    assert announced(store)[0].id.startswith("anomaly:team-a:2026-03-10:more")


def test_another_cause_on_the_day_that_is_expected_is_announced_without_what_is_expected(store: Store) -> None:
    remember(store, VOLUMES, "3041.6667", 60)
    remember(store, VOLUMES, "12166.6667", 1)
    rose(store, "9125")
    StoredScan(store).write(
        {
            "a": (resource("ec2-instance", "i-1"), priced("0.10")),
            "b": (resource("ebs-volume", "vol-1"), priced("0.10")),
        }
    )

    duty(store, policies=read_policies(expecting("alice"))).announce()

    (one,) = announced(store)
    assert one.id.startswith("anomaly:team-a:2026-03-10:more:without:")
    assert [cause["service"] for cause in one.data["causes"]] == ["ebs-volume"]
    assert one.data["cost"] == "400.00"
    assert dict(one.lines)["Left out"].startswith("parts of the cost whose change is expected")


def test_what_is_left_alerts_once_also_when_the_largest_cause_of_the_day_changes(store: Store) -> None:
    remember(store, VOLUMES, "3041.6667", 60)
    remember(store, DATABASES, "3041.6667", 60)
    rose(store, "9125")
    StoredScan(store).write(
        {
            "a": (resource("ec2-instance", "i-1"), priced("0.10")),
            "b": (resource("ebs-volume", "vol-1"), priced("0.10")),
            "c": (resource("rds-instance", "db-1"), priced("0.10")),
        }
    )
    largest = []
    for volumes, databases in (("12166.6667", "9125"), ("9125", "12166.6667")):
        remember(store, VOLUMES, volumes, 1)
        remember(store, DATABASES, databases, 1)
        duty(store, policies=read_policies(expecting("alice"))).announce()
        largest.append(len(announced(store)))

    assert largest == [1, 1]


def test_what_another_namespace_expects_keeps_nothing_back_here(store: Store) -> None:
    rose(store, "9125")
    elsewhere = expecting("alice")
    elsewhere["metadata"]["namespace"] = "team-b"

    duty(store, policies=read_policies(elsewhere, policy_object("all"))).announce()

    assert len(announced(store)) == 1
