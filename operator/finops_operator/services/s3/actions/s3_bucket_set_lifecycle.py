"""Add a lifecycle rule to a bucket that removes the parts of uploads nobody finished. Its objects are not touched.

Parameter: `abortUploadsAfterDays`; AWS recommends seven. An undo has `setBack` as well, and the `minimumSize` of
before: it sets the rules without ours, only while the bucket has exactly the configuration that the act wrote. S3
replaces a configuration as a whole, so the call carries every rule that stays, and the approval is for exactly that
configuration: whoever changes a rule makes the act stale. A turned act sets the old configuration again, or none; parts
that S3 has removed by then stay removed. Source: Amazon S3 API reference, PutBucketLifecycleConfiguration; user guide,
"Configuring a bucket lifecycle configuration to delete incomplete multipart uploads".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from finops.domain.canonical import Json, sha256_hex
from finops.domain.execution import Journal, Observation, Procedure, StepRules
from finops.domain.lasting import Shows
from finops.domain.plan import Plan, PlanStep
from finops.domain.recommendation import Effort, EvidenceFact, ResourceRef
from finops.domain.resource import Resource
from finops.domain.watching import Health, Sign
from finops.errors import AwsRejected, InvalidInput
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
    Undo,
    WatchedAct,
)
from finops_operator.plugins.number_setting import SET_BACK, YES, sets_back
from finops_operator.plugins.ownership import Owner
from finops_operator.plugins.protection import observed_tags, tag_refusals
from finops_operator.plugins.session_policy import allow
from finops_operator.plugins.tagging import PERMISSION as _TAGS
from finops_operator.plugins.tagging import tags_of_arn
from finops_operator.plugins.watch_shape import WatchShape
from finops_operator.plugins.watched import LIST_ALARMS
from finops_operator.services.s3.rules.lifecycle import (
    ENABLED,
    MOST_RULES,
    RULE_ID,
    is_whole,
    rules_of,
    rules_text,
    same_rules,
    with_rule,
)
from finops_operator.services.s3.rules.settings import LIFECYCLE, NO_LIFECYCLE
from finops_operator.services.s3.rules.signs import SIGNS
from finops_operator.services.s3.rules.storage import SIZES

ID: Final = "s3_bucket_set_lifecycle"
_PUT: Final = "s3:PutBucketLifecycleConfiguration"
_DELETE: Final = "s3:DeleteBucketLifecycle"
_PERMISSION: Final = "s3:PutLifecycleConfiguration"
"""IAM's name for both calls."""
_READ_PERMISSION: Final = "s3:GetLifecycleConfiguration"
_GONE: Final = "NoSuchBucket"
_CONFLICT: Final = "OperationAborted"
"""Another change of the same bucket was under way; nothing was done."""
_APPLIED_WITHIN: Final = timedelta(days=7)
"""S3 applies a new rule from the next midnight (UTC) on, and within days at times; AWS names no limit, a week is ours.
Source: S3 user guide, "Lifecycle configuration elements" and "Troubleshooting Amazon S3 Lifecycle issues"."""
_LONGEST: Final = 3000
"""Characters of a configuration that people can be shown as part of a plan."""
_MOST_DAYS: Final = 365
_SHOWS_SECONDS: Final = 120.0
"""How long a configuration may stay invisible before a person is called; it may still come after it."""


def _wanted(parameters: Parameters) -> int:
    days = parameters.get("abortUploadsAfterDays")
    if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= _MOST_DAYS:
        hint = f"from 1 to {_MOST_DAYS}"
        raise InvalidInput(f"{days!r} is no number of days", field="parameters.abortUploadsAfterDays", hint=hint)
    return days


def _chosen(parameters: Parameters) -> dict[str, Json]:
    """Return the parameters of a plan, each of its form."""
    chosen: dict[str, Json] = {"abortUploadsAfterDays": _wanted(parameters)}
    if not sets_back(parameters):
        return chosen
    return {**chosen, "minimumSize": str(parameters.get("minimumSize") or ""), SET_BACK: YES}


def _wanted_rules(parameters: Parameters, before: Sequence[Mapping[str, Json]]) -> list[Mapping[str, Json]]:
    """Return the rules that an act sets where these were before: one more of ours, an undo all others.

    Raises:
        InvalidInput: the rule that an undo takes away is not there as an act of these parameters wrote it.
    """
    if not sets_back(parameters):
        return with_rule(before, _wanted(parameters))
    others = [rule for rule in before if rule.get("ID") != RULE_ID]
    if not same_rules(before, with_rule(others, _wanted(parameters))):
        raise InvalidInput("the rules are not those that the act wrote", field="parameters.setBack")
    return others


