"""Joins what AWS saw, what the cluster holds and what the ledger says of a chaos run; pure.

Nothing of the operator is asked or believed: approvals are counted from the objects and from the ledger, what may be
called is taken from the plan that people saw, and what happened from the AWS double's own record.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Final

from finops.audit_verify import Keys, verify
from finops.domain.plan import PlanStep
from finops_operator.plugins.action import with_request
from finops_sandbox.aws.record import CallRecord

Obj = Mapping[str, Any]
_OF_THE_PROTOCOL: Final = frozenset({"Action", "Version", "@xmlns", "ChecksumAlgorithm", "clientRequestToken"})
_SIGNED_AS: Final = {"elb": "elasticloadbalancing", "elbv2": "elasticloadbalancing", "opensearch": "es"}
"""The SDK's name of a service → the name under which its calls are signed and seen by AWS."""
_LISTS: Final = {"Rule": "Rules"}
"""Lists that XML names by their members."""
_ENDS: Final = frozenset({"Succeeded", "RolledBack", "Stale", "Withdrawn", "Expired", "Denied"})
_LEAVES_ALL: Final = (_ENDS - {"Succeeded", "Stale"}) | {"Pending"}
"""States whose act has left its resource as it was; what is stale somebody else has changed."""


class Broken(Enum):
    """The promises, each by what breaks it."""

    UNAPPROVED = "acts without approval"
    TWICE = "double effects"
    OPEN = "intents without an outcome"
    STOPPED = "instances left stopped"
    UNANNOUNCED = "calls without an intent"
    LEDGER = "ledgers that do not verify"
    NOT_ENDED = "acts that did not end as they should"
    DISAGREES = "statuses that differ from the ledger"


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken promise and what shows it; `request` names the act where it is one act's."""

    broken: Broken
    evidence: str
    request: str = ""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a run was set up to do, from the request and its action; the operator has no part in it.

    Attributes:
        uid, name: of the ActionRequest.
        required: approvals it needs.
        forward, back: changing steps of the plan and of its rollback.
        ends: states in which the run may end.
        running: ids of the instances that ran before.
        may_stop: ids of those that a complete act leaves stopped.
        before: id of what is acted upon → its members in AWS, from before the act.
    """

    uid: str
    name: str
    plan_hash: str
    required: int
    forward: tuple[PlanStep, ...]
    back: tuple[PlanStep, ...]
    ends: frozenset[str]
    running: frozenset[str] = frozenset()
    may_stop: frozenset[str] = frozenset()
    before: Mapping[str, Obj] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a run left behind.

    Attributes:
        calls: every changing call that AWS saw, in order.
        ledger: lines of the sink that is judged with everything else.
        requests, approvals: the objects of the run's namespace.
        instances: id → state, in AWS.
        resources: id of what was acted upon → its members in AWS, none once it is gone.
        other_sink: lines of the other sink; None: not read.
        checkpoint: what was anchored outside of both sinks before they were read, empty when nothing was.
    """

    calls: tuple[CallRecord, ...]
    ledger: tuple[str, ...]
    requests: tuple[Obj, ...]
    approvals: tuple[Obj, ...]
    instances: Mapping[str, str] = field(default_factory=dict)
    resources: Mapping[str, Obj] = field(default_factory=dict)
    other_sink: tuple[str, ...] | None = None
    checkpoint: str = ""


def check(expected: Expected, evidence: Evidence, keys: Keys | None = None) -> tuple[Violation, ...]:
    """Return every broken promise of a run with one act.

    Args:
        keys: whose signatures on the ledger count; None leaves them unchecked.
    """
    return check_all((expected,), evidence, keys)


def check_all(acts: Sequence[Expected], evidence: Evidence, keys: Keys | None = None) -> tuple[Violation, ...]:
    """Return every broken promise of a run with several acts; a call belongs to the act whose name its session has.

    Args:
        keys: whose signatures on the ledger count; None leaves them unchecked.
    """
    kept = (evidence.checkpoint,) if evidence.checkpoint else ()
    report = verify(evidence.ledger, keys=keys, kept=kept)
    records = [json.loads(line)["record"] for line in evidence.ledger if "record" in json.loads(line)]
    calls = tuple(call for call in evidence.calls if not call.dry_run)
    names = {expected.name for expected in acts}
    found = [Violation(Broken.LEDGER, str(problem)) for problem in report.problems]
    found += _other_sink(evidence, keys, kept)
    found += [Violation(Broken.OPEN, name) for name in report.open_intents]
    found += [
        Violation(Broken.UNAPPROVED, f"{_seen(call)} by session {call.session_name or call.principal_arn}")
        for call in calls
        if call.session_name not in names
    ]
    found += _unannounced(calls, records)
    for expected in acts:
        own = replace(evidence, calls=tuple(call for call in calls if call.session_name == expected.name))
        broken = [*_unapproved(expected, own, records), *_twice(expected, own.calls), *_ended(expected, own, records)]
        broken += _stopped(expected, evidence, records)
        found += [replace(one, request=expected.name) for one in broken]
    return tuple(found)


