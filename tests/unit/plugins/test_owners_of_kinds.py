"""Every kind names the owners that mark resources of any service, and nobody where only a plan names the resource."""

from __future__ import annotations

import pytest

from finops.domain.resource import Resource
from finops_operator.plugins.loaded import load_kinds

KINDS = load_kinds()
MARKS = {
    "AWS Backup": {"aws:backup:source-resource": "vol-1"},
    "CloudFormation": {"aws:cloudformation:stack-name": "shop"},
    "the AWS CDK": {"aws-cdk:auto-delete-objects": "true", "aws:cloudformation:stack-name": "shop"},
    "Terraform": {"ManagedBy": "Terraform"},
}


def named(kind: str, tags: dict[str, str]) -> str | None:
    sample = KINDS[kind].sample
    one = Resource(kind, sample.id, sample.arn, "", "111111111111", "us-east-1", "", tags)
    owner = KINDS[kind].owner(one)
    return None if owner is None else owner.system


@pytest.mark.parametrize("kind", KINDS)
def test_a_resource_of_any_kind_says_who_made_it(kind: str) -> None:
    assert {system: named(kind, tags) for system, tags in MARKS.items()} == {system: system for system in MARKS}


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_backup_plan_copies_is_not_owned_by_it(kind: str) -> None:
    assert named(kind, {"aws:elasticfilesystem:default-backup": "enabled", "backup": "daily"}) is None
