"""What a written object must satisfy before admission: decoding, defaults and pruning, schema, CEL rules.

``writes`` calls it for every write, in the order of the real server.
"""

from collections.abc import Callable
from typing import Any

from finops_sandbox.kubernetes import schema
from finops_sandbox.kubernetes.defaults import apply_built_in_defaults
from finops_sandbox.kubernetes.known_kinds import KnownKinds
from finops_sandbox.kubernetes.metadata_rules import metadata_causes
from finops_sandbox.kubernetes.objects import BLOCKING_REASONS, Cause, Kind, Obj, bad_request, invalid
from finops_sandbox.kubernetes.schema_rules import SchemaRules

_UNCHECKED = (
    "Invalid value: null: some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation"
)


class Validation:
    """The rules of all known kinds, compiled when a kind is defined; ``report`` gets what cannot be compiled."""

    def __init__(self, kinds: KnownKinds, report: Callable[[str], None]) -> None:
        self._report = report
        self._rules: dict[tuple[str, str, str], SchemaRules] = {}
        kinds.follow(self._compile)

    @property
    def not_evaluated(self) -> list[str]:
        """Schema rules that could not be compiled, with their kind and path."""
        return [text for rules in self._rules.values() for text in rules.not_evaluated]

    def prepare(self, kind: Kind, obj: Obj, field_validation: str) -> list[str]:
        """Set defaults and drop fields that the schema does not know; returns a warning for each.

        Args:
            kind: what is written.
            obj: changed in place.
            field_validation: ``Strict``, ``Warn`` or ``Ignore``, as in the query parameter ``fieldValidation``.

        Raises:
            ApiError: 400 for an unknown field, when strict.
        """
        apply_built_in_defaults(kind, obj)
        if not kind.custom or not kind.schema:
            return []
        unknown = [f'unknown field "{path}"' for path in schema.prune(kind.schema, obj)]
        schema.apply_defaults(kind.schema, obj)
        if unknown and field_validation == "Strict":
            listed = ", ".join(unknown)
            message = (
                f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: '
                f"strict decoding error: {listed}"
            )
            raise bad_request(message)
        return [] if field_validation == "Ignore" else unknown

    def check(self, kind: Kind, obj: Obj, old: Obj | None) -> None:
        """Check metadata, schema and CEL rules of an object that takes the place of ``old``.

        Raises:
            ApiError: 422 with every cause; 400 where a built-in kind cannot be decoded.
        """
        causes = metadata_causes(kind, obj, old)
        if kind.schema:
            causes += schema.validate(kind.schema, obj)
        name = obj["metadata"].get("name") or ""
        if not kind.custom:
            if kind.schema and any(cause.reason == "FieldValueTypeInvalid" for cause in causes):
                text = "; ".join(cause.message for cause in causes)
                raise bad_request(f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: {text}')
        elif any(cause.reason in BLOCKING_REASONS for cause in causes):
            causes.append(Cause("<nil>", _UNCHECKED))
        else:
            causes += self._rules_of(kind).causes(obj, old)
        if causes:
            raise invalid(kind, name, causes)

    def _compile(self, kind: Kind) -> None:
        self._rules.pop((kind.group, kind.version, kind.plural), None)
        for text in self._rules_of(kind).not_evaluated:
            self._report(f"not evaluated: {text}")

    def _rules_of(self, kind: Kind) -> SchemaRules:
        key = kind.group, kind.version, kind.plural
        if key not in self._rules or self._rules[key].kind.schema is not kind.schema:
            self._rules[key] = SchemaRules(kind)
        return self._rules[key]


def decoded(kind: Kind, obj: Any) -> Obj:
    """The document as an object of the kind, with what a client may leave out.

    Raises:
        ApiError: 400 for what is no object, or one of another kind or version.
    """
    if not isinstance(obj, dict):
        raise bad_request(f"the object provided is unrecognized (must be of type {kind.kind})")
    obj.setdefault("apiVersion", kind.api_version)
    obj.setdefault("kind", kind.kind)
    if obj["apiVersion"] != kind.api_version:
        message = (
            f"the API version in the data ({obj['apiVersion']}) does not match the expected API version "
            f"({kind.api_version})"
        )
        raise bad_request(message)
    if obj["kind"] != kind.kind:
        raise bad_request(f"the kind in the data ({obj['kind']}) does not match the expected kind ({kind.kind})")
    if not isinstance(obj.setdefault("metadata", {}), dict):
        raise bad_request("metadata must be an object")
    return obj