# -- what is there -----------------------------------------------------------------------------------------------------


def _observe(reader: Reader, target: Target) -> Observation:
    """Read the bucket's lifecycle configuration and tags, as long as the bucket is this account's.

    Facts: `lifecycle` (its rules, as `rules.lifecycle` writes them), `minimumSize` (of objects that are moved by
    default, empty where S3 does not say), `owner` (the account), `tags`.
    """
    name, account = target.resource.id, target.resource.account
    try:
        answer = reader.read(LIFECYCLE, {"Bucket": name, "ExpectedBucketOwner": account})
    except AwsRejected as error:
        if error.code == _GONE:
            return Observation(exists=False)
        if error.code != NO_LIFECYCLE:
            raise
        answer = {}
    tags = tags_of_arn(reader, target.resource.arn)
    facts: dict[str, Json] = {
        "lifecycle": rules_text(answer.get("Rules") or ()),
        "minimumSize": str(answer.get("TransitionDefaultMinimumObjectSize") or ""),
        "owner": account,
        "tags": dict(tags),
    }
    found = {word: str(facts[word]) for word in ("lifecycle", "minimumSize", "owner")}
    return Observation(exists=True, fingerprint={**found, "tags": sha256_hex(dict(tags))[:16]}, facts=facts)


# -- what speaks against it, and in words ------------------------------------------------------------------------------


def _preflight(observation: Observation, parameters: Parameters, facts: PolicyFacts) -> tuple[Refusal, ...]:
    if not observation.exists:
        return (Refusal("NotFound", "The bucket does not exist any more."),)
    if sets_back(parameters):
        # What protects its objects forbids to remove them, not to keep parts of uploads longer. That the rules are
        # those of the act is asked of its undo, and bound by the fingerprint.
        return ()
    return (
        *tag_refusals(observed_tags(observation), facts, SIGNS),
        *_rule_refusals(observation, _wanted(parameters)),
    )


def _rule_refusals(observation: Observation, days: int) -> list[Refusal]:
    rules = rules_of(observation.text("lifecycle"))
    found: list[Refusal] = []
    sooner = [number for rule in rules if (number := _aborts_after(rule)) and number <= days]
    if sooner:
        found.append(
            Refusal("AlreadyAborted", f"A rule removes unfinished uploads after {_days(min(sooner))} already.")
        )
    elif any(rule.get("ID") == RULE_ID for rule in rules):
        found.append(Refusal("RuleNameTaken", f"It has a rule {RULE_ID} already, which somebody changed."))
    if len(rules) >= MOST_RULES:
        found.append(Refusal("TooManyRules", f"It has {len(rules)} rules, and S3 takes no more."))
    elif len(observation.text("lifecycle")) > _LONGEST:
        found.append(Refusal("RulesTooLong", "Its rules are too long to be shown to the people who approve."))
    return found


def _aborts_after(rule: Mapping[str, Any]) -> int:
    """Return the days after which a rule ends unfinished uploads of the whole bucket, 0: it does not."""
    action = rule.get("AbortIncompleteMultipartUpload") or {}
    return int(action.get("DaysAfterInitiation") or 0) if rule.get("Status") == ENABLED and is_whole(rule) else 0


def _warnings(_observation: Observation, parameters: Parameters) -> tuple[str, ...]:
    if sets_back(parameters):
        return (
            "Parts of uploads that S3 has removed since the act cannot be recovered.",
            "A rule that somebody sets in the same minute may be lost.",
        )
    return (
        f"Uploads that began more than {_days(_wanted(parameters))} ago are ended. Their parts cannot be recovered.",
        "We did not check whether a program still goes on with one of them.",
        "A rule that somebody sets in the same minute may be lost.",
    )


def _words(observation: Observation, parameters: Parameters, _plan: Plan) -> ActWords:
    rules = len(_now(observation))
    if sets_back(parameters):
        return _words_back(rules)
    days = _days(_wanted(parameters))
    kept_rules = _some(rules)
    return ActWords(
        verb="Limit",
        target=f"{days} for unfinished uploads",
        change=f"Lifecycle rules: {kept_rules} → {_rules(rules + 1)}, the new one for unfinished uploads",
        consequence=f"S3 removes the parts of uploads that began more than {days} ago, once a day from then on.",
        downtime="No interruption",
        undo="The old rules can be set again. Parts that S3 has removed by then cannot be recovered.",
        steps={
            "set_rules": "Add a rule for unfinished uploads",
            "wait_set": "Wait until S3 shows the rule",
            "restore": "Set the old rules again" if rules else "Remove the rules again",
            "wait_restored": "Wait until S3 shows the old rules",
        },
        facts=(EvidenceFact("Rules that stay as they are", kept_rules),),
    )


