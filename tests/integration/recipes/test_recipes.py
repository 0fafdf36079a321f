"""The pages "Add a kind", "Add a check" and "Add an action", carried out with a service that the product does not have.

Each page adds files to one folder of a copy of the source; no other file is touched. Then the commands are run as a
person runs them, against the AWS double.
"""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from moto.ec2.models import ec2_backends
from tests.support.recipes import PAGES, ROOT, Copy, blocks, copy_of_source
from tests.support.scanning import account

from finops_sandbox.aws.double import AwsDouble

ACCOUNT, REGION = "111111111111", "us-east-1"
ESTATE = {"accounts": {ACCOUNT: {"name": "production", "regions": [REGION]}}, "externalId": "finops-sandbox"}


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsDouble]:
    """Return a double with one fax line that nothing is connected to, and one that is in use."""
    with AwsDouble(ESTATE) as double:
        estate = ec2_backends[ACCOUNT][REGION]
        for name in ("quiet", "busy"):
            line = estate.create_internet_gateway(tags=[{"Key": "Name", "Value": name}])
            if name == "busy":
                estate.attach_internet_gateway(line.id, estate.create_vpc("10.9.0.0/16").id)
        yield double


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Copy]:
    """Return for each page a copy of the source in which it, and those before it, were carried out."""
    return {
        page: copy_of_source(tmp_path_factory.mktemp(page) / "operator", *PAGES[: number + 1])
        for number, page in enumerate(PAGES)
    }


@pytest.fixture
def environment(aws: AwsDouble, valkey_url: str) -> dict[str, str]:
    return {
        **aws.environment(),
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "FINOPS_DEMO": "true",
        "FINOPS_REDIS_URL": valkey_url,
        "FINOPS_REDIS_PREFIX": f"recipe-{uuid.uuid4().hex}:",
    }


@pytest.fixture
def documents(tmp_path: Path) -> str:
    path = tmp_path / "policy.yaml"
    policy = {
        "apiVersion": "finops.dev/v1alpha1",
        "kind": "ScanPolicy",
        "metadata": {"name": "all", "namespace": "default"},
        "spec": {"accounts": [{"name": "production"}]},
    }
    granted = account("production", ACCOUNT).to_object()
    path.write_text(yaml.safe_dump_all([granted, policy]), encoding="utf-8")
    return str(path)


def output_of(ended: subprocess.CompletedProcess[str]) -> str:
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def scanned(copy: Copy, environment: Mapping[str, str], documents: str, *more: str) -> dict[str, Any]:
    """Scan into the tests' store and return the report."""
    store = ("--redis", environment["FINOPS_REDIS_URL"])
    report: dict[str, Any] = json.loads(
        output_of(copy.finops(environment, "scan", "-f", documents, "-o", "json", *store, *more))
    )
    return report


def lines_of(report: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in report["resources"] if one["kind"] == "fax-line" and one["name"]}


@pytest.mark.parametrize("page", PAGES)
def test_a_recipe_touches_one_folder_of_one_service_and_no_other_file(page: str) -> None:
    paths = [block.path for block in blocks(page)]
    assert paths
    assert all(path.startswith("services/fax/") for path in paths)
    assert not (ROOT / "operator/finops_operator/services/fax").exists()


def test_a_new_kind_is_scanned_priced_and_in_every_command(
    copies: Mapping[str, Copy], environment: dict[str, str], documents: str
) -> None:
    copy = copies["add-a-kind"]
    lines = lines_of(scanned(copy, environment, documents))
    assert {name: (one["state"], one["monthlyCost"]) for name, one in lines.items()} == {
        "quiet": ("idle", "25.00"),
        "busy": ("connected", "25.00"),
    }
    assert lines["quiet"]["price"] == {"source": "fax-tariff", "asOf": "2026-01-02", "unit": "month"}
    assert lines["quiet"]["attributes"] == {"connected_to": []}
    listed = json.loads(output_of(copy.finops(environment, "resources", "--kind", "fax-line", "-o", "json")))
    assert {one["name"] for one in listed} >= {"quiet", "busy"}
    assert "fax-line" in output_of(copy.finops(environment, "resources"))
    assert "fax-line" in output_of(copy.finops(environment, "costs", "--by", "kind"))
    assert "ec2:DescribeInternetGateways" in output_of(copy.finops(environment, "iam-policy", "--for", "scan"))