def _other_sink(evidence: Evidence, keys: Keys | None, kept: Sequence[str]) -> list[Violation]:
    """Find what is wrong with the other sink; one may end later than the other, as it was read later."""
    one, other = evidence.ledger, evidence.other_sink
    if other is None:
        return []
    found = [
        Violation(Broken.LEDGER, f"the other sink: {problem}")
        for problem in verify(other, keys=keys, kept=kept).problems
    ]
    if bool(one) != bool(other):
        found.append(Violation(Broken.LEDGER, "one sink is empty and the other is not"))
    if any(json.loads(first) != json.loads(second) for first, second in zip(one, other, strict=False)):
        found.append(Violation(Broken.LEDGER, "the sinks hold different records"))
    return found


def _unapproved(expected: Expected, evidence: Evidence, records: list[Obj]) -> list[Violation]:
    found = []
    voters = _voters(expected, evidence.approvals)
    allowed = [_call(step, expected.uid) for step in (*expected.forward, *expected.back)]
    counted = {
        record["actor"]
        for record in records
        if record["kind"] == "voted" and record["result"] == "counted" and _about(record, expected)
    }
    for call in evidence.calls:
        seen = _seen(call)
        if len(voters) < expected.required:
            found.append(Violation(Broken.UNAPPROVED, f"{seen} with {len(voters)} of {expected.required} approvals"))
        elif len(counted) < expected.required:
            found.append(Violation(Broken.UNAPPROVED, f"{seen}, and the ledger counts {sorted(counted)}"))
        elif seen not in allowed:
            found.append(Violation(Broken.UNAPPROVED, f"{seen} is in no plan that people saw"))
    decided = next((one["sequence"] for one in records if _is(one, "decided", expected) and _approves(one)), None)
    found += [
        Violation(Broken.UNAPPROVED, f"the intent of record {one['sequence']} precedes the approval")
        for one in records
        if _is(one, "intent", expected) and (decided is None or one["sequence"] < decided)
    ]
    return found


def _unannounced(calls: Iterable[CallRecord], records: list[Obj]) -> list[Violation]:
    # An intent whose process died before it called has no call; each call has an intent of its own.
    intents = Counter(_seen_intent(one) for one in records if one["kind"] == "intent")
    made = Counter(_seen(call) for call in calls)
    return [
        Violation(Broken.UNANNOUNCED, f"{seen}: {count} calls, {intents[seen]} intents")
        for seen, count in made.items()
        if count > intents[seen]
    ]


def _twice(expected: Expected, calls: Iterable[CallRecord]) -> list[Violation]:
    """Find calls that took effect more often than plan and rollback hold them."""
    held = Counter(_call(step, expected.uid) for step in expected.forward)
    back = Counter(_call(step, expected.uid) for step in expected.back)
    applied = [_seen(call) for call in calls if call.applied]
    went_back = any(seen in back and seen not in held for seen in applied)
    limit = held + back if went_back else held | back
    return [
        Violation(Broken.TWICE, f"{seen} took effect {count} times")
        for seen, count in Counter(applied).items()
        if count > max(1, limit[seen])
    ]


def _ended(expected: Expected, evidence: Evidence, records: list[Obj]) -> list[Violation]:
    found = []
    states = {one["metadata"]["uid"]: str(one.get("status", {}).get("state", "")) for one in evidence.requests}
    state = states.get(expected.uid, "gone")
    if state not in expected.ends:
        found.append(Violation(Broken.NOT_ENDED, f"it is {state or 'without a state'}, not {sorted(expected.ends)}"))
    ends = [one["result"] for one in records if _is_end(one, expected)]
    if len(ends) > 1:
        found.append(Violation(Broken.NOT_ENDED, f"the ledger ends it {len(ends)} times: {ends}"))
    if state in expected.ends and ends[:1] != [state] * (state in _ENDS):
        found.append(Violation(Broken.DISAGREES, f"the status says {state}, the ledger {ends or 'nothing'}"))
    if state in _LEAVES_ALL:
        found += _left_changed(state, expected, evidence)
    if state == "Succeeded":
        applied = Counter(_seen(call) for call in evidence.calls if call.applied and not call.dry_run)
        missing = Counter(_call(step, expected.uid) for step in expected.forward) - applied
        found += [Violation(Broken.NOT_ENDED, f"it succeeded without {seen}") for seen in missing]
    return found


