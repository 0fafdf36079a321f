"""What a scan could not list stays covered by the policy that names it; what it does not name, or never saw, is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from finops.domain.resource import Gap, Shard
from finops_operator.scan.unlisted import Wanted, unlisted

NEAR, FAR = Shard("1", "eu-central-1", "ec2-instance"), Shard("1", "eu-west-1", "ec2-instance")
GLOBAL = Shard("1", "us-east-1", "s3-bucket")
BEFORE = (NEAR, FAR, GLOBAL)
KINDS = {"ec2-instance": False, "s3-bucket": True}


def gap(region: str, account: str = "1") -> Gap:
    return Gap(account, region, "ec2", "DescribeInstances", "AccessDenied", "denied")


def wanted(*planned: Shard, accounts: Mapping[str, Sequence[str]] | None = None) -> Wanted:
    return Wanted({"1": ()} if accounts is None else accounts, KINDS, frozenset(planned))


def test_what_was_to_be_listed_and_was_not_is_still_covered() -> None:
    assert unlisted(wanted(*BEFORE), BEFORE, (NEAR, GLOBAL), [gap("eu-west-1")]) == (FAR,)


def test_what_no_scan_of_the_policy_has_listed_is_not() -> None:
    assert unlisted(wanted(*BEFORE), (NEAR,), (NEAR,), [gap("eu-west-1")]) == ()


def test_a_region_that_could_not_be_planned_is_still_covered_while_it_has_a_gap() -> None:
    assert unlisted(wanted(NEAR, GLOBAL), BEFORE, (NEAR, GLOBAL), [gap("eu-west-1")]) == (FAR,)
    assert unlisted(wanted(NEAR, GLOBAL), BEFORE, (NEAR, GLOBAL), [gap("eu-north-1"), gap("")]) == ()


@pytest.mark.parametrize(
    ("accounts", "left"),
    [
        ({"1": ()}, BEFORE),
        ({"1": ("eu-west-1",)}, (FAR, GLOBAL)),
        ({}, ()),
    ],
)
def test_of_an_account_that_could_not_be_entered_all_that_the_policy_names_is_still_covered(
    accounts: Mapping[str, Sequence[str]], left: tuple[Shard, ...]
) -> None:
    assert unlisted(wanted(accounts=accounts), BEFORE, (), [gap("")]) == left


def test_a_kind_that_the_policy_does_not_name_any_more_is_not() -> None:
    other = Shard("1", "eu-west-1", "rds-instance")

    assert unlisted(wanted(NEAR), (NEAR, other), (NEAR,), [gap("eu-west-1")]) == ()


MOVED = Shard("1", "eu-west-1", "s3-bucket")


def test_a_global_kind_that_is_asked_for_in_another_region_now_is_counted_once() -> None:
    assert unlisted(wanted(NEAR, MOVED), BEFORE, (NEAR, MOVED), [gap("us-east-1"), gap("eu-west-1")]) == (FAR,)


def test_a_global_kind_that_could_not_be_listed_where_it_is_asked_for_now_is_still_covered() -> None:
    assert unlisted(wanted(NEAR, MOVED), (NEAR, GLOBAL), (NEAR,), [gap("eu-west-1")]) == (GLOBAL,)


def test_what_was_planned_and_not_listed_is_still_covered_without_a_gap_of_its_region() -> None:
    assert unlisted(wanted(*BEFORE), BEFORE, (NEAR, GLOBAL), [gap("eu-north-1")]) == (FAR,)
