"""A freeze, missing protection and a broken ledger are seen on every policy that may act."""

from __future__ import annotations

import pytest
from kubernetes import client
from tests.support.operator_parts import NAMESPACE, Parts
from tests.support.scan_samples import policy

from finops.crds.conditions import Condition, find_condition


def _condition(parts: Parts, name: str = "p") -> Condition | None:
    found = parts.policies.api.get(NAMESPACE, name)
    assert found is not None
    return find_condition(found.status.conditions, "ActsPossible")


def _events(parts: Parts) -> list[str]:
    events = client.EventsV1Api(parts.connection.api).list_namespaced_event(NAMESPACE).items
    return [one.reason or "" for one in events]


@pytest.mark.parametrize(
    ("reason", "message"),
    [("Frozen", "release day"), ("Unprotected", "binding x does not exist"), ("LedgerBroken", "record 3 differs")],
)
def test_what_stops_all_acts_stands_on_the_policy_and_is_an_event_and_a_figure(
    parts: Parts, reason: str, message: str
) -> None:
    """A freeze, a broken ledger, missing protection and paused acts are shown where people are."""
    parts.policies.create(policy())
    parts.obstacles.show()
    free = _condition(parts)
    assert free is not None
    assert (free.status, free.reason) == ("True", "ActsPossible")

    if reason == "Frozen":
        parts.maps.write("r-freeze", {"frozen": "true", "reason": message})
    elif reason == "Unprotected":
        parts.protection.why = message
    else:
        parts.ledger._sinks.diverged = message
    parts.obstacles.show()
    parts.obstacles.show()

    stopped = _condition(parts)
    assert stopped is not None
    assert (stopped.status, stopped.reason, stopped.message) == ("False", reason, message)
    assert _events(parts).count(reason) == 1
    value = parts.telemetry.registry.get_sample_value("finops_acts_stopped", {"reason": reason})
    assert value == 1.0
    parts.ledger._sinks.diverged = parts.protection.why = ""
    parts.maps.write("r-freeze", {"frozen": "false", "reason": ""})
    parts.obstacles.show()
    again = _condition(parts)
    assert again is not None
    assert again.status == "True"
    assert parts.telemetry.registry.get_sample_value("finops_acts_stopped", {"reason": reason}) == 0.0


def test_a_policy_that_only_recommends_has_nothing_to_say_about_acts(parts: Parts) -> None:
    parts.policies.create(policy(actions={"mode": "Recommend"}))
    parts.obstacles.show()
    assert _condition(parts) is None
