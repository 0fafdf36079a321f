"""Accounts: granted by name of the namespace or not at all, and each account once."""

from __future__ import annotations

from typing import Any

from finops.crds.aws_account import AwsAccount
from finops.crds.part import API_VERSION
from finops_operator.rules.access import access_of, granted_accounts


def account(name: str, account_id: str = "111111111111", **spec: Any) -> AwsAccount:
    return AwsAccount.from_object(
        {
            "apiVersion": API_VERSION,
            "kind": "AwsAccount",
            "metadata": {"name": name},
            "spec": {"accountId": account_id, "allow": [{"namespaces": ["team-a"]}], **spec},
        }
    )


def test_only_accounts_that_name_the_namespace_are_granted() -> None:
    accounts = {
        "open": account("open"),
        "other": account("other", "222222222222", allow=[{"namespaces": ["team-b"]}]),
        "closed": account("closed", "333333333333", allow=[]),
    }
    granted, gaps = granted_accounts(["open", "other", "closed", "missing"], accounts, "team-a")
    assert [one.access.name for one in granted] == ["open"]
    assert [(gap.account, gap.code) for gap in gaps] == [
        ("other", "AccountNotGranted"),
        ("closed", "AccountNotGranted"),
        ("missing", "AccountNotFound"),
    ]


def test_a_namespace_that_is_merely_similar_is_not_granted() -> None:
    granted, gaps = granted_accounts(["open"], {"open": account("open")}, "team-a2")
    assert granted == ()
    assert len(gaps) == 1


def test_the_same_account_under_two_names_is_used_once() -> None:
    accounts = {"one": account("one"), "two": account("two")}
    granted, gaps = granted_accounts(["one", "two"], accounts, "team-a")
    assert [one.access.name for one in granted] == ["one"]
    assert [gap.code for gap in gaps] == ["AccountTwice"]


def test_home_is_where_the_account_may_be_entered() -> None:
    assert access_of(account("a")).home_region == "us-east-1"
    assert access_of(account("a", regions=["eu-central-1"])).home_region == "eu-central-1"
    assert access_of(account("a", partition="aws-us-gov")).home_region == "us-gov-west-1"
