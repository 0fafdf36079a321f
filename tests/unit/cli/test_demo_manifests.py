"""The demo's roles are the chart's: whoever changes one must change the other."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from finops.crds.aws_account import AwsAccount
from finops.crds.scan_policy import ScanPolicy
from finops_sandbox.demo.cluster_files import BOT_ACCOUNT, NAMESPACE, OPERATOR_ACCOUNT, RELEASE, manifest

CHART = Path(__file__).parents[3] / "charts" / "finops-operator"
KINDS = {"ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding", "ConfigMap"}
Key = tuple[str, str]


def rendered(name: str) -> dict[Key, Mapping[str, Any]]:
    """Render the few constructs that the role templates use, for the demo's release and with the default values."""
    text = (CHART / "templates" / f"{name}.yaml").read_text(encoding="utf-8")
    definitions = dict(re.findall(r'(?s)\{\{- define "([^"]+)" -\}\}\n(.*?)\{\{- end -\}\}', text))
    text = re.sub(r'(?s)\{\{- define "[^"]+" -\}\}\n.*?\{\{- end -\}\}', "", text)
    text = re.sub(r"(?s)\{\{- /\*.*?\*/ -\}\}", "", text)
    # The demo makes no pods for scans, as a chart with its default values.
    text = re.sub(r'^ *- \{\{ include "finops-operator\.scanGuardName" \S+ \}\}\n', "", text, flags=re.MULTILINE)
    # Served everywhere: what is rendered per namespace is left out, what is rendered otherwise stays.
    text = re.sub(r"(?s)\{\{- else \}\}\n\{\{- range .*?\{\{- end \}\}\n", "", text)
    text = re.sub(r"(?s)\{\{- range .*?\{\{- end \}\}\n?", "", text)
    for define, rules in definitions.items():
        lines = "".join(f"  {line}\n" for line in rules.splitlines())
        call = rf'.*include "{re.escape(define)}" \S+ \| nindent 2 \}}\}}\n'
        text = re.sub(call, lines.replace("\\", r"\\"), text)
    text = re.sub(r"^ *labels:\n *\{\{-? include .*labels.*\}\}\n( {4}\S.*\n)*", _labels, text, flags=re.MULTILINE)
    text = re.sub(r'\{\{ include "finops-operator\.fullname" \S+ \}\}', RELEASE, text)
    text = re.sub(r'\{\{ include "finops-operator\.operatorServiceAccountName" \S+ \}\}', OPERATOR_ACCOUNT, text)
    text = re.sub(r'\{\{ include "finops-operator\.slackbotServiceAccountName" \S+ \}\}', BOT_ACCOUNT, text)
    text = re.sub(r"\{\{ \S*\.Release\.Namespace \}\}", NAMESPACE, text)
    text = re.sub(r"^ *\{\{-.*\}\}\n?", "", text, flags=re.MULTILINE)
    assert "{{" not in text, text
    return by_key(yaml.safe_load_all(text))


def _labels(found: re.Match[str]) -> str:
    own = "".join(line for line in found[0].splitlines(keepends=True) if "rbac." in line)
    return f"  labels:\n{own}" if own else ""


def by_key(documents: Any) -> dict[Key, Mapping[str, Any]]:
    return {
        (one["kind"], one["metadata"]["name"]): one for one in documents if one is not None and one["kind"] in KINDS
    }


def comparable(document: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what a template need not say: the namespace of the release, and Helm's labels."""
    metadata = document["metadata"]
    labels = {key: value for key, value in (metadata.get("labels") or {}).items() if key.startswith("rbac.")}
    rest = {key: value for key, value in document.items() if key not in {"metadata", "apiVersion"}}
    return {**rest, "labels": labels}


def test_every_role_and_binding_of_the_demo_is_what_the_chart_templates_say() -> None:
    chart: dict[Key, Mapping[str, Any]] = {}
    for name in ("operator-rbac", "people-rbac", "slackbot-rbac"):
        chart |= rendered(name)
    demo = {key: one for key, one in by_key(manifest("release")).items() if key[0] != "ConfigMap"}
    assert set(demo) == set(chart)
    for key, one in demo.items():
        assert comparable(one) == comparable(chart[key]), key


def test_where_helm_is_installed_it_renders_the_same() -> None:
    helm = shutil.which("helm")
    if helm is None:
        # The test above has compared the templates themselves.
        return
    command = [helm, "template", RELEASE, str(CHART), "--namespace", NAMESPACE, "--set", "slack.existingSecret=any"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    chart = by_key(yaml.safe_load_all(done.stdout))
    # The demo writes its own secrets; the chart's Job that makes them, and its rights, are not part of it.
    for kind in ("Role", "RoleBinding"):
        del chart[(kind, f"{RELEASE}-secrets")]
    demo = by_key(manifest("release"))
    assert set(demo) == set(chart)
    for key, one in demo.items():
        assert comparable(one) == comparable(chart[key]), key


def test_the_story_is_made_of_valid_objects_with_accounts_that_grant_it() -> None:
    documents = manifest("policy")
    accounts = [AwsAccount.from_object(one) for one in documents if one["kind"] == "AwsAccount"]
    policies = [ScanPolicy.from_object(one) for one in documents if one["kind"] == "ScanPolicy"]
    named = [one.name for policy in policies for one in policy.spec.accounts]
    assert sorted(named) == sorted(one.metadata.name for one in accounts)
    assert all(one.spec.actions_for("default") for one in accounts)


def test_people_get_the_charts_own_roles_alice_to_vote_and_bob_to_see() -> None:
    roles = {name for kind, name in by_key(manifest("release")) if kind == "ClusterRole"}
    bindings = {one["metadata"]["name"]: one for one in manifest("people") if one["kind"] == "RoleBinding"}
    assert bindings["alice-approves"]["roleRef"]["name"] in roles
    assert [one["name"] for one in bindings["alice-approves"]["subjects"]] == ["alice"]
    assert bindings["people-see"]["roleRef"]["name"] == "view"
