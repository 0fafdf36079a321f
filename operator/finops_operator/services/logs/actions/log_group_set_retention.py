"""Set the retention of a log group that keeps its events longer, or for ever.

Parameter: `retentionInDays`, one of the numbers that AWS takes; with `setBack` it undoes an earlier act, and 0 is for
ever. The setting can be changed back at any time, but what AWS has deleted by then stays deleted, so the act asks for
the approvals of one that destroys. AWS deletes within about 72 hours after an event has reached the retention; an act
that turns back restores the old setting before that. Source: CloudWatch Logs API reference, PutRetentionPolicy,
DeleteRetentionPolicy and DescribeLogGroups.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from finops.domain.canonical import Json, sha256_hex
from finops.domain.execution import Observation
from finops.domain.lasting import Shows
from finops.domain.plan import Plan, PlanStep
from finops.domain.recommendation import Effort, EvidenceFact, ResourceRef
from finops.domain.resource import Resource
from finops.domain.watching import Health, Sign
from finops.errors import InvalidInput
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import (
    Action,
    ActSample,
    ActWords,
    OwnerChange,
    Parameters,
    PolicyFacts,
    Refusal,
    Rights,
    Statement,
    Target,
    WatchedAct,
)
from finops_operator.plugins.number_setting import Call, NumberSetting, Others, Pace, sets_back
from finops_operator.plugins.ownership import Owner
from finops_operator.plugins.protection import controlled, described_by_template, kept, protected
from finops_operator.plugins.session_policy import allow
from finops_operator.plugins.tagging import PERMISSION as _TAGS
from finops_operator.plugins.tagging import tags_of_arn
from finops_operator.plugins.watch_shape import WatchShape
from finops_operator.plugins.watched import LIST_ALARMS
from finops_operator.services.logs.judging.judged import size
from finops_operator.services.logs.log_group import DELIVERY, STANDARD, STORED
from finops_operator.services.logs.rules.retention import KEPT_BY_CLASS, RETENTIONS
from finops_operator.services.logs.rules.signs import SIGNS

ID: Final = "log_group_set_retention"
_READ: Final = "logs:DescribeLogGroups"
_PAGE: Final = 50
_SET: Final = "logs:PutRetentionPolicy"
_REMOVE: Final = "logs:DeleteRetentionPolicy"
_NONE: Final = 0
"""Days of a group without a retention: it keeps its events for ever."""
_FOR_EVER: Final = str(_NONE)
_CONFLICT: Final = "OperationAbortedException"
"""Another change of the same log group was under way; nothing was done."""
_KEPT: Final = ("compliance", "retention")
"""Further words in tag keys by which people mark events that a law or a contract makes them keep."""
_DELETED_WITHIN: Final = timedelta(hours=72)
"""It typically takes AWS up to 72 hours, in rare situations longer. Source: API reference, PutRetentionPolicy."""
_LISTED_WITHIN: Final = timedelta(days=3)
"""The stored bytes that AWS lists of a group are hours old, a day at times; AWS names no limit, three days are ours."""
_SHOWS_SECONDS: Final = 120.0
"""How long a change of the retention may stay invisible before a person is called; it may still come after it."""


def _wanted(parameters: Parameters) -> int:
    days = parameters.get("retentionInDays")
    possible = RETENTIONS | {_NONE} if sets_back(parameters) else RETENTIONS
    if not isinstance(days, int) or isinstance(days, bool) or days not in possible:
        listed = ", ".join(str(one) for one in sorted(RETENTIONS))
        raise InvalidInput(f"{days!r} is no retention", field="parameters.retentionInDays", hint=f"days: {listed}")
    return days


# -- what is there -----------------------------------------------------------------------------------------------------


def _observe(reader: Reader, target: Target) -> Observation:
    """Read the group and its tags. Facts: `retentionDays` ("0": for ever), `retentionPolicy`, `class`, `createdAt`.

    AWS filters by the beginning of a name alone, so groups that only begin like it are passed over.
    """
    name = target.resource.id
    answer = reader.read(_READ, {"logGroupNamePrefix": name, "limit": _PAGE})
    group = next((one for one in answer.get("logGroups", ()) if one.get("logGroupName") == name), None)
    if group is None:
        return Observation(exists=False)
    tags = tags_of_arn(reader, target.resource.arn)
    stored = group.get("storedBytes")
    facts: dict[str, Json] = {
        "retentionDays": str(group.get("retentionInDays") or _FOR_EVER),
        "retentionPolicy": str(group.get("retentionPolicyName") or ""),
        "class": str(group.get("logGroupClass") or STANDARD),
        "deletionProtection": group.get("deletionProtectionEnabled") is True,
        "storedBytes": stored if isinstance(stored, int) else None,
        "createdAt": str(group.get("creationTime") or ""),
        "tags": dict(tags),
    }
    # A group that was deleted and made anew has another time of creation.
    fingerprint = {name: str(facts[name]) for name in ("retentionDays", "createdAt")}
    return Observation(exists=True, fingerprint={**fingerprint, "tags": sha256_hex(dict(tags))[:16]}, facts=facts)


def _known_tags(observation: Observation) -> Mapping[str, str]:
    found = observation.facts.get("tags")
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, Mapping) else {}


# -- what speaks against it, and in words ------------------------------------------------------------------------------


def _preflight(observation: Observation, parameters: Parameters, facts: PolicyFacts) -> tuple[Refusal, ...]:
    if not observation.exists:
        return (Refusal("NotFound", "The log group does not exist any more."),)
    if sets_back(parameters):
        # What protects its events forbids to delete them, not to keep them longer.
        return (*_retention_decided(observation), *SETTING.not_back(observation, parameters))
    tags = _known_tags(observation)
    return (
        *protected(tags, facts),
        *controlled(tags, SIGNS),
        *described_by_template(tags, SIGNS),
        *kept(tags, _KEPT),
        *_settings_refusals(observation, _wanted(parameters)),
    )


def _retention_decided(observation: Observation) -> list[Refusal]:
    """Return why a retention of its own would be none of the group's."""
    found: list[Refusal] = []
    if observation.text("class") == DELIVERY:
        found.append(Refusal("ClassDelivery", f"{KEPT_BY_CLASS}, whatever retention is set."))
    if observation.text("retentionPolicy"):
        found.append(Refusal("RetentionByPolicy", "A policy of the account decides its retention."))
    return found


