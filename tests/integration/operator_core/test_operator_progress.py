"""What a status and the freeze switch tell while acts go on, stand still and are stopped by a broken ledger."""

from __future__ import annotations

from tests.integration.operator_core.test_operator_tallies import act_of
from tests.support.operator_parts import Parts

from finops.domain.decision import State
from finops.k8s.events import Events
from finops.ports.act import ActProgress
from finops_operator.acts.report import StatusReporter
from finops_operator.cli.commands.requests import columns
from finops_operator.cluster.freeze import Freeze
from finops_operator.rules.ending import ending
from finops_operator.telemetry import Telemetry


def reporter_of(parts: Parts) -> StatusReporter:
    return StatusReporter(
        parts.requests,
        parts.cache.requests.get,
        Events(parts.connection, component="operator", instance="operator-0"),
        Telemetry(),
        lambda: 1,
        lambda _act: None,
    )


def test_a_status_says_what_is_wrong_only_as_long_as_it_is(parts: Parts) -> None:
    made = parts.propose(1, State.SCHEDULED)
    act, reporter, told = act_of(made), reporter_of(parts), []
    for state, message in (
        (State.EXECUTING, ""),
        (State.EXECUTING, "All acts are frozen: incident."),
        (State.EXECUTING, ""),
        (State.NEEDS_HUMAN, "Holding: the ledger does not answer"),
        (State.VERIFYING, ""),
    ):
        reporter.report(act, ActProgress(state=state, message=message, called=True))
        outcome = parts.requests.fresh(made).status.outcome
        told.append(None if outcome is None else outcome.error)
    assert told == [None, "All acts are frozen: incident.", None, "Holding: the ledger does not answer", None]


def test_a_refused_dry_run_ends_with_the_answer_to_each_call_in_its_status(parts: Parts) -> None:
    made = parts.propose(1, State.SCHEDULED)
    message = "Dry run, nothing was changed: ec2:StopInstances is refused (UnauthorizedOperation)."
    reporter_of(parts).report(act_of(made), ActProgress(state=State.ROLLED_BACK, message=message))
    status = parts.requests.fresh(made).status
    assert status.state is State.ROLLED_BACK
    assert status.outcome is not None
    assert status.outcome.error == message
    assert status.outcome.message == ending(State.ROLLED_BACK, message, dry_run=made.spec.dry_run)


def test_status_event_and_listing_report_a_success_in_the_same_words(parts: Parts) -> None:
    made = parts.propose(1, State.SCHEDULED)
    found = "The instance is stopped with type m5.large. To undo it: start it."
    reporter_of(parts).report(act_of(made), ActProgress(state=State.SUCCEEDED, message=found, after={"state": "x"}))
    ended = parts.requests.fresh(made)
    assert ended.status.outcome is not None
    assert (ended.status.outcome.message, ended.status.outcome.error) == (found, None)
    events = [one for one in parts.double.objects("events") if one["involvedObject"]["uid"] == made.metadata.uid]
    assert [event["message"] for event in events] == [found]
    (column,) = [one for one in columns(ended.spec.expires_at) if one.name == "outcome"]
    assert column.value(ended.to_object()) == found


def test_acts_that_meet_different_damage_leave_the_freeze_switch_with_the_first_reason(parts: Parts) -> None:
    freeze = Freeze(parts.maps, "r-freeze")
    before = len(parts.double.audit())
    for reason in ("record 5 is damaged", "record 9 is damaged", "record 5 is damaged"):
        freeze.freeze(reason)
    assert freeze.reason() == "record 5 is damaged"
    assert parts.maps.read("r-freeze") == {"frozen": "true", "reason": "record 5 is damaged"}
    assert len(parts.double.audit()) - before == 2
