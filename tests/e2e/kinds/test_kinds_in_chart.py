"""The chart's two templates of this package, rendered by Helm around the chart's own helpers."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.e2e.cluster_api import Cluster

from finops.crds.admission import policies
from finops.crds.generate import KINDS, crd_object

pytestmark = pytest.mark.cluster

CHART = Path(__file__).parents[3] / "charts" / "finops-operator"
HELPERS = """
{{- define "finops-operator.fullname" }}{{ .Release.Name }}-finops{{ end }}
{{- define "finops-operator.operatorServiceAccountName" }}the-operator{{ end }}
{{- define "finops-operator.slackbotServiceAccountName" }}the-bot{{ end }}
{{- define "finops-operator.keptWithKinds" }}annotations: {"helm.sh/resource-policy": keep}{{ end }}
{{- define "finops-operator.labels" -}}
app.kubernetes.io/name: finops-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
"""
USERS = (
    "system:serviceaccount:finops-system:the-operator",
    {"slack": "system:serviceaccount:finops-system:the-bot"},
)
VALUES = {"crds": {"install": True, "keep": True}, "watch": {"namespaces": []}}
LABELS = {"app.kubernetes.io/name": "finops-operator", "app.kubernetes.io/instance": "first"}

Document = dict[str, Any]


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    """Return a chart of nothing but the templates under test."""
    folder = tmp_path / "finops-operator"
    (folder / "templates").mkdir(parents=True)
    for name in ("crds.yaml", "admission-policies.yaml"):
        shutil.copy(CHART / "templates" / name, folder / "templates" / name)
    shutil.copytree(CHART / "files" / "crds", folder / "files" / "crds")
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: finops-operator\nversion: 0.0.1\n")
    (folder / "templates" / "_helpers.tpl").write_text(HELPERS)
    (folder / "values.yaml").write_text(yaml.safe_dump(VALUES))
    return folder


def _rendered(chart: Path, *options: str) -> list[Document]:
    command = ["helm", "template", "first", str(chart), "--namespace", "finops-system", *options]
    text = subprocess.run(command, check=True, capture_output=True, text=True, timeout=50).stdout
    return [document for document in yaml.safe_load_all(text) if document]


def _of(documents: list[Document], kind: str) -> list[Document]:
    return [document for document in documents if document["kind"].startswith(kind)]


def _without_labels(document: Document) -> Document:
    metadata = {key: value for key, value in document["metadata"].items() if key not in {"labels", "annotations"}}
    return {**document, "metadata": metadata}


def _by_kind_and_name(documents: list[Document]) -> dict[tuple[str, str], Document]:
    return {(document["kind"], document["metadata"]["name"]): document for document in documents}


def test_the_kinds_come_out_as_generated_with_labels_and_kept_on_uninstall(chart: Path) -> None:
    documents = _of(_rendered(chart), "CustomResourceDefinition")
    bare = _by_kind_and_name([_without_labels(document) for document in documents])
    assert bare == _by_kind_and_name([crd_object(kind) for kind in KINDS])
    for document in documents:
        assert document["metadata"]["labels"] == LABELS
        assert document["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


def test_the_kinds_may_be_left_out_or_let_go(chart: Path) -> None:
    assert not _of(_rendered(chart, "--set", "crds.install=false"), "CustomResourceDefinition")
    for document in _of(_rendered(chart, "--set", "crds.keep=false"), "CustomResourceDefinition"):
        assert "annotations" not in document["metadata"]


def test_annotations_of_the_user_stand_beside_the_charts_own(chart: Path) -> None:
    for document in _of(_rendered(chart, "--set", "crds.annotations.team=sre"), "CustomResourceDefinition"):
        assert document["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep", "team": "sre"}


def test_the_policies_come_out_as_the_module_says_for_the_releases_operator(chart: Path) -> None:
    documents = _of(_rendered(chart), "ValidatingAdmissionPolicy")
    assert all(document["metadata"]["labels"] == LABELS for document in documents)
    expected = policies(*USERS, "first-finops-finops-system")
    assert _by_kind_and_name(list(map(_without_labels, documents))) == _by_kind_and_name(expected)


def test_the_policies_hold_only_in_watched_namespaces_when_these_are_named(chart: Path) -> None:
    documents = _of(_rendered(chart, "--set", "watch.namespaces={team-a,team-b}"), "ValidatingAdmissionPolicy")
    expected = policies(*USERS, "first-finops-finops-system", ["team-a", "team-b"])
    assert _by_kind_and_name(list(map(_without_labels, documents))) == _by_kind_and_name(expected)


def test_the_api_server_takes_what_helm_renders(cluster: Cluster, chart: Path) -> None:
    documents = _rendered(chart)
    text = yaml.safe_dump_all(documents)
    applied = cluster.kubectl(
        "apply", "--server-side", "--dry-run=server", "--force-conflicts", "-o", "name", "-f", "-", stdin=text
    )
    assert len(applied.split()) == len(documents)
