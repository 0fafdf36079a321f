"""What a person in the dashboard is shown of a trial: what differs, what it saves, and what only a scan can show. Pure.

`finops policy test` shows the same comparison line by line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from finops.crds.aws_account import AwsAccount
from finops.crds.scan_policy import ScanPolicy, ScanPolicySpec
from finops.domain.quantity import counted
from finops.domain.recommendation import BlockCode, Recommendation, Status
from finops.domain.report import Change, Savings
from finops.errors import InvalidInput
from finops.store.recommendations import PolicyHead
from finops.store.what_if import KnownCheck, Line, Outcome, Side
from finops_operator.plugins.check import Check
from finops_operator.rules.access import unknown_accounts
from finops_operator.scan.check import CheckSetting, EnabledCheck, enabled_checks
from finops_operator.scan.policy_rules import Offered
from finops_operator.scan.trial import Compared, Trial

MOST_LINES: Final = 200
MOST_GAPS: Final = 50
MOST_NAMED: Final = 5


def outcome_of(head: PolicyHead, trial: Trial, compared: Sequence[Compared], needs_scan: Iterable[str]) -> Outcome:
    """Return what a trial on the data of the scan `head` shows."""
    differing = [one for one in compared if one.change is not Change.SAME]
    now, before = Savings(), Savings()
    for one in compared:
        now, before = _with(now, _now(one), one.now or one.before), _with(before, _side(one.before), one.before)
    gaps = head.summary.gaps
    return Outcome(
        scanned=head.summary.completion_time,
        resources=trial.resources,
        counts=Counter(one.change.value for one in compared),
        now=now,
        before=before,
        lines=tuple(map(_line, differing[:MOST_LINES])),
        left_out=max(0, len(differing) - MOST_LINES),
        unknown=head.summary.unknown_resources,
        undecided=trial.undecided,
        gaps=gaps[:MOST_GAPS],
        more_gaps=max(0, len(gaps) - MOST_GAPS),
        needs_scan=(*needs_scan, *_lacking(trial)),
    )


def needs_scan(
    tried: ScanPolicy, live: ScanPolicy, head: PolicyHead, offered: Offered, accounts: Iterable[AwsAccount]
) -> Iterator[str]:
    """Yield in sentences what of the spec `tried` the data of a scan by `live` cannot show.

    `accounts` are those of the cluster.
    """
    asked, had = tried.spec, live.spec
    yield from _wider(tried, live)
    if unknown := unknown_accounts(tried, accounts):
        yield all_accounts_judged(unknown)
    missing = sorted(set(asked.resources or offered.kinds) - {shard.kind for shard, _ in head.shards})
    if missing and set(asked.resources) != set(had.resources):
        yield f"The last scan found nothing of {_named(missing)}, or did not read it."
    if asked.metrics.lookback_days != had.metrics.lookback_days:
        days = f"{had.metrics.lookback_days} days, not {asked.metrics.lookback_days}"
        yield f"Metrics are those of the last scan, of {days}."
    if asked.pricing.price_list and not had.pricing.price_list:
        yield "AWS's price list was not asked by the last scan; prices are those of the release."
    before = _windows(had, offered.checks)
    for check, window in _windows(asked, offered.checks).items():
        if window > before.get(check, window):
            yield f"{check} asks for metrics of {counted(window, 'day')}; the last scan read fewer."


def all_accounts_judged(unknown: Sequence[str]) -> str:
    """Return in a sentence that accounts narrow nothing, because some that the policy names are `unknown`."""
    return f"AwsAccount {_named(unknown)} is not known, so resources of all accounts of the last scan are judged."


def _wider(tried: ScanPolicy, live: ScanPolicy) -> Iterator[str]:
    """Yield which accounts and regions `tried` reads and a scan by `live` did not; fewer of them are judged as such."""
    asked, had = tried.spec, live.spec
    accounts = sorted({one.name for one in asked.accounts} - {one.name for one in had.accounts})
    if accounts:
        yield f"The last scan did not read {_named(accounts)}, which the spec adds to the accounts."
    if had.regions and not asked.regions:
        yield f"The spec names no regions and so reads each one; the last scan read {_named(sorted(had.regions))}."
    regions = sorted(set(asked.regions) - set(had.regions)) if had.regions else []
    if regions:
        yield f"The last scan did not read {_named(regions)}, which the spec adds to the regions."


def known_checks(checks: Mapping[str, Check[Any]]) -> tuple[KnownCheck, ...]:
    """Return the checks with what a policy may set of each, in the order of their ids."""
    return tuple(KnownCheck(one.id, one.title, one.kinds, one.parameters) for _, one in sorted(checks.items()))


def _named(items: Sequence[str]) -> str:
    """Return the first items, and how many more there are."""
    more = f" and {len(items) - MOST_NAMED} more" if len(items) > MOST_NAMED else ""
    return f"{', '.join(items[:MOST_NAMED])}{more}"


def _lacking(trial: Trial) -> Iterator[str]:
    for name, resources in sorted(trial.lacking.items()):
        yield f"Not available for {counted(resources, 'resource')}: {name.replace('-', ' ')}; a scan would ask AWS."


def _windows(spec: ScanPolicySpec, checks: Mapping[str, Check[Any]]) -> dict[str, int]:
    """Return check → days of metrics that it asks for; empty where the settings are none."""
    settings = [CheckSetting(one.id, one.enabled, one.parameters) for one in spec.checks]
    try:
        enabled: Sequence[EnabledCheck] = enabled_checks(checks, settings)
    except InvalidInput:
        return {}
    windows = ((one.check.id, one.check.window_parameter, one.parameters) for one in enabled)
    return {check: int(parameters[name]) for check, name, parameters in windows if name}


def _with(savings: Savings, side: Side | None, one: Recommendation | None) -> Savings:
    if side is None or one is None or not side.counted:
        return savings
    return savings.plus(side.status, side.saving, once=bool(one.lasts_days))


def _now(one: Compared) -> Side | None:
    """Return the side of the spec that is asked about, blocked where AWS's answer to a scan blocks the same act.

    What could not be decided stands as it did.
    """
    if one.change is Change.UNDECIDED:
        return _side(one.before)
    side = _side(one.now)
    if side is None or one.before is None or side.status is not Status.ACTIONABLE:
        return side
    refused = any(block.code.startswith(BlockCode.REFUSED_BY_PREFLIGHT) for block in one.before.blocked_by)
    return Side(side.saving, Status.BLOCKED, side.counted) if refused else side


def _side(one: Recommendation | None) -> Side | None:
    return None if one is None else Side(one.monthly_savings, one.status, one.counted)


def _line(one: Compared) -> Line:
    shown = one.shown
    ref = shown.resource
    return Line(
        change=one.change.value,
        check=shown.check,
        action=shown.action,
        aim=shown.target or next((value for value in shown.parameters.values() if isinstance(value, str)), ""),
        summary=shown.summary,
        kind=ref.kind,
        resource=ref.id,
        name=ref.name,
        account=ref.account,
        region=ref.region,
        now=_now(one),
        before=_side(one.before),
        once=bool(shown.lasts_days),
    )
