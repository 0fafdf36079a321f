"""Whether AWS's price list is asked, whether the role that asks may, and whether it answers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from finops.crds.aws_account import AwsAccount
from finops.crds.scan_policy import ScanPolicy
from finops.domain.price import Price, PriceQuery
from finops.ports.aws_access import AccountAccess
from finops.ports.aws_read import PageReader
from finops.ports.clock import Clock
from finops_operator.aws.own_identity import region_of
from finops_operator.cli.asked_prices import price_list_by
from finops_operator.cli.diagnosis.result import Result, Results, Verdict, ok
from finops_operator.plugins.kind import ResourceKind
from finops_operator.pricing.offers import all_offers
from finops_operator.pricing.price_list import PARTITION, PERMISSION
from finops_operator.rules.access import Asked, granted_accounts

_PART: Final = "prices"
_CHECK: Final = "price-list"
_REGION: Final = "us-east-1"
_DENIED: Final = f"allow {PERMISSION} to the scanner role, as `finops iam-policy --price-list` prints it"
_NO_ANSWER: Final = (
    "scans go on with the bundled tables; the price list needs a way to api.pricing.us-east-1.amazonaws.com"
)
_ON: Final = "spec.pricing.priceList: true of a ScanPolicy asks it first"

Kinds = Mapping[str, ResourceKind[Any]]
ReaderOf = Callable[[AccountAccess], PageReader]


def diagnose_price_list(
    policies: Iterable[ScanPolicy] | None,
    accounts: Mapping[str, AwsAccount],
    kinds: Kinds,
    reader_of: ReaderOf,
    clock: Clock,
) -> Results:
    """Yield whether a policy wants the price list, and for each account that is asked for one whether AWS answers.

    The account is the one that a scan takes: the first of partition `aws` that the policy names and may scan. Where no
    policy wants the list, nothing is asked and no right is missing; `policies` is None where they could not be read.
    """
    if policies is None:
        why = "ScanPolicies could not be read, so it is not known whether one asks it"
        yield Result(_PART, _CHECK, Verdict.UNKNOWN, why, "give the right to list scanpolicies, or name the cluster")
        return
    wanting = [policy for policy in policies if policy.spec.pricing.price_list]
    if not wanting:
        yield Result(_PART, _CHECK, Verdict.OK, "off: no ScanPolicy that was found asks it", _ON)
        return
    asking: dict[str, AccountAccess] = {}
    for policy in wanting:
        name = f"{policy.metadata.namespace or 'default'}/{policy.metadata.name}"
        access = _who_asks(policy, accounts)
        if access is None:
            # Who may not see accounts cannot say that none would do.
            verdict = Verdict.WARNING if accounts else Verdict.UNKNOWN
            hint = f"name an account of partition {PARTITION} that grants the policy's namespace"
            yield Result(_PART, f"{_CHECK} of {name}", verdict, "on, but no account was found that can ask it", hint)
            continue
        yield ok(_PART, f"{_CHECK} of {name}", f"on: AwsAccount {access.name} asks it")
        asking[access.name] = access
    for access in asking.values():
        yield _answered(access, kinds, reader_of, clock)


def _who_asks(policy: ScanPolicy, accounts: Mapping[str, AwsAccount]) -> AccountAccess | None:
    names = [reference.name for reference in policy.spec.accounts]
    asked = Asked(tuple(policy.spec.regions), region_of(os.environ))
    granted, _ = granted_accounts(names, accounts, policy.metadata.namespace or "default", asked)
    return next((one.access for one in granted if one.access.partition == PARTITION), None)


def _answered(access: AccountAccess, kinds: Kinds, reader_of: ReaderOf, clock: Clock) -> Result:
    """Ask for one figure, as a scan does."""
    part = f"aws {access.name}"
    offers = all_offers(kinds.values())
    service, dimension = min(offers)
    query = PriceQuery(service, _REGION, dimension, offers[service, dimension].attributes)
    prices = price_list_by(reader_of(access), kinds, clock)
    answer = prices.answer(query)
    if answer is None:
        seen = "; ".join(gap.message for gap in prices.gaps)
        denied = f"allow {PERMISSION}" in seen
        hint = _DENIED if denied else _NO_ANSWER
        return Result(part, PERMISSION, Verdict.FAILED, seen, hint)
    figure = f"{service}/{dimension} in {_REGION}"
    if isinstance(answer, Price):
        said = f"{figure} is {answer.amount:f} {answer.currency} per {answer.unit}, {answer.sku}"
        return ok(part, PERMISSION, f"allowed to the scanner role; {said}")
    return Result(part, PERMISSION, Verdict.WARNING, f"allowed to the scanner role; {figure}: {answer.why}")
