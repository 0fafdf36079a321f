"""Who may use which account: turns AwsAccount objects into what the AWS side needs, or says why not.

Asked by the scan before the first request, and by the executor again before every act. No match means no: there is no
default grant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from finops.crds.aws_account import AwsAccount
from finops.crds.scan_policy import ScanPolicy
from finops.domain.resource import Gap
from finops.ports.aws_access import AccountAccess

_HOME: Final[Mapping[str, str]] = {
    "aws": "us-east-1",
    "aws-us-gov": "us-gov-west-1",
    "aws-cn": "cn-north-1",
    "aws-eusc": "eusc-de-east-1",
}

_ON_BY_DEFAULT: Final = frozenset(
    (
        *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1"),
        *("eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1", "eu-north-1"),
        *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2"),
    )
)
"""Regions of the partition `aws` that every account has (AWS Account Management, "Enable or disable AWS Regions"):
those from before 20 March 2019. In another one an account that has not enabled it cannot even be asked which it has."""
_BEGINNINGS: Final[Mapping[str, str]] = {"us-gov-": "aws-us-gov", "cn-": "aws-cn", "eusc-": "aws-eusc"}


@dataclass(frozen=True, slots=True)
class GrantedAccount:
    """An account that a policy may scan.

    Attributes:
        regions: the account's own regions; empty: all enabled ones.
    """

    access: AccountAccess
    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What else may say where an account is entered.

    Attributes:
        regions: those that a policy names, in its order; empty: it names none.
        own_region: that of the process's own configuration (`AWS_REGION`); empty: none.
    """

    regions: tuple[str, ...] = ()
    own_region: str = ""


def access_of(account: AwsAccount, asked: Asked = Asked()) -> AccountAccess:
    """Return the plain values of an account object."""
    spec = account.spec
    partition = spec.partition.value
    return AccountAccess(
        name=account.metadata.name,
        account_id=spec.account_id,
        scanner_role_arn=spec.scanner_role_arn or "",
        executor_role_arn=spec.executor_role_arn or "",
        external_id=spec.external_id or "",
        partition=partition,
        # An account that is confined to regions may not even reach STS elsewhere.
        home_region=spec.regions[0] if spec.regions else _HOME[partition],
        entry_region=_entry(spec.regions, partition, asked),
    )


def asked_by(policies: Iterable[ScanPolicy], account: str, own_region: str) -> Asked:
    """Return what says where an account is entered outside of a scan, as a scan of the first policy with regions would.

    Args:
        policies: all that are known, in their order.
        account: name of the AwsAccount.
        own_region: as in `Asked`.
    """
    named = (one.spec.regions for one in policies if any(each.name == account for each in one.spec.accounts))
    return Asked(next((tuple(regions) for regions in named if regions), ()), own_region)


def _entry(allowed: Sequence[str], partition: str, asked: Asked) -> str:
    """Return where to enter an account: the policy's first region, else the account's, else our own; empty: home.

    Only regions of its partition that the account allows, as an organization may have closed all others; and of those
    that others than the account's administrator name only ones that every account has, as a slip there would keep a
    scan from reading any region.
    """
    possible = (*asked.regions, *allowed, asked.own_region)
    fit = (one for one in possible if one and partition_of_region(one) == partition)
    open_ = (one for one in fit if one in allowed or (not allowed and _surely_there(one, partition)))
    return next(open_, "")


def _surely_there(region: str, partition: str) -> bool:
    return partition != "aws" or region in _ON_BY_DEFAULT


def partition_of_region(region: str) -> str:
    """Return the partition that a region's code names by its beginning; `aws` where it names none."""
    return next((name for beginning, name in _BEGINNINGS.items() if region.startswith(beginning)), "aws")


def accounts_by_id(policy: ScanPolicy, accounts: Iterable[AwsAccount]) -> dict[str, AwsAccount]:
    """Return those of `accounts` that the policy names, by AWS account id."""
    named = {reference.name for reference in policy.spec.accounts}
    return {one.spec.account_id: one for one in accounts if one.metadata.name in named}


def unknown_accounts(policy: ScanPolicy, accounts: Iterable[AwsAccount]) -> tuple[str, ...]:
    """Return the accounts that the policy names and that are not among `accounts`, sorted."""
    known = {one.metadata.name for one in accounts}
    return tuple(sorted({reference.name for reference in policy.spec.accounts} - known))


def revoked(account: AwsAccount, namespace: str, action: str) -> str:
    """Return in a sentence that an account does not grant an action to a namespace, empty when it does."""
    if action in (account.spec.actions_for(namespace) or ()):
        return ""
    return f"AwsAccount {account.metadata.name} no longer grants {action} to namespace {namespace}."


def granted_accounts(
    names: Sequence[str],
    accounts: Mapping[str, AwsAccount],
    namespace: str,
    asked: Asked = Asked(),
) -> tuple[tuple[GrantedAccount, ...], tuple[Gap, ...]]:
    """Return the accounts of a policy in `namespace` that it may scan, and a Gap for every other one.

    A Gap here carries the object's name as its account, because the identity was never asked.
    """
    granted: dict[str, GrantedAccount] = {}
    gaps: list[Gap] = []
    for name in names:
        account = accounts.get(name)
        if account is None:
            gaps.append(_gap(name, "AccountNotFound", f"there is no AwsAccount named {name}"))
        elif account.spec.actions_for(namespace) is None:
            message = (
                f"AwsAccount {name} does not list namespace {namespace} in spec.allow; an administrator can add it"
            )
            gaps.append(_gap(name, "AccountNotGranted", message))
        elif account.spec.account_id in granted:
            other = granted[account.spec.account_id].access.name
            message = f"AwsAccount {name} is the same account as {other}; it would be counted twice"
            gaps.append(_gap(name, "AccountTwice", message))
        else:
            granted[account.spec.account_id] = GrantedAccount(access_of(account, asked), tuple(account.spec.regions))
    return tuple(granted.values()), tuple(gaps)


def _gap(name: str, code: str, message: str) -> Gap:
    return Gap(name, "", "finops", "Grant", code, message)
