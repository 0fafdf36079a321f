"""Walks the schemas of generated CustomResourceDefinitions, for tests that hold for every field or every rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from finops.crds.crd import Crd
from finops.crds.generate import KINDS, crd_object

Schema = dict[str, Any]


def schema_of(crd: dict[str, Any]) -> Schema:
    """The schema of the only version of a CustomResourceDefinition."""
    (version,) = crd["spec"]["versions"]
    schema: Schema = version["schema"]["openAPIV3Schema"]
    return schema


def fields(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """Every schema below this one with its path; `[]` is a list's entry, `{}` a map's value."""
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from fields(child, f"{path}.{name}" if path else name)
    if "items" in schema:
        yield from fields(schema["items"], f"{path}[]")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from fields(schema["additionalProperties"], f"{path}{{}}")


def all_fields() -> Iterator[tuple[Crd, str, Schema]]:
    """Every field of every kind."""
    for kind in KINDS:
        for path, schema in fields(schema_of(crd_object(kind))):
            yield kind.crd, path, schema


def rules_of(kind: str, crd: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Every rule of a CustomResourceDefinition: kind, path with the rule's own field, message."""
    for path, schema in fields(schema_of(crd)):
        for rule in schema.get("x-kubernetes-validations", []):
            yield kind, f"{path}{rule.get('fieldPath', '')}", rule["message"]


def all_rules() -> Iterator[tuple[str, str, str]]:
    """Every rule of every kind, as `rules_of`."""
    for kind in KINDS:
        yield from rules_of(kind.crd.kind, crd_object(kind))