def _settings_refusals(observation: Observation, days: int) -> list[Refusal]:
    found = _retention_decided(observation)
    if observation.facts.get("deletionProtection"):
        found.append(Refusal("DeletionProtection", "Its deletion protection is on."))
    kept = int(observation.text("retentionDays"))
    if kept and kept <= days:
        found.append(Refusal("RetentionAlreadySet", f"Its data is already removed after {kept} days."))
    return found


def _warnings(_observation: Observation, parameters: Parameters) -> tuple[str, ...]:
    if sets_back(parameters):
        return ("Events that AWS has deleted since the act cannot be recovered.",)
    return (
        f"Events older than {_days(_wanted(parameters))} are deleted within about 72 hours. They cannot be recovered.",
        "We did not check whether an audit, a query or an export still needs them.",
    )


def _words(observation: Observation, parameters: Parameters, _plan: Plan) -> ActWords:
    days, before = _kept(_wanted(parameters)), _kept(int(observation.text("retentionDays")))
    stored = observation.facts.get("storedBytes")
    facts = (EvidenceFact("Stored now", size(stored)),) if isinstance(stored, int) else ()
    steps = {
        "set": "Remove the retention" if days == _kept(_NONE) else f"Set the retention to {days}",
        "wait_set": "Wait until AWS shows the retention",
        "restore": f"Set the retention back ({before})",
        "wait_restored": "Wait until AWS shows the old retention",
    }
    if sets_back(parameters):
        return ActWords(
            verb="Keep",
            target=f"events {_span(_wanted(parameters))}",
            change=f"Retention: {before} → {days}",
            consequence=f"AWS keeps events {_span(_wanted(parameters))} again, and bills what it keeps.",
            downtime="No interruption",
            undo=f"On a failure the retention is {before} again. Later: set the retention by hand.",
            steps=steps,
            facts=facts,
        )
    return ActWords(
        verb="Limit",
        target=f"{days} of retention",
        change=f"Retention: {before} → {days}",
        consequence=f"AWS deletes events older than {days}, now and from then on. New events are logged as before.",
        downtime="No interruption",
        undo="The setting can be changed back. Events that AWS has deleted by then cannot be recovered.",
        steps=steps,
        facts=facts,
    )


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


