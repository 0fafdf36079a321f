"""Makes checks of `spec.customChecks`, which the scan then runs like those of the release. Pure.

Called when a policy is read: by a scan, `finops policy validate` and `finops policy test`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from finops.crds.custom_check import CustomCheck
from finops.domain.canonical import Json
from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops.domain.utilization import MetricSummary
from finops.errors import InvalidInput
from finops_operator.plugins.action import Action
from finops_operator.plugins.check import Check, Facts, Parameters, Pictures, Settled
from finops_operator.plugins.kind import ResourceKind
from finops_operator.plugins.measured import window_fact
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.rules.known_ids import UNKNOWN_ID, nearest
from finops_operator.scan.custom.fields import Field, Unknown, fields_of, summary_of
from finops_operator.scan.custom.language import Condition, InvalidExpression, Language, NotJudged, Value

INSUFFICIENT: Final = "insufficient data: "
DOES_NOT_HOLD: Final = "the rule does not hold"
_SHOWN: Final = frozenset({"int", "double", "bool", "timestamp"})
"""Types whose values stand in the evidence; texts of AWS are untrusted and do not."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """What custom checks are judged against: the plug-ins of the release."""

    kinds: Mapping[str, ResourceKind[Any]]
    checks: Mapping[str, Check[Any]]
    actions: Mapping[str, Action]


def custom_checks(
    wanted: Sequence[CustomCheck], catalog: Catalog, resources: Collection[str] = ()
) -> dict[str, Check[Any]]:
    """Return id → check.

    Raises:
        InvalidInput: the first of `compiled_checks`.
    """
    made: dict[str, Check[Any]] = {}
    for one in compiled_checks(wanted, catalog, resources):
        if isinstance(one, InvalidInput):
            raise one
        made[one.id] = one
    return made


def compiled_checks(
    wanted: Sequence[CustomCheck], catalog: Catalog, resources: Collection[str] = ()
) -> Iterator[Check[Any] | InvalidInput]:
    """Yield for each one the check, or why it cannot be used.

    `resources` are the kinds that the policy scans, all when it names none: a check of another one is never asked.

    The error's `field` is `spec.customChecks[i].when` or another one of it; of a condition it says the line, the column
    and the reason.
    """
    languages: dict[str, Language] = {}
    for index, one in enumerate(wanted):
        where = f"spec.customChecks[{index}]"
        try:
            _require_known(one, catalog, where)
            _require_scanned(one, resources, where)
            fields = fields_of(catalog.kinds[one.kind])
            if one.kind not in languages:
                languages[one.kind] = Language({name: field.type for name, field in fields.items()})
            condition = languages[one.kind].compile(one.when)
        except InvalidExpression as error:
            yield InvalidInput(error.message, field=f"{where}.when", code="InvalidExpression", hint=error.hint)
        except InvalidInput as error:
            yield error
        else:
            yield _check(one, catalog, _rule(one, condition, [fields[name] for name in condition.names]))


def _require_scanned(one: CustomCheck, resources: Collection[str], where: str) -> None:
    """Raise InvalidInput when the policy does not scan the check's kind."""
    if resources and one.kind not in resources:
        raise InvalidInput(
            f"{one.kind} is not scanned by this policy",
            field=f"{where}.kind",
            code="KindNotScanned",
            hint=f"add {one.kind} to spec.resources, or remove the check",
        )


def _require_known(one: CustomCheck, catalog: Catalog, where: str) -> None:
    """Raise InvalidInput when a check has a taken id, an unknown kind, or an action that the kind lacks."""
    if one.id in catalog.checks:
        raise InvalidInput(
            f"{one.id} is a check of this release", field=f"{where}.id", code="DuplicateCheck", hint="choose another id"
        )
    if one.kind not in catalog.kinds:
        raise InvalidInput(
            f"there is no kind of resource {one.kind}",
            field=f"{where}.kind",
            code=UNKNOWN_ID,
            hint=nearest(one.kind, catalog.kinds),
        )
    if one.action is None:
        return
    usable = {action.id for action in catalog.actions.values() if one.kind in action.kinds and action.remaining_cost}
    if one.action not in usable:
        known = ", ".join(sorted(usable)) or "none; leave action out"
        raise InvalidInput(
            f"{one.action} is no action that a custom check of {one.kind} can recommend",
            field=f"{where}.action",
            code="UnusableAction",
            hint=f"possible: {known}",
        )