def test_a_new_kind_without_metrics_asks_cloudwatch_for_no_metric(
    copies: Mapping[str, Copy], environment: dict[str, str], documents: str
) -> None:
    calls = scanned(copies["add-a-kind"], environment, documents)["summary"]["apiCalls"]
    assert calls["ec2:DescribeInternetGateways"] >= 1
    # Alarms and namespaces of custom metrics are kinds of their own.
    asked = {operation for operation in calls if operation.startswith("cloudwatch")}
    assert asked <= {"cloudwatch:DescribeAlarms", "cloudwatch:ListMetrics"}


def test_a_new_check_without_an_action_gives_advice(
    copies: Mapping[str, Copy], environment: dict[str, str], documents: str
) -> None:
    copy = copies["add-a-check"]
    report = scanned(copy, environment, documents, "--why")
    quiet = lines_of(report)["quiet"]["id"]
    found = {one["resource"]["id"]: one for one in report["recommendations"]}
    assert (found[quiet]["check"], found[quiet]["action"]) == ("fax_line_idle", "")
    assert found[quiet]["monthlySavings"] == "25.00"
    busy = lines_of(report)["busy"]["id"]
    reasons = {one["resource"]: one["reason"] for one in report["notRecommended"] if one["check"] == "fax_line_idle"}
    assert reasons[busy] == "a machine is connected to it"
    assert "fax_line_idle" in output_of(copy.finops(environment, "recommendations", "-o", "wide"))
    assert "No machine is connected to it." in output_of(copy.finops(environment, "explain", found[quiet]["id"]))


def test_a_new_action_is_recommended_and_has_rights_of_its_own(
    copies: Mapping[str, Copy], environment: dict[str, str], documents: str
) -> None:
    copy = copies["add-an-action"]
    report = scanned(copy, environment, documents)
    actions = {one["action"] for one in report["recommendations"] if one["check"] == "fax_line_idle"}
    assert actions == {"fax_line_cancel"}
    rights = json.loads(
        output_of(copy.finops(environment, "iam-policy", "--for", "act", "--action", "fax_line_cancel"))
    )
    (statement,) = rights["Statement"]
    assert statement["Action"] == ["ec2:DeleteInternetGateway"]
    assert statement["Resource"] == "arn:*:ec2:*:*:internet-gateway/*"
    assert "Condition" in statement


def test_the_documentation_shows_what_was_added(copies: Mapping[str, Copy]) -> None:
    program = "from tools.build_docs import build; print('\\n'.join(build().values()))"
    copy = copies["add-an-action"]
    shown = output_of(copy.run("-c", program, PYTHONPATH=f"{copy.folder}:{ROOT}"))
    for words in ("## fax_line_idle", "## fax_line_cancel", "| `cancel` | `ec2:DeleteInternetGateway` |", "`fax-line`"):
        assert words in shown


def test_the_code_of_the_recipes_keeps_the_rules_of_the_code(copies: Mapping[str, Copy], tmp_path: Path) -> None:
    copy, config = copies["add-an-action"], str(ROOT / "pyproject.toml")
    folder = str(copy.package / "services" / "fax")
    ours = ("--config", config, "--config", f"src = ['{copy.folder}']")
    for command in (
        ("ruff", "check", *ours),
        ("ruff", "format", "--check", *ours),
        ("mypy", "--config-file", config, "--cache-dir", str(tmp_path)),
    ):
        ended = copy.run("-m", *command, folder, MYPYPATH=str(copy.folder))
        assert ended.returncode == 0, ended.stdout