def _kept(days: int) -> str:
    return "for ever" if days == _NONE else _days(days)


def _span(days: int) -> str:
    return "for ever" if days == _NONE else f"for {_days(days)}"


# -- what is called ----------------------------------------------------------------------------------------------------


def _call(resource: ResourceRef, days: int) -> Call:
    group: dict[str, Json] = {"logGroupName": resource.id}
    return (_REMOVE, group) if days == _NONE else (_SET, {**group, "retentionInDays": days})


SETTING: Final = NumberSetting(
    action=ID,
    parameter="retentionInDays",
    fact="retentionDays",
    identity="createdAt",
    label="retention",
    shown=_kept,
    steps=("set", "wait_set"),
    wanted=_wanted,
    call=_call,
    others=Others(
        set="somebody set another retention meanwhile",
        replaced="it was deleted, and somebody made another one under its name",
    ),
    pace=Pace(settle=_SHOWS_SECONDS, busy=frozenset({_CONFLICT})),
    endless=_NONE,
)


def _found(_plan: Plan, now: Observation) -> str:
    if not now.exists:
        return "The log group does not exist any more."
    return f"The log group keeps its events {_span(int(now.text('retentionDays')))}."


def _statements(plan: Plan, step: PlanStep) -> tuple[Statement, ...]:
    # IAM knows a log group by its ARN with this ending in every call but those about tags.
    return (allow(step.operation, resource=f"{plan.resource.arn}:*"),)


def _patch(owner: Owner, _resource: Resource, parameters: Parameters) -> str:
    days = _wanted(parameters)
    if owner.system == "CloudFormation":
        return f"Properties: RetentionInDays: {days}"
    return f"retention_in_days = {days}" if owner.system == "Terraform" else f"Wanted: a retention of {_days(days)}"


def _left(act: WatchedAct, now: Observation) -> str:
    """Return that the retention is another one than the act set, or the group another one; empty while it stands."""
    known = act.before.get("createdAt", "")
    if known and now.text("createdAt") != known:
        return "The log group was deleted, and somebody made another one under its name."
    days, wanted = int(now.text("retentionDays")), _wanted(act.parameters)
    if days == wanted:
        return ""
    return f"It keeps its events {_span(days)} now, not {_span(wanted)} as the act set."


def _signs(_act: WatchedAct, now: Observation) -> Iterator[Sign]:
    yield Sign("retention", Health.WELL, f"It keeps its events {_span(int(now.text('retentionDays')))}.")


_WATCH: Final = WatchShape(
    noun="log group",
    observe=_observe,
    left=_left,
    state=_signs,
    before=lambda now: {"createdAt": now.text("createdAt")},
    reads=("whether the retention is still the one of the act",),
    measured=None,
    loads=lambda _act: (),
).watch

_SAMPLE: Final[Mapping[str, Any]] = {"retentionDays": _FOR_EVER, "createdAt": "1767225600000"}

ACTION: Final = Action(
    id=ID,
    kinds=frozenset({"log-group"}),
    destructive=True,
    restart_needed=False,
    rollback_possible=False,
    undo_by_hand="change the retention back; events that AWS has deleted by then cannot be recovered",
    effort=Effort.LOW,
    permissions=(_SET, _REMOVE),
    read_permissions=(_READ, _TAGS, LIST_ALARMS),
    observe=_observe,
    preflight=_preflight,
    warnings=_warnings,
    words=_words,
    plan=SETTING.plan,
    procedure=SETTING.procedure(_found),
    statements=_statements,
    # Setting a retention is also what leads a group back that had one. IAM cannot see which of both a call is, so the
    # preflight alone keeps an act from a protected group, and no act is kept from restoring one.
    rights=Rights(rollback=frozenset({_SET, _REMOVE})),
    at_owner=OwnerChange(patch=_patch),
    sample=ActSample(parameters={"retentionInDays": 90}, assumed=_SAMPLE),
    undo=SETTING.undo,
    watch=_WATCH,
    brought_within=_DELETED_WITHIN,
    shows=Shows(
        _DELETED_WITHIN + _LISTED_WITHIN,
        frozenset({STORED}),
        moves=True,
        setting="retention_days",
        parameter="retentionInDays",
        fact="retentionDays",
    ),
)