@dataclass(frozen=True, slots=True)
class _Rule:
    """A custom check with its compiled condition and what the condition names.

    Attributes:
        spec: what the policy says.
        condition: compiled.
        fields: what it names.
        shown: of them those whose values stand in the evidence.
        metrics: whose statistics it names.
        lines: of the evidence, the same for every resource.
    """

    spec: CustomCheck
    condition: Condition
    fields: tuple[Field, ...]
    shown: tuple[Field, ...]
    metrics: tuple[str, ...]
    lines: tuple[EvidenceFact, ...]

    def values(self, facts: Facts[Any]) -> tuple[dict[str, Value], list[str]]:
        """Return what is known of the names, and why the others are not."""
        values: dict[str, Value] = {}
        unknown: list[str] = []
        for field in self.fields:
            value = field.read(facts)
            if isinstance(value, Unknown):
                unknown.append(value.reason)
            else:
                values[field.name] = value
        return values, unknown


def _rule(one: CustomCheck, condition: Condition, fields: Sequence[Field]) -> _Rule:
    return _Rule(
        spec=one,
        condition=condition,
        fields=tuple(fields),
        shown=tuple(field for field in fields if field.type in _SHOWN),
        metrics=tuple(dict.fromkeys(field.metric for field in fields if field.metric)),
        lines=(EvidenceFact("Rule", one.when), EvidenceFact("Severity", one.severity.value)),
    )


def _check(one: CustomCheck, catalog: Catalog, rule: _Rule) -> Check[Any]:
    action = catalog.actions[one.action] if one.action else None

    def settled(pictures: Pictures[Any], _parameters: Parameters) -> Settled:
        """Decide by what is there already: conditions read no 5 minutes, so hours leave nothing open."""
        least, most = pictures.least.utilization.metrics, pictures.most.utilization.metrics
        # Between two ends that are one nothing is left open; of any others a condition may hold in between alone.
        known = all(name in least and least[name] is most.get(name) for name in rule.metrics)
        return Settled.BY_DAYS if known else Settled.OPEN

    def evaluate(facts: Facts[Any], _parameters: Parameters) -> Finding | NotRecommended:
        values, unknown = rule.values(facts)
        try:
            holds = rule.condition.holds(values)
        except NotJudged as error:
            why = "; ".join(dict.fromkeys(unknown)) or str(error)
            return NotRecommended(one.id, facts.resource.id, f"{INSUFFICIENT}{why}")
        if not holds:
            return NotRecommended(one.id, facts.resource.id, DOES_NOT_HOLD)
        if unknown:
            return NotRecommended(one.id, facts.resource.id, f"{INSUFFICIENT}{'; '.join(dict.fromkeys(unknown))}")
        return _finding(rule, action, facts, values)

    return Check(
        id=one.id,
        title=one.message,
        kinds=(one.kind,),
        documentation="",
        action_type=_action_type(catalog, action),
        effort=action.effort if action else Effort.LOW,
        saving_unknown=action.remaining_unknown if action else "",
        evaluate=evaluate,
        action=action.id if action else "",
        restart_needed=action.restart_needed if action else False,
        rollback_possible=action.rollback_possible if action else True,
        destructive=action.destructive if action else False,
        settled_by_days=settled,
    )


def _action_type(catalog: Catalog, action: Action | None) -> ActionType:
    """Return what the release's own checks call the act."""
    if action is None:
        return ActionType.REVIEW
    named = (check.action_type for check in catalog.checks.values() if check.action == action.id)
    return next(named, ActionType.REVIEW)


def _finding(rule: _Rule, action: Action | None, facts: Facts[Any], values: Mapping[str, Value]) -> Finding:
    seen = {field.name: _as_text(values[field.name]) for field in rule.shown}
    evidence: dict[str, Json] = {"rule": rule.spec.when, "severity": rule.spec.severity.value, **seen}
    lines = [*rule.lines, *(EvidenceFact(name, text) for name, text in seen.items())]
    summaries = [summary for metric in rule.metrics if (summary := summary_of(facts, metric)) is not None]
    if summaries:
        thinnest = min(summaries, key=_coverage) if len(summaries) > 1 else summaries[0]
        evidence |= coverage_evidence(thinnest)
        lines.append(window_fact(thinnest))
    remaining = action.remaining_cost(facts) if action and action.remaining_cost else None
    return Finding(
        check=rule.spec.id,
        action=action.id if action else "",
        parameters={},
        new_monthly_cost=remaining,
        # Where what remains is known, only a price of the resource is missing, which a next scan may know.
        saving_knowable=action is not None and action.saves and remaining is not None,
        evidence=evidence,
        summary=rule.spec.message,
        facts=tuple(lines),
    )


def _coverage(summary: MetricSummary) -> float:
    return summary.coverage_percent


def _as_text(value: Value) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float):
        return figure(value)
    return str(value).lower()
