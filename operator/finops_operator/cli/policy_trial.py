"""`finops policy test`: what a policy would say of stored data or of a report, beside the advice that stands."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from finops.crds.aws_account import AwsAccount
from finops.crds.scan_policy import ScanPolicy
from finops.domain.quantity import counted
from finops.domain.report import Change
from finops.errors import InvalidInput
from finops.ports.clock import Clock
from finops.store.recommendations import RecommendationStore, recommendation_to_json
from finops_operator.cli.listings import SAVES, what_of
from finops_operator.cli.output import Column, Format, Record, emit, field, money_field, note
from finops_operator.cli.report_file import read_report
from finops_operator.cli.store_access import store_to_read
from finops_operator.cli.stored_gaps import chosen_policies
from finops_operator.cli.tables import Fit
from finops_operator.plugins.loaded import Plugins
from finops_operator.rules.access import unknown_accounts
from finops_operator.scan.policy_rules import policy_rules
from finops_operator.scan.trial import Compared, Trial, compare, try_policy
from finops_operator.scan.trial import try_on_store as trial_on_store
from finops_operator.scan.what_if import all_accounts_judged

_COLUMNS: Final = (
    field("change"),
    SAVES,
    Column(
        "what",
        lambda record: what_of(
            record["action"], record["actionType"], record["parameters"], record.get("target") or ""
        ),
    ),
    field("resource", path="resource.id"),
    field("check", fit=Fit.CUT),
    money_field("monthlySavingsBefore", wide=True),
    field("counted", wide=True),
    field("account", path="resource.account", wide=True),
    field("region", path="resource.region", wide=True),
    field("summary", wide=True),
)


def try_on_report(
    policy: ScanPolicy, accounts: Mapping[str, AwsAccount], loaded: Plugins, path: str
) -> tuple[Trial, list[Compared]]:
    """Return what the policy's own checks say of a report, and how that differs from what it holds of such checks.

    The checks of the release need figures that a report does not hold, so they do not run.

    Raises:
        InvalidInput: the policy has no check of its own, or the file is no report.
    """
    own = {one.id for one in policy.spec.custom_checks}
    if not own:
        raise InvalidInput(
            "has no customChecks, and only those can be tried on a report",
            field="spec.customChecks",
            hint="leave out --report to try the whole policy on stored data",
        )
    report = read_report(path)
    rules = policy_rules(policy, accounts, loaded, report.completed)
    enabled = [item for item in rules.enabled if item.check.id in own]
    trial = try_policy(rules, enabled, report.resources)
    _note_unknown(policy, accounts)
    stands = [one for one in report.recommendations if one.check not in loaded.checks]
    note(f"tried {counted(len(own), 'check')} of the policy's own on the report of {report.policy}")
    note(
        "a report does not hold what AWS offers in which zone, quotas, alarms, hours one by one or commitments: the "
        "checks of the release need them and were not tried"
    )
    return trial, compare(trial.recommendations, stands, whole=False)


def try_on_store(
    policy: ScanPolicy,
    accounts: Mapping[str, AwsAccount],
    loaded: Plugins,
    clock: Clock,
    *,
    redis: str,
    against: str,
) -> tuple[Trial, list[Compared]]:
    """Return what the policy says of the data of a stored scan, and how that differs from the scan's own advice.

    Args:
        policy: of the file.
        accounts: the AwsAccount objects of the file by name.
        loaded: the plug-ins.
        clock: the time of judging.
        redis: address of the store, empty for the usual one.
        against: NAMESPACE/NAME of the policy whose scan is meant, empty for the one of the same name.

    Raises:
        InvalidInput: no scan of that policy is stored; a check of the policy is wrong.
        StoreUnavailable: the store does not answer.
    """
    tried = (policy.metadata.namespace or "default", policy.metadata.name)
    with store_to_read(redis) as store:
        (live,) = chosen_policies(RecommendationStore(store), against or "/".join(tried))
        trial, compared = trial_on_store(policy, accounts, loaded, store, clock, live)
    _note_unknown(policy, accounts)
    note(f"tried {'/'.join(tried)} on the data of the last scan of {'/'.join(live)}")
    return trial, compared


def _note_unknown(policy: ScanPolicy, accounts: Mapping[str, AwsAccount]) -> None:
    if unknown := unknown_accounts(policy, accounts.values()):
        note(f"{all_accounts_judged(unknown)} Name the file that has it.")


def print_trial(trial: Trial, compared: Iterable[Compared], output: Format, *, only_changes: bool) -> None:
    """Print the comparison, and on stderr the counts and what could not be decided."""
    every = list(compared)
    shown = [one for one in every if not only_changes or one.change is not Change.SAME]
    emit((_record(one) for one in shown), _COLUMNS, output)
    counts = Counter(one.change for one in every)
    if output in {Format.TABLE, Format.WIDE}:
        said = [change for change in Change if change is not Change.UNDECIDED or counts[change]]
        parts = [f"{counts[change]} {change.value.lower()}" for change in said]
        sys.stdout.write(f"{' · '.join(parts)} in {counted(trial.resources, 'resource')}\n")
    for check, resources in sorted(trial.undecided.items()):
        note(f"{check}: insufficient data about {counted(resources, 'resource')}")
    for name, resources in sorted(trial.lacking.items()):
        note(f"not available for {counted(resources, 'resource')}: {name.replace('-', ' ')}; a scan would ask AWS")


def _record(one: Compared) -> Record:
    before = one.before.monthly_savings if one.before is not None else None
    return {
        "change": one.change.value,
        **recommendation_to_json(one.shown),
        "monthlySavingsBefore": None if before is None else f"{before:f}",
    }
