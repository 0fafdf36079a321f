"""``x-kubernetes-validations``: the CEL rules of a structural schema, with transition rules.

Rules are compiled when a definition is loaded; what cannot be evaluated is remembered in ``not_evaluated``. Called by
``writes`` after structural validation.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from finops_sandbox.kubernetes.cel import EvaluationFailed, Expression, NotEvaluable, expression_of, typed
from finops_sandbox.kubernetes.cel_functions import Optional
from finops_sandbox.kubernetes.objects import Cause, Kind, Obj
from finops_sandbox.kubernetes.schema import join

_MISSING = object()
_MOST_REMEMBERED = 20_000
_WORDS = {
    "FieldValueForbidden": "Forbidden: {text}",
    "FieldValueRequired": "Required value: {text}",
    "FieldValueDuplicate": "Duplicate value: {text}",
}


@dataclass(frozen=True)
class _Rule:
    expression: Expression
    stated_message: str
    message_expression: Expression | None
    reason: str
    field: str
    optional_old: bool

    @property
    def message(self) -> str:
        return self.stated_message or f"failed rule: {self.expression.text.strip()}"

    @property
    def is_transition(self) -> bool:
        return "oldSelf" in self.expression.names


class SchemaRules:
    """The compiled rules of one kind."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.not_evaluated: list[str] = []
        self._rules: dict[int, list[_Rule]] = {}
        self._held: set[tuple[int, bytes, bytes]] = set()
        if kind.schema:
            self._compile(kind.schema, "")

    def causes(self, obj: Obj, old: Obj | None) -> list[Cause]:
        """Every rule the object breaks, in the order of the schema.

        Args:
            obj: the object after defaulting and pruning, structurally valid.
            old: its predecessor; transition rules are skipped without one.
        """
        schema = self.kind.schema
        if not schema or not self._rules:
            return []
        return list(self._walk(schema, obj, old if old is not None else _MISSING, "", root=True))

    def _compile(self, schema: Obj, path: str) -> None:
        rules: list[_Rule] = []
        for rule in schema.get("x-kubernetes-validations") or ():
            where = f"{self.kind.qualified_kind} {path or '(root)'}: {rule['rule']}"
            try:
                text = rule.get("messageExpression")
                rules.append(
                    _Rule(
                        expression_of(rule["rule"]),
                        rule.get("message") or "",
                        expression_of(text) if text else None,
                        rule.get("reason") or "FieldValueInvalid",
                        rule.get("fieldPath") or "",
                        bool(rule.get("optionalOldSelf")),
                    ),
                )
            except NotEvaluable as error:
                self.not_evaluated.append(f"{where} ({error})")
        if rules:
            self._rules[id(schema)] = rules
        for name, sub in (schema.get("properties") or {}).items():
            self._compile(sub, join(path, name))
        for word, mark in (("items", "[]"), ("additionalProperties", "{}")):
            if isinstance(schema.get(word), dict):
                self._compile(schema[word], path + mark)

    def _walk(self, schema: Obj, value: Any, old: Any, path: str, *, root: bool = False) -> Iterator[Cause]:
        if value is None:
            return
        rules = self._rules.get(id(schema), ())
        now, before = (_mark(value), _mark(old)) if rules else (b"", b"")
        for rule in rules:
            # A rule says the same of the same values for ever, and a status is written without a change to the spec.
            key = id(rule), now, before if rule.is_transition else b""
            if key in self._held:
                continue
            cause = self._apply(rule, schema, value, old, path, root=root)
            if cause is not None:
                yield cause
            else:
                self._remember(key)
        if isinstance(value, dict):
            yield from self._walk_map(schema, value, old, path)
        elif isinstance(value, list) and isinstance(schema.get("items"), dict):
            for index, item in enumerate(value):
                yield from self._walk(schema["items"], item, _old_item(schema, item, old), f"{path}[{index}]")

    def _remember(self, held: tuple[int, bytes, bytes]) -> None:
        if len(self._held) >= _MOST_REMEMBERED:
            self._held.clear()
        self._held.add(held)

    def _walk_map(self, schema: Obj, value: Obj, old: Any, path: str) -> Iterator[Cause]:
        properties, extra = schema.get("properties") or {}, schema.get("additionalProperties")
        for name, child in value.items():
            before = old.get(name, _MISSING) if isinstance(old, dict) else _MISSING
            if name in properties:
                yield from self._walk(properties[name], child, before, join(path, name))
            elif isinstance(extra, dict):
                yield from self._walk(extra, child, before, f"{path}[{name}]")

    def _apply(self, rule: _Rule, schema: Obj, value: Any, old: Any, path: str, *, root: bool) -> Cause | None:
        variables: dict[str, Any] = {"self": typed(value, schema, root=root)}
        if rule.is_transition:
            known = old is not _MISSING
            if not known and not rule.optional_old:
                return None
            before = typed(old, schema, root=root) if known else None
            variables["oldSelf"] = Optional(before, known) if rule.optional_old else before
        try:
            if rule.expression.holds(variables):
                return None
            text = rule.message
        except EvaluationFailed as error:
            what = schema.get("type", "object")
            message = rule.stated_message or rule.expression.text.strip()
            wrong_types = "call arguments did not match a supported operator, function or macro signature"
            text = f"'{error}': {wrong_types} for" if str(error) == "no such overload" else f"{error} evaluating"
            return Cause(path or "<nil>", f'Invalid value: "{what}": {text} rule: {message}')
        if rule.message_expression is not None:
            try:
                text = str(rule.message_expression.evaluate(variables))
            except EvaluationFailed:
                text = rule.message
        return _cause(rule, value, text, path)


def _mark(value: Any) -> bytes:
    """Return a few bytes that stand for a JSON value."""
    text = "" if value is _MISSING else json.dumps(value, sort_keys=True)
    return blake2b(text.encode(), digest_size=16).digest()


def _cause(rule: _Rule, value: Any, text: str, path: str) -> Cause:
    field = (path + rule.field if path else rule.field.lstrip(".")) or "<nil>"
    if rule.reason in _WORDS:
        return Cause(field, _WORDS[rule.reason].format(text=text), rule.reason)
    shown = _shown(value)
    return Cause(field, f"Invalid value: {shown}: {text}" if shown else f"Invalid value: {text}", rule.reason)


def _shown(value: Any) -> str:
    """Scalars are printed, objects and lists are not."""
    if isinstance(value, dict | list):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _old_item(schema: Obj, item: Any, old: Any) -> Any:
    """The predecessor of a list item, which only lists of type map have."""
    keys = schema.get("x-kubernetes-list-map-keys")
    if schema.get("x-kubernetes-list-type") != "map" or not isinstance(old, list) or not keys:
        return _MISSING
    return next((o for o in old if all(o.get(k) == item.get(k) for k in keys)), _MISSING)
