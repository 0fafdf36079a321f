"""What AWS shows late of databases, log groups and tables: waited for, never taken for undone or for somebody else's.

Each service is a small one of its own that carries calls out as late as a test says, and refuses what AWS refuses.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from finops.domain.decision import State
from finops.domain.execution import (
    Call,
    Compensate,
    Ended,
    Finish,
    Hold,
    Journal,
    JournalEntry,
    NeedsHuman,
    Observation,
    Result,
    Settle,
    Verified,
    WaitFor,
)
from finops.domain.next_move import Situation, next_move
from finops.domain.recommendation import ResourceRef
from finops.errors import AwsOutcomeUnknown, AwsRejected
from finops_operator.acts.caller import call_once
from finops_operator.plugins.action import Action
from finops_operator.services.awslambda.actions.lambda_function_set_memory import ACTION as SET_MEMORY
from finops_operator.services.dynamodb.actions.dynamodb_table_set_mode import ACTION as SET_MODE
from finops_operator.services.ecs.actions.ecs_service_set_desired_count import ACTION as SET_COUNT
from finops_operator.services.logs.actions.log_group_set_retention import ACTION as SET_RETENTION
from finops_operator.services.rds.actions.rds_instance_stop import ACTION as STOP_DATABASE
from finops_operator.services.s3.actions.s3_bucket_set_lifecycle import ACTION as SET_LIFECYCLE
from finops_operator.services.s3.rules.lifecycle import with_rule

START: Final = datetime(2026, 3, 1, tzinfo=UTC)
_TRANSITION_SECONDS: Final = 40.0
_ACCOUNT, _REGION = "111111111111", "us-east-1"
_TEXTS: Final = {
    "PUT": "logs:PutRetentionPolicy",
    "STOP": "rds:StopDBInstance",
    "MODE": "dynamodb:UpdateTable",
    "COUNT": "ecs:UpdateService",
    "MEMORY": "lambda:UpdateFunctionConfiguration",
    "RULES": "s3:PutBucketLifecycleConfiguration",
}


@dataclass(slots=True)
class Service:
    """One resource: its facts, what is on its way, and what was carried out."""

    facts: dict[str, str]
    exists: bool = True
    due: list[tuple[float, dict[str, str]]] = field(default_factory=list)
    effects: list[str] = field(default_factory=list)
    refuses: str = ""

    def settle(self, seconds: float) -> None:
        for at, facts in [one for one in self.due if one[0] <= seconds]:
            self.due.remove((at, facts))
            if facts.get("state") == "stopping" and self.facts["state"] == "available":
                self.due.append((at + _TRANSITION_SECONDS, {"state": "stopped"}))
            self.facts |= facts

    def refusal(self, operation: str) -> str:
        """Return AWS's code for a call that it refuses now, else ""."""
        if self.refuses:
            return self.refuses
        if operation == _TEXTS["STOP"] and self.facts["state"] != "available":
            return "InvalidDBInstanceState"
        if operation == "rds:StartDBInstance" and self.facts["state"] != "stopped":
            return "InvalidDBInstanceState"
        if operation == _TEXTS["MODE"] and self.facts["state"] == "UPDATING":
            return "ResourceInUseException"
        if operation == _TEXTS["MODE"] and self.facts["billingMode"] == "PAY_PER_REQUEST":
            return "ValidationException"
        if operation == _TEXTS["MEMORY"] and self.facts["revisionId"] != "r-1":
            return "PreconditionFailedException"
        return ""

    def apply(self, operation: str, parameters: Mapping[str, Any], at: float) -> None:
        self.effects.append(operation)
        if operation == _TEXTS["STOP"]:
            self.due.append((at, {"state": "stopping"}))
        elif operation == _TEXTS["PUT"]:
            self.due.append((at, {"retentionDays": str(parameters["retentionInDays"])}))
        elif operation == _TEXTS["MODE"]:
            self.due.append((at, {"billingMode": str(parameters["BillingMode"])}))
        elif operation == _TEXTS["COUNT"]:
            wanted = str(parameters["desiredCount"])
            self.due += [(at, {"desiredCount": wanted}), (at + _TRANSITION_SECONDS, {"runningCount": wanted})]
        elif operation == _TEXTS["MEMORY"]:
            changed = {"memoryMb": str(parameters["MemorySize"]), "revisionId": "r-2", "update": "InProgress"}
            self.due += [(at, changed), (at + _TRANSITION_SECONDS, {"update": "Successful"})]
        elif operation == _TEXTS["RULES"]:
            self.due.append((at, {"lifecycle": json.dumps(parameters["LifecycleConfiguration"]["Rules"])}))
        else:
            raise AssertionError(f"nothing in these tests leads back, and {operation} was called")

    @property
    def observation(self) -> Observation:
        return Observation(self.exists, dict(self.facts), dict(self.facts)) if self.exists else Observation(False)


