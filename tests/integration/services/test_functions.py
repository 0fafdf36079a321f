"""Functions on moto's servers: a scan lists, tags and prices them, provisioned concurrency among it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.integration.services.conftest import MAKER
from tests.support.scanning import report_of

from finops_operator.scan.scan import ScanOutcome
from finops_sandbox.aws.double import AwsDouble

Scan = Callable[..., ScanOutcome]
ROLE = "arn:aws:iam::111111111111:role/function"


def code() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", "def handler(event, context): return 0\n")
    return packed.getvalue()


def create(client: Any, name: str, **changes: Any) -> None:
    client.create_function(
        FunctionName=name,
        **{
            "Runtime": "python3.13",
            "Role": ROLE,
            "Handler": "index.handler",
            "Code": {"ZipFile": code()},
            "MemorySize": 1024,
            "Tags": {"team": name},
            **changes,
        },
    )


@pytest.fixture
def functions(aws: AwsDouble) -> Any:
    iam = aws.client("iam", role=MAKER)
    try:
        iam.create_role(RoleName="function", AssumeRolePolicyDocument="{}")
    except ClientError as error:
        assert error.response["Error"]["Code"] == "EntityAlreadyExists"  # noqa: PT017 - made by the test before
    return aws.client("lambda", role=MAKER)


def test_functions_are_listed_priced_tagged_and_judged(functions: Any, scanned: Scan) -> None:
    create(functions, "plain")
    create(functions, "old", Runtime="python3.8", Architectures=["arm64"])
    create(functions, "waiting", MemorySize=2048, Publish=True)
    functions.put_provisioned_concurrency_config(
        FunctionName="waiting", Qualifier="1", ProvisionedConcurrentExecutions=3
    )
    outcome = scanned("lambda-function")
    assert outcome.summary.gaps == ()
    found = {one["id"]: one for one in report_of(outcome)["resources"]}
    assert {name: one["tags"]["team"] for name, one in found.items()} == {
        "plain": "plain",
        "old": "old",
        "waiting": "waiting",
    }
    # Nothing was invoked: what is billed by use costs nothing, and what waits costs 3 × 2 GB × 730 hours.
    assert {name: (one["monthlyCost"], one["monthlyCostByUse"]) for name, one in found.items()} == {
        "plain": ("0.00", "0.00"),
        "old": ("0.00", "0.00"),
        "waiting": ("65.70", "0.00"),
    }
    (part,) = [one for one in found["waiting"]["costParts"] if one["dimension"] == "provisioned_gb_second"]
    assert (part["quantity"], part["unit"], part["byUse"]) == ("6", "hour", False)
    assert found["old"]["attributes"]["architecture"] == "arm64"
    advice = {(one["check"], one["resource"]["id"]) for one in report_of(outcome)["recommendations"]}
    assert advice == {("lambda_function_deprecated_runtime", "old")}


def test_the_double_knows_no_concurrency_of_what_does_not_exist(functions: Any) -> None:
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        functions.list_provisioned_concurrency_configs(FunctionName="nobody")
