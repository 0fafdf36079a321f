"""A denial's hint names the permission that IAM knows, for every call of every kind and act."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore import exceptions as sdk

from finops.errors import AwsDenied
from finops_operator.aws.errors import CallContext, translate
from finops_operator.aws.permissions import permission_of
from finops_operator.plugins.loaded import plugins


def _needed() -> Iterator[tuple[str, str]]:
    """Yield (call, permission) as kinds and actions declare them."""
    loaded = plugins()
    declared = [(kind.permissions, kind.listing.calls) for kind in loaded.kinds.values()]
    declared += [
        ((*action.permissions, *action.read_permissions), action.rights.calls) for action in loaded.actions.values()
    ]
    for permissions, calls in declared:
        for permission in permissions:
            yield calls.get(permission, permission), permission


NEEDED = sorted(set(_needed()))


@pytest.mark.parametrize(("call", "permission"), NEEDED)
def test_a_denied_call_asks_for_the_permission_that_its_kind_declares(call: str, permission: str) -> None:
    bare = sdk.ClientError({"Error": {"Code": "AccessDenied", "Message": "Access Denied"}}, call.partition(":")[2])
    found = translate(bare, CallContext(call))
    assert isinstance(found, AwsDenied)
    assert found.hint == f"allow {permission} to this role"


def test_both_apis_of_load_balancers_share_one_name_in_iam() -> None:
    for service in ("elb", "elbv2"):
        assert permission_of(f"{service}:DescribeTags") == "elasticloadbalancing:DescribeTags"
    assert permission_of("ec2:DescribeInstances") == "ec2:DescribeInstances"