def _words_back(rules: int) -> ActWords:
    before = max(rules - 1, 0)
    return ActWords(
        verb="Set",
        target="the lifecycle rules of before",
        change=f"Lifecycle rules: {_some(rules)} → {_some(before)}, without the one for unfinished uploads",
        consequence="S3 keeps the parts of unfinished uploads again as before the act, and bills them.",
        downtime="No interruption",
        undo="On a failure the rules of the act are set again. Later: add the rule by hand.",
        steps={
            "set_rules": "Set the rules of before" if before else "Remove the rule for unfinished uploads",
            "wait_set": "Wait until S3 shows the rules of before",
            "restore": "Set the rules of the act again",
            "wait_restored": "Wait until S3 shows them",
        },
        facts=(EvidenceFact("Rules that stay as they are", _some(before)),),
    )


def _some(rules: int) -> str:
    return _rules(rules) if rules else "none"


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


def _rules(number: int) -> str:
    return "1 rule" if number == 1 else f"{number} rules"


# -- what is called ----------------------------------------------------------------------------------------------------


def _call(resource: ResourceRef, rules: Sequence[Mapping[str, Json]], minimum_size: str) -> tuple[str, dict[str, Json]]:
    """Return the call that makes these the bucket's rules, each as it is: S3 takes no configuration without one."""
    if not rules:
        return _DELETE, _bucket(resource)
    size: dict[str, Json] = {"TransitionDefaultMinimumObjectSize": minimum_size} if minimum_size else {}
    return _PUT, {**_bucket(resource), **size, "LifecycleConfiguration": {"Rules": [*rules]}}


def _bucket(resource: ResourceRef) -> dict[str, Json]:
    """Return how a call names the bucket: S3 refuses it once the name belongs to another account."""
    return {"Bucket": resource.id, "ExpectedBucketOwner": resource.account}


def _plan(resource: ResourceRef, parameters: Parameters, assumed: Mapping[str, str]) -> Plan:
    chosen = _chosen(parameters)
    rules = _wanted_rules(chosen, rules_of(str(assumed.get("lifecycle") or "[]")))
    operation, call = _call(resource, rules, str((chosen if sets_back(chosen) else assumed).get("minimumSize") or ""))
    steps = (PlanStep("set_rules", operation, call, inverse="restore"), PlanStep("wait_set"))
    return Plan(ID, resource, chosen, steps, dict(assumed))


def _before(plan: Plan) -> list[dict[str, Json]]:
    return rules_of(str(plan.fingerprint["lifecycle"]))


def _compensation(plan: Plan) -> tuple[PlanStep, ...]:
    operation, call = _call(plan.resource, _before(plan), str(plan.fingerprint["minimumSize"]))
    return (PlanStep("restore", operation, call), PlanStep("wait_restored"))


def _now(now: Observation) -> list[dict[str, Json]]:
    return rules_of(now.text("lifecycle"))


def _is_set(plan: Plan, now: Observation) -> bool:
    return now.exists and same_rules(_now(now), _wanted_rules(plan.parameters, _before(plan)))


def _unchanged(plan: Plan, now: Observation) -> bool:
    return now.exists and same_rules(_now(now), _before(plan))


def _not_ours(plan: Plan, now: Observation) -> bool:
    """Return whether the rules are the old ones, or such as somebody else set meanwhile, which are left alone."""
    return now.exists and not _is_set(plan, now)


def _taken(plan: Plan, _journal: Journal, now: Observation, _seconds: float) -> str:
    """Return what somebody else did to the rules since our call, else ""; our calls make two configurations alone."""
    ours = not now.exists or _is_set(plan, now) or _unchanged(plan, now)
    return "" if ours else "somebody set other lifecycle rules meanwhile"


def _found(_plan: Plan, now: Observation) -> str:
    if not now.exists:
        return "The bucket does not exist any more."
    return _found_rules(now)


def _found_rules(now: Observation) -> str:
    days = [number for rule in _now(now) if (number := _aborts_after(rule))]
    said = f"end after {_days(min(days))}" if days else "are kept"
    return f"The bucket has {_rules(len(_now(now)))}; unfinished uploads {said}."


def _undo_parameters(plan: Plan, _made: Mapping[str, str]) -> Parameters:
    return _chosen({**plan.parameters, "minimumSize": plan.fingerprint["minimumSize"], SET_BACK: YES})