def _left_changed(state: str, expected: Expected, evidence: Evidence) -> list[Violation]:
    """Find what of a resource is not as it was, after an act that was led back or never carried out."""
    return [
        Violation(
            Broken.NOT_ENDED, f"it is {state}, and {member} of {name} is {now.get(member)}, not {was.get(member)}"
        )
        for name, was in expected.before.items()
        for now in (evidence.resources.get(name, {}),)
        for member in sorted(was.keys() | now.keys())
        if was.get(member) != now.get(member)
    ]


def _stopped(expected: Expected, evidence: Evidence, records: list[Obj]) -> list[Violation]:
    complete = any(_is_end(one, expected) and one["result"] == "Succeeded" for one in records)
    allowed = expected.may_stop if complete else frozenset()
    return [
        Violation(Broken.STOPPED, f"{name} ran and is {evidence.instances.get(name, 'gone')}")
        for name in sorted(expected.running - allowed)
        if evidence.instances.get(name) not in {"running", "pending"}
    ]


def _voters(expected: Expected, approvals: Iterable[Obj]) -> set[str]:
    """Return who approves by an object in the cluster, each person once, whoever takes it back left out.

    Whoever asks for the undo of the act has not taken the approval of it back.
    """
    votes = [
        (str(one["metadata"]["creationTimestamp"]), one["spec"])
        for one in approvals
        if one["spec"]["request"]["uid"] == expected.uid
        and one["spec"]["planHash"] == expected.plan_hash
        and one["spec"]["decision"] != "Undo"
    ]
    last = {_person(spec["approver"]): str(spec["decision"]) for _, spec in sorted(votes, key=lambda one: one[0])}
    return {person for person, decision in last.items() if decision == "Approve"}


def _person(approver: Obj) -> str:
    """Return who votes: in Slack the member's id, for the handle shown there is trusted for nothing."""
    return str(approver["slackUser"] if approver["source"] == "slack" else approver["username"])


def _is(record: Obj, kind: str, expected: Expected) -> bool:
    return bool(record["kind"] == kind and _about(record, expected))


def _about(record: Obj, expected: Expected) -> bool:
    return str(record["request"]).rpartition("/")[2] == expected.uid


def _approves(record: Obj) -> bool:
    return bool(record["result"] == "Approved")


def _is_end(record: Obj, expected: Expected) -> bool:
    kinds = {"verified", "outcome", "decided"}
    mine = _about(record, expected) and record["kind"] in kinds and record["attempt"] == 0
    return bool(mine and record["result"] in _ENDS)


def as_seen(operation: str) -> tuple[str, str]:
    """Return the service for which a call is signed, and its name: as AWS sees the operation of a plan."""
    service, _, action = operation.partition(":")
    return _SIGNED_AS.get(service, service), action


def _text(operation: str, parameters: Mapping[str, Any]) -> str:
    return f"{':'.join(as_seen(operation))} {json.dumps(_plain(parameters), sort_keys=True)}"


def _plain(value: Any) -> Any:
    """Return parameters in one form, however the service's protocol writes them.

    Forms and XML have texts alone, and what belongs to the protocol stands among the parameters.
    """
    if isinstance(value, Mapping):
        found = {key: one for key, one in value.items() if key not in _OF_THE_PROTOCOL}
        return {_LISTS.get(key, key): _plain(_members(key, one)) for key, one in found.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _members(key: str, value: Any) -> Any:
    """Return the members of a list that XML shows as its one member."""
    return [value] if key in _LISTS and isinstance(value, Mapping) else value


def _call(step: PlanStep, uid: str) -> str:
    return _text(step.operation, with_request(step.parameters, uid))


def _seen(call: CallRecord) -> str:
    return _text(f"{call.service}:{call.action}", call.parameters)


def _seen_intent(record: Obj) -> str:
    return _text(record["detail"]["operation"], record["detail"]["parameters"])
