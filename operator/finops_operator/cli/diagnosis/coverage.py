"""Whether Cost Explorer is asked for the coverage by commitments, and what it answered; sends nothing itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from finops.crds.aws_account import AwsAccount
from finops.crds.scan_policy import ScanPolicy
from finops.domain.coverage import Coverage
from finops.errors import FinopsError
from finops.settings import Settings
from finops.store.connection import open_store
from finops.store.coverage import CoverageStore
from finops_operator.cli.diagnosis.result import Result, Results, Verdict, failed, ok
from finops_operator.rules.access import granted_accounts
from finops_operator.scan.coverage import PARTITIONS, PERMISSIONS

_PART: Final = "commitments"
_CHECK: Final = "coverage"
_ON: Final = "spec.pricing.commitmentCoverage: true of a ScanPolicy asks once a day; $0.02 a day and account"
_ALLOW: Final = "grant what `finops iam-policy --commitment-coverage` prints; scans ask again tomorrow"
_NOT_THERE: Final = "Cost Explorer has no bills of this partition"


def diagnose_coverage(
    policies: Iterable[ScanPolicy] | None, accounts: Mapping[str, AwsAccount], settings: Settings
) -> Results:
    """Yield whether a policy wants the coverage, and for each account of one what the last scan was answered.

    `policies` is None where they could not be read.
    """
    if policies is None:
        why = "ScanPolicies could not be read, so it is not known whether one asks for it"
        yield Result(_PART, _CHECK, Verdict.UNKNOWN, why, "give the right to list scanpolicies, or name the cluster")
        return
    wanting = [policy for policy in policies if policy.spec.pricing.commitment_coverage]
    if not wanting:
        yield Result(_PART, _CHECK, Verdict.OK, "off: no ScanPolicy that was found asks for it", _ON)
        return
    meant = {}
    for policy in wanting:
        names = [reference.name for reference in policy.spec.accounts]
        granted, _ = granted_accounts(names, accounts, policy.metadata.namespace or "default")
        meant.update({one.access.account_id: one.access for one in granted})
    able = [number for number, access in meant.items() if access.partition in PARTITIONS]
    for number in sorted(meant.keys() - able):
        yield Result(_PART, f"{_CHECK} of {number}", Verdict.UNKNOWN, _NOT_THERE)
    if not meant:
        yield Result(_PART, _CHECK, Verdict.UNKNOWN, "on, but no account was found that a policy may scan")
    if able:
        yield from _kept(able, settings)


def _kept(accounts: Iterable[str], settings: Settings) -> Results:
    if not settings.redis_url:
        yield Result(_PART, _CHECK, Verdict.UNKNOWN, "on; what was answered stands in the store, and none is named")
        return
    store = open_store(settings.redis_url, prefix=settings.redis_prefix, timeout_seconds=3)
    try:
        for number in accounts:
            yield from answered(number, CoverageStore(store).get(number))
    except FinopsError as error:
        yield failed(_PART, _CHECK, error)
    finally:
        store.client.close()


def answered(account: str, found: Coverage | None) -> Results:
    """Yield what was answered about one account: the shares, and a failure for each question without an answer."""
    part = f"{_CHECK} of {account}"
    if found is None:
        yield Result(_PART, part, Verdict.UNKNOWN, "on; no scan has asked yet, or its answer is older than a week")
        return
    if found.reserved is not None or found.planned is not None:
        yield ok(_PART, part, found.in_words())
    for gap in found.gaps:
        right = f"{gap.service}:{gap.operation}"
        hint = _ALLOW if right in PERMISSIONS and f"allow {right}" in gap.message else ""
        yield Result(_PART, part, Verdict.FAILED if hint else Verdict.WARNING, gap.message, hint)
