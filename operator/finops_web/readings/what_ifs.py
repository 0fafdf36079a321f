"""What a policy would find with another spec: how people write the spec down, and how it differs from what is live.

A spec is judged here by the schema of the kind alone; the operator knows the checks and judges the rest.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import yaml

from finops.crds.invalid import InvalidField, InvalidObject
from finops.crds.part import API_VERSION
from finops.crds.scan_policy import ScanPolicy
from finops.crds.yaml_documents import MalformedYaml, lines_of, yaml_documents
from finops.errors import InvalidInput
from finops.k8s.kinds import scan_policies
from finops.store.what_if import KnownCheck
from finops_web.people.visitors import Visitor

LONGEST_TEXT: Final = 48 * 1024
"""Characters of a spec that is pasted; a form's body has at most 64 KiB."""
_DIFFERENCES: Final = 200


@dataclass(frozen=True, slots=True)
class Problem:
    """Something of a spec that cannot be taken.

    Attributes:
        line: in the text that was pasted, 0 where there is none.
    """

    field: str
    rule: str
    hint: str
    line: int = 0


def live_policy(visitor: Visitor, namespace: str, name: str) -> ScanPolicy | None:
    """Return the policy as the cluster has it, None where it is gone. Raises Refused, ClusterUnavailable."""
    return scan_policies(visitor.connection, newer=True).get(namespace, name)


def policy_with(live: ScanPolicy, spec: Mapping[str, Any]) -> ScanPolicy:
    """Return the policy with another spec. Raises InvalidObject."""
    metadata = {"name": live.metadata.name, "namespace": live.metadata.namespace}
    return ScanPolicy.from_object(
        {"apiVersion": API_VERSION, "kind": "ScanPolicy", "metadata": metadata, "spec": dict(spec)}
    )


def with_checks(live: ScanPolicy, settings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the live spec with other settings of some checks, each with an `id`; those of the others stay."""
    spec = written(live)
    changed = {str(one.get("id")): dict(one) for one in settings}
    kept = [one for one in spec.get("checks", ()) if one["id"] not in changed]
    return {**spec, "checks": [*kept, *changed.values()]}


def with_thresholds(live: ScanPolicy, check: KnownCheck, *, enabled: bool, values: Mapping[str, str]) -> dict[str, Any]:
    """Return the live spec with the thresholds of one check as a form has them; empty means the default.

    Raises:
        InvalidInput: a value is no number.
    """
    parameters: dict[str, int | float] = {}
    for one in check.thresholds:
        text = values.get(one.name, "").strip().replace(",", "")
        if not text:
            continue
        value = _number(text, f"spec.checks.{check.id}.parameters.{one.name}")
        if value != one.default:
            parameters[one.name] = int(value) if value == value.to_integral_value() else float(value)
    setting: dict[str, Any] = {"id": check.id}
    if not enabled:
        setting["enabled"] = False
    if parameters:
        setting["parameters"] = parameters
    return with_checks(live, [setting])


def spec_in(text: str) -> dict[str, Any]:
    """Return the spec that a text holds: a whole ScanPolicy in YAML or JSON, or its spec alone.

    Raises:
        MalformedYaml: it is no YAML, or YAML that is not taken.
        InvalidInput: it holds something else.
    """
    if len(text) > LONGEST_TEXT:
        raise InvalidInput("is too long", field="spec", hint=f"paste at most {LONGEST_TEXT:,} characters")
    found = [one for one in yaml_documents(text) if one is not None]
    if len(found) != 1 or not isinstance(found[0], dict):
        raise InvalidInput(
            "is not one object", field="spec", hint="paste one ScanPolicy, or what stands below its spec"
        )
    (document,) = found
    if "kind" in document and document["kind"] != "ScanPolicy":
        raise InvalidInput("is another kind", field="kind", hint="paste a ScanPolicy, or what stands below its spec")
    if "kind" in document or set(document) == {"spec"}:
        document = document.get("spec") or {}
    if not isinstance(document, dict):
        raise InvalidInput("is not an object", field="spec", hint="write the fields of the spec below it")
    return document


def problems_in(error: InvalidInput, text: str = "") -> tuple[Problem, ...]:
    """Return what is wrong, each with its line in the text where that is known."""
    if isinstance(error, MalformedYaml):
        return (Problem(error.place, error.message, error.hint),)
    fields: tuple[InvalidField, ...] = (InvalidField(error.field, error.message, error.hint),)
    if isinstance(error, InvalidObject):
        fields = error.fields
    lines = _lines(text)
    return tuple(Problem(one.path, one.rule, one.hint, _line_of(one.path, lines)) for one in fields)


def written(policy: ScanPolicy) -> dict[str, Any]:
    """Return a policy's spec as people write it: without what is the default anyway."""
    found: dict[str, Any] = policy.spec.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    return found


def as_yaml(spec: Mapping[str, Any]) -> str:
    """Return a spec as text."""
    return yaml.safe_dump(dict(spec), sort_keys=False, allow_unicode=True, width=100) if spec else ""


def differences(live: ScanPolicy, asked: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the lines of YAML in which a spec differs from the live one, with some around them, as `diff -u` does."""
    before, after = (as_yaml(spec).splitlines() for spec in (written(live), asked))
    lines = [one for one in difflib.unified_diff(before, after, lineterm="", n=2) if not one.startswith(("---", "+++"))]
    return tuple(lines[:_DIFFERENCES])


def _number(text: str, path: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise InvalidInput("is not a number", field=path, hint="write digits, such as 5 or 2.5")
    return value


def _lines(text: str) -> Mapping[str, int]:
    try:
        found = lines_of(text)
    except InvalidInput:
        return {}
    # A spec may be pasted alone.
    return found if "spec" in found else {f"spec.{path}": line for path, line in found.items()}


def _line_of(path: str, lines: Mapping[str, int]) -> int:
    """Return the line of a field, or of what it would stand in."""
    while path and path not in lines:
        path = path.rpartition(".")[0]
    return lines.get(path, 0)
