"""A freeze, missing protection and a broken ledger are seen on every policy that may act."""

from __future__ import annotations

import pytest
from kubernetes import client
from tests.support.operator_parts import NAMESPACE, Parts
from tests.support.scan_samples import policy

from finops.crds.conditions import Condition, find_condition
from finops.store.slack_status import SlackStatus


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
    before = _events(parts).count(reason)
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
    assert _events(parts).count(reason) == before + 1
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


def test_a_ledger_that_is_not_in_order_is_said_by_the_process_that_may_not_write_it(parts: Parts) -> None:
    """At a start with a ledger that was cut the lease is held, but the process never comes to write."""
    parts.policies.create(policy())
    parts.writable = False
    parts.housekeeping.run_duties()
    assert _condition(parts) is None, "a process without the lease says nothing"

    parts.ledger._sinks.diverged = "the ledger ends at record 3, but had 9 records"
    parts.housekeeping.run_duties()

    stopped = _condition(parts)
    assert stopped is not None
    assert (stopped.status, stopped.reason) == ("False", "LedgerBroken")
    parts.ledger._sinks.diverged = ""


def test_approved_acts_that_stand_still_are_a_figure(parts: Parts) -> None:
    """Paused acts are seen where people look: here in a metric."""
    made = parts.propose(1)
    outcome = {"before": {}, "after": {}, "error": "All acts are frozen: release day"}
    waiting = parts.requests.write_status(
        made, lambda now: now.status.to_dict() | {"state": "Approved", "outcome": outcome}
    )
    parts.housekeeping.run_duties()
    assert parts.telemetry.registry.get_sample_value("finops_acts_waiting") == 1.0

    parts.requests.write_status(waiting, lambda now: now.status.to_dict() | {"outcome": None})
    parts.housekeeping.run_duties()
    assert parts.telemetry.registry.get_sample_value("finops_acts_waiting") == 0.0


def test_the_bot_can_read_that_all_acts_are_frozen_as_long_as_they_are(parts: Parts) -> None:
    status = SlackStatus(parts.store)
    parts.maps.write("r-freeze", {"frozen": "true", "reason": "release day"})
    parts.housekeeping.run_duties()
    assert status.frozen() == "release day"

    parts.maps.write("r-freeze", {"frozen": "false", "reason": ""})
    parts.housekeeping.run_duties()
    assert status.frozen() == ""
