from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.manifests import manifest
from tests.support.schema_walk import all_fields, all_rules, fields

from finops.crds.admission import policies
from finops.crds.generate import admission_template, differences, generated_files, main
from finops.crds.invalid import InvalidObject
from finops.crds.scan_policy import ScanPolicy

REPOSITORY = Path(__file__).parents[3]
FIELDS = [(f"{crd.kind}:{path}", schema) for crd, path, schema in all_fields() if path.startswith(("spec", "status"))]


def test_the_files_in_the_repository_are_what_the_models_say() -> None:
    assert differences(REPOSITORY) == []


def test_generating_in_another_process_gives_the_same_bytes(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": "4711"}
    command = [sys.executable, "-m", "finops.crds.generate", "--root", str(tmp_path)]
    subprocess.run(command, check=True, timeout=50, env=environment, cwd=REPOSITORY / "operator")
    assert {path: (tmp_path / path).read_text() for path in generated_files()} == generated_files()


def test_the_charts_kinds_are_byte_copies() -> None:
    for path in (REPOSITORY / "crds").glob("*.yaml"):
        copy = REPOSITORY / "charts" / "finops-operator" / "files" / "crds" / path.name
        assert copy.read_bytes() == path.read_bytes()


def test_a_check_of_freshly_written_files_passes(tmp_path: Path) -> None:
    assert main(["--root", str(tmp_path)]) == 0
    assert main(["--root", str(tmp_path), "--check"]) == 0


@pytest.mark.parametrize(
    "name",
    [
        "crds/approvals.yaml",
        "charts/finops-operator/files/crds/approvals.yaml",
        "charts/finops-operator/templates/admission-policies.yaml",
    ],
)
def test_a_check_names_the_file_that_was_edited(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--root", str(tmp_path)])
    target = tmp_path / name
    target.write_bytes(target.read_bytes() + b"\n")
    assert main(["--root", str(tmp_path), "--check"]) == 1
    assert capsys.readouterr().err.startswith(f"{name} differs from the models; run ")


def test_a_check_names_files_that_are_missing_or_too_many(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--root", str(tmp_path)])
    (tmp_path / "crds" / "approvals.yaml").rename(tmp_path / "crds" / "quotas.yaml")
    assert main(["--root", str(tmp_path), "--check"]) == 1
    said = capsys.readouterr().err
    assert "crds/approvals.yaml is missing" in said
    assert "crds/quotas.yaml belongs to no kind" in said


def test_every_text_number_list_and_map_is_bounded() -> None:
    missing = []
    for where, schema in FIELDS:
        bounds: dict[str, tuple[str, ...]] = {
            "string": ("enum",) if "enum" in schema else ("maxLength",),
            "integer": ("minimum", "maximum", "format"),
            "number": ("minimum", "maximum"),
            "array": ("maxItems",),
            "object": ("properties",) if "properties" in schema else ("maxProperties", "additionalProperties"),
            "boolean": (),
        }
        kind = schema.get("type", "string")
        missing += [f"{where}: {bound}" for bound in bounds[kind] if bound not in schema]
    assert missing == []


def test_every_field_has_a_description() -> None:
    entries = ("[]", "{}")
    assert [where for where, schema in FIELDS if "description" not in schema and not where.endswith(entries)] == []


def test_every_optional_field_that_people_write_says_its_default() -> None:
    silent = []
    for crd, path, schema in all_fields():
        if not path.startswith("spec") or crd.kind not in {"ScanPolicy", "AwsAccount", "Approval", "Budget"}:
            continue
        for name, child in schema.get("properties", {}).items():
            is_group = "properties" in child and child.get("default") is not None
            optional = name not in schema.get("required", [])
            # An approver's four fields exclude each other: none has a default of its own.
            is_choice = path.endswith("approvers[]")
            if optional and not is_group and not is_choice and "Default:" not in child["description"]:
                silent.append(f"{crd.kind}:{path}.{name}")
    assert silent == []


def test_schemas_hold_nothing_but_what_structural_schemas_may() -> None:
    forbidden = {"$ref", "$defs", "title", "const", "oneOf", "allOf", "patternProperties", "nullable"}
    assert [where for where, schema in FIELDS if forbidden & set(schema)] == []
    unions = [schema for _, schema in FIELDS if "anyOf" in schema]
    assert all(schema["x-kubernetes-int-or-string"] for schema in unions)


def test_conditions_merge_by_type() -> None:
    lists = [schema for where, schema in FIELDS if where.endswith("status.conditions")]
    assert len(lists) == 4
    for schema in lists:
        assert (schema["x-kubernetes-list-type"], schema["x-kubernetes-list-map-keys"]) == ("map", ["type"])


def test_every_rule_says_what_is_wrong_and_what_to_do() -> None:
    for _, where, message in all_rules():
        problem, _, fix = message.partition("; ")
        assert problem, where
        assert fix, where
        assert "\n" not in message


def test_defaults_stand_only_where_people_write() -> None:
    for crd, path, schema in all_fields():
        assert not (path.startswith("status") and "default" in schema), f"{crd.kind}:{path}"


def test_a_policy_parsed_without_fields_equals_the_defaults_in_the_schema() -> None:
    crd = yaml.safe_load((REPOSITORY / "crds" / "scanpolicies.yaml").read_text())
    schemas = dict(fields(crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]))
    assert schemas["spec"]["default"] == ScanPolicy.from_object(manifest("ScanPolicy")).spec.to_dict()
    assert _filled(schemas["spec"], {}) == schemas["spec"]["default"]


def _filled(schema: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    """What the API server's defaulting makes of an object, by the schema's inner defaults alone."""
    result = dict(value)
    for name, child in schema["properties"].items():
        if name not in result and "default" in child:
            result[name] = child["default"]
        if name in result and "properties" in child:
            result[name] = _filled(child, result[name] if name in value else {})
    return result


def test_the_admission_template_has_no_placeholder_left_and_names_the_release() -> None:
    text = admission_template()
    assert "@" not in text.replace("@-", "")
    assert text.count('{{- include "finops-operator.labels" . | nindent 4 }}') == 4
    assert text.count('{{- include "finops-operator.keptWithKinds" . | nindent 2 }}') == 4
    for account in ("operator", "slackbot"):
        name = f'{{{{ include "finops-operator.{account}ServiceAccountName" . }}}}'
        assert f"'system:serviceaccount:{{{{ .Release.Namespace }}}}:{name}'" in text


def test_policies_hold_everywhere_unless_namespaces_are_named() -> None:
    everywhere = policies("system:serviceaccount:a:b", {}, "release")
    assert [document["metadata"]["name"] for document in everywhere] == [
        "release-voter",
        "release-voter",
        "release-operator-writes",
        "release-operator-writes",
    ]
    # The selector is there and selects everything: what a manifest does not name, Helm 3 leaves as it was.
    assert [one["spec"]["matchResources"] for one in everywhere[1::2]] == [
        {"namespaceSelector": {"matchExpressions": []}}
    ] * 2
    (binding,) = policies("system:serviceaccount:a:b", {}, "release", ["team-a"])[1::2][:1]
    (expression,) = binding["spec"]["matchResources"]["namespaceSelector"]["matchExpressions"]
    assert expression == {"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["team-a"]}


def test_the_parser_refuses_what_the_schema_does_not_have() -> None:
    with pytest.raises(InvalidObject, match="graviton"):
        ScanPolicy.from_object(manifest("ScanPolicy", {"spec": {"sizing": {"graviton": "Advise"}}}))
