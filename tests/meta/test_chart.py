"""What the chart says of itself on Artifact Hub is what it holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import yaml

from finops.crds.action_request import ActionRequest
from finops.crds.approval import Approval
from finops.crds.aws_account import AwsAccount
from finops.crds.budget import Budget
from finops.crds.crd import VERSION
from finops.crds.part import Kind
from finops.crds.scan_policy import ScanPolicy

ROOT: Final = Path(__file__).resolve().parents[2]
CHART: Final = ROOT / "charts" / "finops-operator"
KINDS: Final[dict[str, type[Kind]]] = {
    kind.crd.kind: kind for kind in (ScanPolicy, AwsAccount, ActionRequest, Approval, Budget)
}
ABOUT: Final[dict[str, Any]] = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
VALUES: Final[dict[str, Any]] = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))


def _annotation(name: str) -> Any:
    return yaml.safe_load(ABOUT["annotations"][f"artifacthub.io/{name}"])


def test_every_kind_is_described_once() -> None:
    described = {one["kind"]: (one["name"], one["version"]) for one in _annotation("crds")}
    assert described == {name: (kind.crd.name, VERSION) for name, kind in KINDS.items()}
    assert len(_annotation("crds")) == len(KINDS)


def test_every_example_parses_and_only_what_people_write_has_one() -> None:
    examples = _annotation("crdsExamples")
    assert {one["kind"] for one in examples} == set(KINDS) - {"ActionRequest"}
    for example in examples:
        assert KINDS[example["kind"]].from_object(example).metadata.name == example["metadata"]["name"]


def test_the_images_are_those_that_the_default_values_run() -> None:
    registry, tag = VALUES["image"]["registry"], VALUES["image"]["tag"] or ABOUT["appVersion"]
    assert {one["image"] for one in _annotation("images")} == {
        f"{registry}/finops-operator:{tag}",
        f"{registry}/finops-slackbot:{tag}",
        f"{registry}/finops-web:{tag}",
        VALUES["valkey"]["image"],
    }


def test_the_links_lead_to_pages_of_this_repository() -> None:
    start = f"{ABOUT['home']}/blob/main/"
    for link in _annotation("links"):
        assert link["url"].startswith(start)
        assert (ROOT / link["url"].removeprefix(start)).is_file()


def test_changes_are_of_the_kinds_that_artifact_hub_knows() -> None:
    known = {"added", "changed", "deprecated", "removed", "fixed", "security"}
    assert {one["kind"] for one in _annotation("changes")} <= known
    assert all(one["description"] for one in _annotation("changes"))
