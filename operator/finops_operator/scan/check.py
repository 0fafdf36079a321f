"""Run the checks of a policy over one resource. Pure; called for every resource of a scan.

Also answers what the measure stage must know beforehand: how many days of metrics the checks need, and which resources
deserve the 5-minute picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from math import ceil
from typing import Any

from finops.domain.recommendation import EvidenceFact, Finding, NotRecommended
from finops.domain.utilization import HoursRan
from finops.errors import InvalidInput
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec, Pictures, Settled
from finops_operator.rules.known_ids import nearest


@dataclass(frozen=True, slots=True)
class CheckSetting:
    """One item of `spec.checks`: what differs from the default. Values are numbers or their text."""

    id: str
    enabled: bool = True
    parameters: Mapping[str, int | float | str | Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EnabledCheck:
    """A check with all of its parameters set."""

    check: Check[Any]
    parameters: Parameters


def enabled_checks(checks: Mapping[str, Check[Any]], settings: Sequence[CheckSetting]) -> tuple[EnabledCheck, ...]:
    """Return every check that `settings` does not switch off, with defaults filled in, in order of the ids.

    Raises:
        InvalidInput: an unknown or repeated id, an unknown parameter, a value that is no number or out of its range;
            `field` is `spec.checks[i].id` or `spec.checks[i].parameters.NAME`.
    """
    for problem in setting_problems(checks, settings):
        raise problem
    chosen = {setting.id: setting for setting in settings}
    enabled = []
    for name in sorted(checks):
        setting = chosen.get(name, CheckSetting(name))
        if setting.enabled:
            defaults = {spec.name: spec.default for spec in checks[name].parameters}
            given = {parameter: Decimal(str(raw)) for parameter, raw in setting.parameters.items()}
            enabled.append(EnabledCheck(checks[name], {**defaults, **given}))
    return tuple(enabled)


def setting_problems(checks: Mapping[str, Check[Any]], settings: Sequence[CheckSetting]) -> Iterator[InvalidInput]:
    """Yield everything that is wrong with `settings`, in their order: what `enabled_checks` raises the first of."""
    seen: set[str] = set()
    for index, setting in enumerate(settings):
        where = f"spec.checks[{index}]"
        if setting.id not in checks:
            yield InvalidInput(
                f"there is no check {setting.id!r}",
                field=f"{where}.id",
                code="UnknownCheck",
                hint=nearest(setting.id, checks),
            )
            continue
        if setting.id in seen:
            yield InvalidInput(f"{setting.id} is listed twice", field=f"{where}.id", code="DuplicateCheck")
        seen.add(setting.id)
        yield from _parameter_problems(checks[setting.id], setting, where)


def evaluate(enabled: Iterable[EnabledCheck], facts: Facts[Any]) -> tuple[Finding | NotRecommended, ...]:
    """Return the verdict of every check for the kind of `facts.resource`, in order of the ids."""
    verdicts = (
        item.check.evaluate(facts, item.parameters) for item in enabled if facts.resource.kind in item.check.kinds
    )
    return tuple(_with_hours_ran(one, facts.utilization.ran) if isinstance(one, Finding) else one for one in verdicts)


def _with_hours_ran(found: Finding, ran: HoursRan | None) -> Finding:
    """Return a finding that says by which hours its resource is billed, where these are not all of them."""
    if ran is None:
        return found
    said = f"{ran.share * 100:.1f} % of the last {ran.days:.0f} days, billed by them"
    return replace(found, facts=(*found.facts, EvidenceFact("Hours it ran", said)))


def wants_fine(enabled: Iterable[EnabledCheck], facts: Facts[Any]) -> bool:
    """Judge from the hourly picture in `facts` whether a check could use the 5-minute one."""
    return any(
        item.check.wants_fine(facts, item.parameters) for item in enabled if facts.resource.kind in item.check.kinds
    )


def settled_by_days(enabled: Iterable[EnabledCheck], pictures: Pictures[Any]) -> Settled:
    """Judge from the days whether a check for the kind could use a finer picture: one that could leaves all open."""
    found = Settled.BY_DAYS
    for item in enabled:
        if pictures.days.resource.kind in item.check.kinds:
            one = item.check.settled_by_days(pictures, item.parameters)
            if one is Settled.OPEN:
                return one
            if one is Settled.BY_BOUNDS:
                found = one
    return found


def keep_targets(enabled: Iterable[EnabledCheck], kind: str) -> list[str]:
    """Return the ids of the checks of `kind` that are given the target of their last advice."""
    return [item.check.id for item in enabled if item.check.keeps_target and kind in item.check.kinds]


def required_window_days(enabled: Iterable[EnabledCheck], kind: str, lookback_days: int) -> int:
    """Return how many days of metrics of `kind` to ask for: the policy's lookback, or more where a check needs it."""
    needed = [lookback_days]
    for item in enabled:
        if item.check.window_parameter and kind in item.check.kinds:
            needed.append(ceil(item.parameters[item.check.window_parameter]))
    return max(needed)


def _parameter_problems(check: Check[Any], setting: CheckSetting, where: str) -> Iterator[InvalidInput]:
    specs = {spec.name: spec for spec in check.parameters}
    for name, raw in setting.parameters.items():
        path = f"{where}.parameters.{name}"
        if name not in specs:
            known = ", ".join(sorted(specs)) or "none"
            yield InvalidInput(
                f"{check.id} has no parameter {name!r}", field=path, code="UnknownParameter", hint=f"known: {known}"
            )
        else:
            yield from _value_problems(specs[name], raw, path)


def _value_problems(spec: ParameterSpec, raw: float | str | Decimal, path: str) -> Iterator[InvalidInput]:
    allowed = f"allowed: {spec.minimum} to {spec.maximum} {spec.unit}"
    try:
        value = Decimal(str(raw))  # the text of a bool is no number either
    except InvalidOperation:
        yield InvalidInput(f"{raw!r} is not a number", field=path, code="InvalidParameter", hint=allowed)
        return
    if not value.is_finite() or not spec.minimum <= value <= spec.maximum:
        yield InvalidInput(f"{raw} is out of range", field=path, code="ParameterOutOfRange", hint=allowed)
