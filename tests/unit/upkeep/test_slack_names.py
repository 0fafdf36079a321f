"""Which names the dashboard learns for Slack member ids."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from finops.errors import ClusterUnavailable
from finops.store.connection import Store
from finops.store.known_names import KnownNames
from finops_operator.upkeep.slack_names import SlackNames, names_in


class Maps:
    """The administrator's ConfigMap, or none."""

    def __init__(self, data: Mapping[str, str] | None) -> None:
        self.data, self.fails = data, False

    def read(self, name: str) -> Mapping[str, str] | None:
        assert name == "r-identities"
        if self.fails:
            raise ClusterUnavailable("the API server does not answer")
        return self.data


@pytest.mark.parametrize(
    ("identities", "names"),
    [
        ({"slack.U01": "alice"}, {"U01": "alice"}),
        ({"slack.U01": "k8s.alice"}, {"U01": "alice"}),
        ({"slack.U01": "slack.U02", "slack.U02": " alice "}, {"U01": "alice", "U02": "alice"}),
        ({"slack.U01": "slack.U02", "k8s.dave": "dave", "slack.U03": " "}, {}),
        ({"slack.U01": "slack.U02", "slack.U02": "slack.U01"}, {}),
    ],
)
def test_a_member_id_has_the_name_that_the_mapping_leads_to_or_none(
    identities: dict[str, str], names: dict[str, str]
) -> None:
    assert names_in(identities) == names


def test_names_in_the_store_are_those_of_the_mapping_and_stay_while_it_cannot_be_read(store: Store) -> None:
    maps, names = Maps({"slack.U01": "alice", "slack.U02": "bob"}), KnownNames(store)
    published = SlackNames(maps, "r-identities", names)
    published.publish()
    assert names.read() == {"U01": "alice", "U02": "bob"}

    maps.data = {"slack.U01": "alicia"}
    published.publish()
    assert names.read() == {"U01": "alicia"}

    maps.fails = True
    with pytest.raises(ClusterUnavailable):
        published.publish()
    assert names.read() == {"U01": "alicia"}

    maps.data, maps.fails = None, False
    published.publish()
    assert names.read() == {}
