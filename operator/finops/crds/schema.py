"""Turns the models into structural OpenAPI schemas, the form a CustomResourceDefinition demands.

Called by the generator. Structural means: no references, no titles, no unions but int-or-string, every default spelled
out where the API server can apply it.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from finops.crds.part import Kind
from finops.crds.rule import VALIDATIONS, with_rules
from finops.crds.values import plain_number

_ORDER = (
    "description",
    "type",
    "format",
    "enum",
    "default",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "anyOf",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    VALIDATIONS,
    "required",
    "items",
    "additionalProperties",
    "properties",
)
_DROPPED = frozenset({"title", "$defs", "propertyNames"})
_INT32_MAXIMUM = 2**31 - 1

Schema = dict[str, Any]


def root_schema(kind: type[Kind]) -> Schema:
    """The `openAPIV3Schema` of a kind."""
    schema: Schema = {
        "description": kind.crd.description,
        "type": "object",
        "required": [name for name in ("spec",) if kind.model_fields[name].is_required()],
        "properties": {
            "apiVersion": {"type": "string", "description": "Version of the API, finops.dev/v1alpha1."},
            "kind": {"type": "string", "description": f"Always {kind.crd.kind}."},
            "metadata": {"type": "object"},
            "spec": _field_schema(kind, "spec", defaults=True),
            "status": _field_schema(kind, "status", defaults=False),
        },
    }
    if not schema["required"]:
        del schema["required"]
    return _ordered(with_rules(schema, kind.crd.rules))


def _field_schema(kind: type[Kind], name: str, *, defaults: bool) -> Schema:
    field = kind.model_fields[name]
    model = field.annotation
    assert isinstance(model, type)
    assert issubclass(model, BaseModel)
    whole = model.model_json_schema(by_alias=True, mode="validation")
    schema = _Converter(whole.get("$defs", {}), defaults=defaults).convert(whole)
    schema["description"] = field.description
    if defaults and not field.is_required():
        schema["default"] = model().model_dump(mode="json", by_alias=True, exclude_none=True)
    return _ordered(schema)


class _Converter:
    """Converts one schema, inlining its definitions."""

    def __init__(self, definitions: Mapping[str, Schema], *, defaults: bool) -> None:
        self._definitions = definitions
        self._defaults = defaults

    def convert(self, schema: Schema) -> Schema:
        schema = self._inlined(schema)
        made = {key: value for key, value in schema.items() if key not in _DROPPED}
        if "const" in made:
            made["enum"] = [made.pop("const")]
        if made.get("type") == "integer":
            made["format"] = "int32" if made.get("maximum", _INT32_MAXIMUM + 1) <= _INT32_MAXIMUM else "int64"
        self._convert_default(made)
        self._convert_children(made)
        return _ordered(made)

    def _convert_default(self, made: Schema) -> None:
        """Drop the defaults that only Python needs, write numbers as numbers, let objects of defaults appear."""
        if not self._defaults or made.get("default", ...) is None:
            made.pop("default", None)
        elif made.get("type") == "number" and "default" in made:
            made["default"] = plain_number(Decimal(made["default"]))

    def _convert_children(self, made: Schema) -> None:
        if "properties" in made:
            made["properties"] = {name: self.convert(child) for name, child in made["properties"].items()}
            made.pop("additionalProperties", None)
        elif isinstance(made.get("additionalProperties"), dict):
            made["additionalProperties"] = self.convert(made["additionalProperties"])
        if "items" in made:
            made["items"] = self.convert(made["items"])

    def _inlined(self, schema: Schema) -> Schema:
        """Replace a reference or an optional type by what it stands for; what is said beside it wins."""
        if "$ref" in schema:
            target = self._definitions[schema["$ref"].rsplit("/", 1)[-1]]
            return self._inlined({**target, **{key: value for key, value in schema.items() if key != "$ref"}})
        members = [member for member in schema.get("anyOf", []) if member != {"type": "null"}]
        if len(members) == 1:
            beside = {key: value for key, value in schema.items() if key != "anyOf"}
            return self._inlined({**members[0], **beside})
        return schema


def _ordered(schema: Schema) -> Schema:
    unknown = [key for key in schema if key not in _ORDER]
    if unknown:
        raise ValueError(f"no place in a structural schema for {', '.join(unknown)}")
    return {key: schema[key] for key in _ORDER if key in schema}