def _not_as_left(plan: Plan, now: Observation) -> str:
    """Return why the configuration is not the one that the act wrote, empty when it is."""
    size = str(plan.fingerprint["minimumSize"])
    # Where there were no rules before, S3 chose the size itself.
    if _is_set(plan, now) and size in {"", now.text("minimumSize")}:
        return ""
    return "After the act somebody changed the bucket's lifecycle rules."


def _statements(plan: Plan, _step: PlanStep) -> tuple[Statement, ...]:
    return (allow(_PERMISSION, resource=plan.resource.arn),)


def _patch(owner: Owner, _resource: Resource, parameters: Parameters) -> str:
    days = _wanted(parameters)
    if owner.system == "CloudFormation":
        return f"LifecycleConfiguration: Rules: AbortIncompleteMultipartUpload: DaysAfterInitiation: {days}"
    if owner.system == "Terraform":
        return f"abort_incomplete_multipart_upload {{ days_after_initiation = {days} }}"
    return f"Wanted: unfinished uploads end after {_days(days)}"


def _left(act: WatchedAct, now: Observation) -> str:
    """Return that our rule is not as the act left it; empty while it is."""
    ours = [rule for rule in _now(now) if rule.get("ID") == RULE_ID]
    if sets_back(act.parameters):
        return "It has a rule for unfinished uploads under our name again." if ours else ""
    days = _wanted(act.parameters)
    if any(_aborts_after(rule) == days for rule in ours):
        return ""
    return (
        "Somebody has changed its rule for unfinished uploads." if ours else "Its rule for unfinished uploads is gone."
    )


def _signs(_act: WatchedAct, now: Observation) -> Iterator[Sign]:
    yield Sign("lifecycle", Health.WELL, _found_rules(now))


_WATCH: Final = WatchShape(
    noun="bucket",
    observe=_observe,
    left=_left,
    state=_signs,
    before=lambda _now: {},
    reads=("whether the rule for unfinished uploads is still as the act left it",),
    measured=None,
    loads=lambda _act: (),
).watch

ACTION: Final = Action(
    id=ID,
    kinds=frozenset({"s3-bucket"}),
    destructive=True,
    restart_needed=False,
    rollback_possible=False,
    undo_by_hand="set the old lifecycle rules again; parts that S3 has removed by then cannot be recovered",
    effort=Effort.LOW,
    permissions=(_PERMISSION,),
    read_permissions=(_READ_PERMISSION, _TAGS, LIST_ALARMS),
    observe=_observe,
    preflight=_preflight,
    warnings=_warnings,
    words=_words,
    plan=_plan,
    procedure=Procedure(
        steps={
            "set_rules": StepRules(
                reached=_is_set,
                expected=_unchanged,
                taken=_taken,
                settle_seconds=_SHOWS_SECONDS,
                retry_codes=frozenset({_CONFLICT}),
                lingers=True,
            ),
            "wait_set": StepRules(
                reached=_is_set, failed=lambda _, now: not now.exists, settle_seconds=_SHOWS_SECONDS, patient=True
            ),
            "restore": StepRules(
                reached=_not_ours,
                expected=_is_set,
                taken=_taken,
                settle_seconds=_SHOWS_SECONDS,
                retry_codes=frozenset({_CONFLICT}),
            ),
            "wait_restored": StepRules(reached=_not_ours, settle_seconds=_SHOWS_SECONDS, patient=True),
        },
        compensation=_compensation,
        restored=_not_ours,
        verified=_is_set,
        found=_found,
    ),
    statements=_statements,
    # One permission leads there and back: the preflight alone keeps an act from a protected bucket, and no act is kept
    # from restoring one.
    rights=Rights(rollback=frozenset({_PERMISSION})),
    at_owner=OwnerChange(patch=_patch),
    sample=ActSample(
        parameters={"abortUploadsAfterDays": 7},
        assumed={"lifecycle": "[]", "minimumSize": "", "owner": "111111111111"},
        left={"lifecycle": rules_text(with_rule([], 7))},
    ),
    undo=Undo(parameters=_undo_parameters, changed=_not_as_left),
    watch=_WATCH,
    brought_within=_APPLIED_WITHIN,
    shown_by=tuple(one.name for one in SIZES),
    # Parts of uploads are stored among the objects, in their class: no part of the cost is theirs alone.
    # The listing has the soonest rule for the whole bucket: ours, as the preflight refuses where another is sooner.
    shows=Shows(
        _APPLIED_WITHIN + max(one.shown_within for one in SIZES),
        moves=True,
        setting="aborts_uploads_days",
        parameter="abortUploadsAfterDays",
    ),
)