@dataclass(slots=True)
class World:
    """Runs an act to its end as the executor does. `fates`: what becomes of the n-th call, `late`: when it shows."""

    action: Action
    service: Service
    fates: tuple[str, ...] = ()
    late: float = 0.0
    event: tuple[float, Callable[[Service], None]] | None = None
    seconds: float = 0.0
    journal: Journal = field(default_factory=Journal)
    alarms: list[str] = field(default_factory=list)
    calls: int = 0
    seconds_left: float = 60.0

    @property
    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def run(self, most: int = 400) -> tuple[State | None, str]:
        kind = next(iter(self.action.kinds))
        resource = ResourceRef(kind, "web", f"arn:aws:x:{_REGION}:{_ACCOUNT}:web", _ACCOUNT, _REGION)
        plan = self.action.plan(resource, self.action.sample.parameters, dict(self.service.facts))
        for _ in range(most):
            self.seconds += 0.1
            if self.event is not None and self.event[0] <= self.seconds:
                self.event[1](self.service)
                self.event = None
            self.service.settle(self.seconds)
            situation = Situation(plan, self.action.procedure, self.journal, self.service.observation, self.now)
            move = next_move(situation)
            match move:
                case Call():
                    self._call(move)
                case Settle():
                    self._add(JournalEntry(move.step, move.attempt, self.now, move.result))
                case WaitFor():
                    self.alarms += [move.alarm] if move.alarm else []
                    self.seconds += move.seconds
                case Compensate():
                    self.journal = replace(self.journal, turned=move.reason, turned_at=self.now)
                case Verified():
                    return State.SUCCEEDED, ""
                case Finish() | Ended():
                    return move.state, move.message
                case Hold() | NeedsHuman():
                    return None, move.reason
        return None, "no end"

    def _call(self, move: Call) -> None:
        self.alarms += [move.alarm] if move.alarm else []
        assert self.journal.open is None, "a call while the effect of another is not known"
        unanswered = self.journal.has_unanswered(move.step.id)
        self._add(JournalEntry(move.step.id, move.attempt, self.now))
        rules = self.action.calls
        answer = call_once(self, move.step.operation, move.step.parameters, rules, unanswered=unanswered)
        code, retryable = str(answer.detail.get("code") or ""), answer.detail.get("retryable") is True
        self._add(JournalEntry(move.step.id, move.attempt, self.now, answer.result, code, retryable=retryable))

    def call(self, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        fate = self.fates[self.calls] if self.calls < len(self.fates) else "ok"
        late = self.late if self.calls == 0 else 0.0
        self.calls += 1
        if fate == "dropped":
            raise AwsOutcomeUnknown("no answer", operation=operation)
        code = self.service.refusal(operation)
        if code:
            raise AwsRejected("refused", operation=operation, code=code)
        self.service.apply(operation, parameters, self.seconds + late)
        if fate == "lost":
            raise AwsOutcomeUnknown("no answer", operation=operation)
        return {}

    def _add(self, entry: JournalEntry) -> None:
        self.journal = replace(self.journal, entries=(*self.journal.entries, entry))


_DATABASE = {"state": "available", "class": "db.m5.large", "resourceId": "db-1"}
_GROUP = {"retentionDays": "0", "createdAt": "1"}
_TABLE = {"state": "ACTIVE", "billingMode": "PROVISIONED", "capacity": "1/1", "indexes": "", "tableId": "t-1"}
_SERVICE = {
    "state": "ACTIVE",
    "desiredCount": "2",
    "runningCount": "2",
    "createdAt": "1",
    "taskDefinition": "web:7",
}
_FUNCTION = {"update": "Successful", "memoryMb": "1024", "revisionId": "r-1", "codeSha256": "1"}
_BUCKET = {"lifecycle": "[]", "minimumSize": "", "owner": "1"}
_ALL: Final = [
    pytest.param(STOP_DATABASE, _DATABASE, id="database"),
    pytest.param(SET_RETENTION, _GROUP, id="log group"),
    pytest.param(SET_MODE, _TABLE, id="table"),
    pytest.param(SET_COUNT, _SERVICE, id="tasks"),
    pytest.param(SET_MEMORY, _FUNCTION, id="function"),
    pytest.param(SET_LIFECYCLE, _BUCKET, id="bucket"),
]
_ANEW: Final = {
    "database": {"resourceId": "db-2"},
    "log group": {"createdAt": "2"},
    "table": {"tableId": "t-2"},
    "tasks": {"createdAt": "2"},
}
_ENDS: Final[Mapping[str, Mapping[str, str]]] = {
    STOP_DATABASE.id: {"state": "stopped"},
    SET_RETENTION.id: {"retentionDays": "90"},
    SET_MODE.id: {"billingMode": "PAY_PER_REQUEST"},
    SET_COUNT.id: {"desiredCount": "0", "runningCount": "0"},
    SET_MEMORY.id: {"memoryMb": "256", "update": "Successful"},
    SET_LIFECYCLE.id: {"lifecycle": json.dumps(with_rule([], 7))},
}


@pytest.mark.parametrize(("action", "facts"), _ALL)
@pytest.mark.parametrize("late", [1.0, 119.0, 121.0, 124.0, 126.0, 240.0, 400.0, 3000.0])
@pytest.mark.parametrize("fate", ["ok", "lost"])
def test_a_call_that_shows_late_is_carried_on_answered_or_not(
    fate: str, late: float, action: Action, facts: dict[str, str]
) -> None:
    world = World(action, Service(dict(facts)), (fate,), late)
    assert world.run() == (State.SUCCEEDED, "")
    assert _ENDS[action.id].items() <= world.service.facts.items()


@pytest.mark.parametrize(("action", "facts"), _ALL)
def test_an_accepted_call_of_which_nothing_is_seen_calls_a_person_and_never_ends(
    action: Action, facts: dict[str, str]
) -> None:
    world = World(action, Service(dict(facts)), ("ok",), 9e9)
    assert world.run() == (None, "no end")
    assert len(world.service.effects) == 1
    assert "nothing is seen of it after 120 seconds" in world.alarms[0]


@pytest.mark.parametrize(("action", "facts"), _ALL)
def test_a_call_that_never_arrived_is_made_again(action: Action, facts: dict[str, str]) -> None:
    world = World(action, Service(dict(facts)), ("dropped", "dropped", "ok"))
    assert world.run() == (State.SUCCEEDED, "")
    assert len(world.service.effects) == 1


@pytest.mark.parametrize(("action", "facts"), [one for one in _ALL if one.id not in {"function", "bucket"}])
@pytest.mark.parametrize("fate", ["ok", "lost"])
def test_what_is_made_anew_under_the_same_name_is_left_alone(
    fate: str, action: Action, facts: dict[str, str], request: pytest.FixtureRequest
) -> None:
    anew = next(new for word, new in _ANEW.items() if word in request.node.name)
    world = World(action, Service(dict(facts)), (fate,), 9e9, event=(60.0, lambda one: one.facts.update(anew)))
    state, message = world.run()
    assert state is State.ROLLED_BACK
    assert "somebody made another one under its name; it is left alone" in message


@pytest.mark.parametrize("fate", ["ok", "lost"])
def test_a_database_that_is_starting_was_started_by_somebody(fate: str) -> None:
    def starts(one: Service) -> None:
        one.due, one.facts["state"] = [], "starting"

    world = World(STOP_DATABASE, Service(dict(_DATABASE)), (fate,), 9e9, event=(60.0, starts))
    state, message = world.run()
    assert state is State.ROLLED_BACK
    assert message.startswith('"stop": somebody started it while we were stopping it; it is left alone.')
    assert world.service.effects == ["rds:StopDBInstance"]


@pytest.mark.parametrize("state", ["backing-up", "maintenance", "modifying"])
@pytest.mark.parametrize("fate", ["ok", "lost"])
def test_a_database_that_aws_works_on_until_the_stop_shows_is_waited_for(fate: str, state: str) -> None:
    def works(one: Service) -> None:
        one.facts["state"] = state
        one.due = [(500.0, {"state": "available"}), (600.0, {"state": "stopping"})]

    world = World(STOP_DATABASE, Service(dict(_DATABASE)), (fate,), 9e9, event=(60.0, works))
    assert world.run() == (State.SUCCEEDED, "")


@pytest.mark.parametrize("fate", ["ok", "lost", "dropped"])
def test_a_database_that_runs_seven_days_after_the_stop_was_started_by_aws(fate: str) -> None:
    world = World(STOP_DATABASE, Service(dict(_DATABASE)), (fate, *["dropped"] * 9999), 9e9)
    state, message = world.run(60)
    assert state is None
    # Nothing watched it for a week: it was stopped meanwhile, and AWS started it again.
    world.seconds += 7 * 24 * 3600
    world.service.due = []
    calls = world.calls
    state, message = world.run(60)
    assert state is State.ROLLED_BACK
    assert "after seven days AWS starts a stopped database by itself; it is left alone" in message
    assert (world.calls, world.service.facts["state"]) == (calls, "available")


def test_a_database_that_is_still_stopped_after_seven_days_is_no_failure() -> None:
    def stops(one: Service) -> None:
        one.due, one.facts["state"] = [], "stopped"

    world = World(STOP_DATABASE, Service(dict(_DATABASE)), ("ok",), 9e9, event=(8 * 24 * 3600.0, stops))
    world.run(20)
    world.seconds = 8 * 24 * 3600.0
    assert world.run() == (State.SUCCEEDED, "")


@pytest.mark.parametrize("fate", ["dropped", "lost"])
def test_a_change_of_somebody_else_that_aws_still_applies_to_a_table_is_not_taken_for_ours(fate: str) -> None:
    def updates(one: Service) -> None:
        one.due, one.facts["state"] = [(400.0, {"state": "ACTIVE"})], "UPDATING"

    world = World(SET_MODE, Service(dict(_TABLE)), (fate, "ok"), 9e9, event=(0.2, updates))
    assert world.run() == (State.SUCCEEDED, "")
    # The first call never had its effect: it was made again once the other change was over.
    assert world.service.facts["billingMode"] == "PAY_PER_REQUEST"
    assert world.seconds > 400.0
    results = [entry.result for entry in world.journal.entries if entry.result is not None]
    assert Result.ABSENT in results


def test_another_retention_is_somebody_elses() -> None:
    chosen = (60.0, lambda one: one.facts.update(retentionDays="30"))
    world = World(SET_RETENTION, Service(dict(_GROUP)), ("ok",), 9e9, event=chosen)
    state, message = world.run()
    assert state is State.ROLLED_BACK
    assert (
        "somebody set another retention meanwhile; it is left alone. The log group keeps its events for 30" in message
    )


def test_other_capacity_is_somebody_elses() -> None:
    chosen = (60.0, lambda one: one.facts.update(capacity="7/7"))
    world = World(SET_MODE, Service(dict(_TABLE)), ("ok",), 9e9, event=chosen)
    state, message = world.run()
    assert state is State.ROLLED_BACK
    assert "somebody provisioned other capacity meanwhile; it is left alone" in message


@pytest.mark.parametrize("fate", ["ok", "lost", "dropped"])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"revisionId": "r-9"}, "somebody changed the function meanwhile"),
        ({"revisionId": "r-9", "memoryMb": "512"}, "somebody changed the function meanwhile"),
        ({"revisionId": "r-9", "codeSha256": "2"}, "somebody deployed other code meanwhile"),
    ],
    ids=["other setting", "other size", "other code"],
)
def test_a_function_that_somebody_changed_is_theirs(change: dict[str, str], said: str, fate: str) -> None:
    changed = (60.0, lambda one: one.facts.update(change))
    world = World(SET_MEMORY, Service(dict(_FUNCTION)), (fate,), 9e9, event=changed)
    state, message = world.run()
    assert state is State.ROLLED_BACK
    assert f"{said}; it is left alone. The function has" in message


def test_another_count_is_somebody_elses() -> None:
    chosen = (60.0, lambda one: one.facts.update(desiredCount="4", runningCount="4"))
    world = World(SET_COUNT, Service(dict(_SERVICE)), ("ok",), 9e9, event=chosen)
    state, message = world.run()
    assert state is State.ROLLED_BACK
    assert "somebody set another count meanwhile; it is left alone. The service wants 4 tasks; 4 of them run" in message


def test_a_limit_that_refuses_the_first_call_ends_the_act_after_that_one_call() -> None:
    world = World(SET_MODE, Service(dict(_TABLE), refuses="LimitExceededException"))
    state, message = world.run()
    assert (state, world.calls) == (State.ROLLED_BACK, 1)
    assert "four changes to on-demand mode in 24 hours are used up, or too many tables" in message
    assert message.endswith("Nothing was changed.")


def test_a_limit_that_refuses_the_repetition_of_a_lost_call_is_said_to_people_at_once() -> None:
    world = World(SET_MODE, Service(dict(_TABLE), refuses="LimitExceededException"), ("dropped",))
    assert world.run(40)[0] is None
    assert "used up, or too many tables of the account are being changed at once." in world.alarms[0]
