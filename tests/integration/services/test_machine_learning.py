"""SageMaker endpoints and notebooks on moto's servers: a scan lists them."""

from __future__ import annotations

from collections.abc import Callable

from tests.integration.services.conftest import MAKER
from tests.support.scanning import report_of

from finops_operator.scan.scan import ScanOutcome
from finops_sandbox.aws.double import AwsDouble

Scan = Callable[..., ScanOutcome]
ROLE = "arn:aws:iam::111111111111:role/sagemaker"


def test_endpoints_and_notebooks_are_listed(aws: AwsDouble, scanned: Scan) -> None:
    sagemaker = aws.client("sagemaker", role=MAKER)
    sagemaker.create_notebook_instance(
        NotebookInstanceName="research", InstanceType="ml.t3.medium", RoleArn=ROLE, Tags=[]
    )
    sagemaker.create_model(ModelName="prices", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": "image"})
    variant = {
        "VariantName": "main",
        "ModelName": "prices",
        "InitialInstanceCount": 1,
        "InstanceType": "ml.t2.medium",
        "InitialVariantWeight": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName="prices", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="prices", EndpointConfigName="prices")
    outcome = scanned("sagemaker-endpoint", "sagemaker-notebook")
    assert outcome.summary.gaps == ()
    found = {one["id"]: one for one in report_of(outcome)["resources"]}
    assert {name: one["kind"] for name, one in found.items()} == {
        "prices": "sagemaker-endpoint",
        "research": "sagemaker-notebook",
    }
    assert found["prices"]["attributes"]["variants"] == ["main"]
    assert found["research"]["attributes"]["instance_type"] == "ml.t3.medium"
