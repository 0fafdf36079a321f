"""Accounts: granted by name of the namespace or not at all, and each account once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from finops.crds.aws_account import AwsAccount
from finops.crds.part import API_VERSION
from finops.crds.scan_policy import ScanPolicy
from finops_operator.rules.access import Asked, access_of, asked_by, granted_accounts


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
    assert access_of(account("a", partition="aws-eusc")).home_region == "eusc-de-east-1"


def test_the_role_of_an_account_in_the_sovereign_cloud_is_taken() -> None:
    role = "arn:aws-eusc:iam::111111111111:role/finops-scanner"
    access = access_of(account("a", partition="aws-eusc", regions=["eusc-de-east-1"], scannerRoleArn=role))
    assert (access.partition, access.scanner_role_arn) == ("aws-eusc", role)


@pytest.mark.parametrize(
    ("spec", "asked", "entered"),
    [
        ({}, Asked(("eu-west-1", "us-east-1"), "ap-south-1"), "eu-west-1"),
        ({"regions": ["eu-central-1", "eu-west-1"]}, Asked(("us-east-1", "eu-west-1")), "eu-west-1"),
        ({"regions": ["eu-central-1"]}, Asked(("us-east-1",), "us-east-1"), "eu-central-1"),
        ({}, Asked((), "ap-south-1"), "ap-south-1"),
        ({"partition": "aws-cn"}, Asked((), "eu-west-1"), "cn-north-1"),
        ({"partition": "aws-eusc"}, Asked(("eusc-de-east-1",), "eu-west-1"), "eusc-de-east-1"),
        ({}, Asked((), "us-gov-west-1"), "us-east-1"),
        ({}, Asked(("us-east-9", "ap-east-1", "eu-west-1"), "me-south-1"), "eu-west-1"),
        ({}, Asked(("ap-east-1",), "me-south-1"), "us-east-1"),
        ({"regions": ["eu-west-1", "ap-east-1"]}, Asked(("ap-east-1",)), "ap-east-1"),
        ({}, Asked(), "us-east-1"),
    ],
)
def test_an_account_is_entered_in_the_policys_first_region_else_in_our_own_else_where_its_partition_begins(
    spec: dict[str, Any], asked: Asked, entered: str
) -> None:
    granted, _ = granted_accounts(["a"], {"a": account("a", **spec)}, "team-a", asked)
    assert granted[0].access.entry == entered


def scans(name: str, *accounts: str, regions: Sequence[str] = ()) -> ScanPolicy:
    return ScanPolicy.from_object(
        {
            "apiVersion": API_VERSION,
            "kind": "ScanPolicy",
            "metadata": {"name": name, "namespace": "team-a"},
            "spec": {
                "schedule": "0 6 * * *",
                "accounts": [{"name": one} for one in accounts],
                "regions": list(regions),
            },
        }
    )


def test_who_asks_without_a_scan_enters_an_account_where_the_first_policy_with_regions_for_it_would() -> None:
    policies = [
        scans("other", "b", regions=["eu-north-1"]),
        scans("all", "a"),
        scans("named", "a", "b", regions=["eu-west-1", "us-east-1"]),
        scans("later", "a", regions=["eu-central-1"]),
    ]
    assert asked_by(policies, "a", "ap-south-1") == Asked(("eu-west-1", "us-east-1"), "ap-south-1")
    assert access_of(account("a"), asked_by(policies, "a", "ap-south-1")).entry == "eu-west-1"
    assert asked_by(policies, "c", "ap-south-1") == Asked((), "ap-south-1")


def test_what_an_account_has_once_is_filed_in_one_region_whichever_policy_asks() -> None:
    homes = {
        granted_accounts(["a"], {"a": account("a")}, "team-a", asked)[0][0].access.home_region
        for asked in (Asked(("eu-west-1",)), Asked(("us-west-2",), "ap-south-1"), Asked())
    }
    assert homes == {"us-east-1"}
