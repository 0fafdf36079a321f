"""The base of every object in our kinds, and of the kinds themselves.

A `Part` is an object inside a kind; a `Kind` is a whole object with apiVersion, metadata, spec and status.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, ClassVar, Final, Self

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, ValidationError, model_validator
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, to_jsonable_python

from finops.crds.crd import GROUP, VERSION, Crd
from finops.crds.invalid import ROOT, InvalidField, InvalidObject, invalid_fields, path_of, shortened
from finops.crds.metadata import Metadata
from finops.crds.rule import Rule, with_rules

API_VERSION = f"{GROUP}/{VERSION}"
_DEEPEST: Final = 60
_LONGEST_BITS: Final = 63
_JSON: Final = (str, bool, int, float, datetime, date, type(None))


class Part(BaseModel):
    """A frozen object: snake_case in Python, camelCase in Kubernetes, nothing unknown accepted."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )
    rules: ClassVar[tuple[Rule, ...]] = ()

    @model_validator(mode="after")
    def _keep_rules(self) -> Self:
        for rule in self.rules:
            rule.check(self)
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        made = handler.resolve_ref_schema(handler(schema))
        made.update(with_rules(made, cls.rules))
        for alias, default in _made_defaults(cls).items():
            made["properties"][alias]["default"] = default
        return made

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types as the API server wants them: camelCase, absent values left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Kind(Part):
    """A whole object. Subclasses add `spec`, `status` and their `crd`."""

    crd: ClassVar[Crd]
    metadata: Metadata

    @classmethod
    def from_object(cls, obj: Mapping[str, Any], *, newer: bool = False) -> Self:
        """Parse an object as the API server, a watch or a file gives it.

        Absent and null fields get their defaults, unknown fields and wrong types are refused.

        Args:
            obj: the object.
            newer: it may be of a newer release: fields that this one does not know are left out instead. For readers
                that only show it; whoever acts on an object must know all of it.

        Raises:
            InvalidObject: with every field that is wrong, the rule it breaks and what to write instead.
        """
        name = _name_of(obj)
        _require_kind(obj, cls.crd.kind, name)
        body = {key: value for key, value in obj.items() if key not in {"apiVersion", "kind"}}
        unfit = tuple(_unfit(body, ()))
        if unfit:
            raise InvalidObject(cls.crd.kind, name, unfit)
        text = json.dumps(_without_nulls(body), default=_plain, allow_nan=False)
        try:
            return cls._parsed(text)
        except ValidationError as error:
            unknown = [detail["loc"] for detail in error.errors() if detail["type"] == "extra_forbidden"]
            if not newer or not unknown:
                raise InvalidObject(cls.crd.kind, name, invalid_fields(error, cls)) from error
        try:
            return cls._parsed(_without(text, unknown))
        except ValidationError as error:
            raise InvalidObject(cls.crd.kind, name, invalid_fields(error, cls)) from error

    @classmethod
    def _parsed(cls, text: str) -> Self:
        return cls.model_validate_json(text, strict=True, by_alias=True, by_name=False)

    def to_object(self) -> dict[str, Any]:
        """The object as the API server wants it, apiVersion and kind included."""
        metadata = self.metadata.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return {"apiVersion": API_VERSION, "kind": self.crd.kind, **self.to_dict(), "metadata": metadata}


def _made_defaults(model: type[BaseModel]) -> dict[str, Any]:
    """The defaults of a model that are made by a factory, by alias, as JSON.

    Objects are spelled out, because the API server judges a default by the rules before it fills in inner defaults.
    """
    made: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if field.default_factory is not None:
            value = field.get_default(call_default_factory=True, validated_data={})
            made[field.alias or name] = value.to_dict() if isinstance(value, Part) else to_jsonable_python(value)
    return made


def _name_of(obj: Mapping[str, Any]) -> str:
    metadata = obj.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    return name if isinstance(name, str) else ""


def _require_kind(obj: Mapping[str, Any], kind: str, name: str) -> None:
    fields = [
        InvalidField(path=key, rule=f"is {shortened(obj.get(key))}", hint=f"write {wanted}")
        for key, wanted in (("apiVersion", API_VERSION), ("kind", kind))
        if obj.get(key) != wanted
    ]
    if fields:
        raise InvalidObject(kind, name, fields)


def _unfit(value: Any, place: tuple[int | str, ...]) -> Iterator[InvalidField]:
    """Yield what JSON, and so the API server, cannot hold; what is nested too deeply is not read."""
    if isinstance(value, Mapping | list | tuple):
        if len(place) > _DEEPEST:
            yield _unfit_at(place, f"is nested more than {_DEEPEST} deep", "write it as kubectl explain shows it")
        elif isinstance(value, Mapping):
            for key, inner in value.items():
                yield from _unfit(inner, (*place, str(key)))
                if not isinstance(key, str | int | float | None) or _broken(str(key)):
                    yield _unfit_at(place, "has a key that is not a string", "write a plain word before the colon")
        else:
            for number, inner in enumerate(value):
                yield from _unfit(inner, (*place, number))
    elif isinstance(value, float) and not math.isfinite(value):
        yield _unfit_at(place, "is not a number", "write a finite number; .nan and .inf are none")
    elif isinstance(value, int) and value.bit_length() > _LONGEST_BITS:
        yield _unfit_at(place, "is out of range", "write a number of at most 18 digits")
    elif isinstance(value, str) and _broken(value):
        yield _unfit_at(place, "holds half a character", "write whole characters, not \\ud800 to \\udfff")
    elif not isinstance(value, _JSON):
        yield _unfit_at(place, f"is not plain JSON (a {type(value).__name__})", "use texts, numbers, lists, objects")


def _unfit_at(place: tuple[int | str, ...], rule: str, hint: str) -> InvalidField:
    return InvalidField(path_of(place) or ROOT, rule, hint)


def _broken(text: str) -> bool:
    """Whether a text has no form in UTF-8."""
    return not text.isascii() and any("\ud800" <= sign <= "\udfff" for sign in text)


def _without_nulls(value: Any) -> Any:
    """Drop null fields: the API server does so before it fills in defaults."""
    if isinstance(value, Mapping):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list | tuple):
        return [_without_nulls(inner) for inner in value]
    return value


def _without(text: str, places: Iterable[tuple[int | str, ...]]) -> str:
    """Return JSON without the fields at some places."""
    document = json.loads(text)
    for *parents, last in places:
        value = document
        for part in parents:
            value = value[part]
        del value[last]
    return json.dumps(document)


def _plain(value: object) -> str:
    """Times that a YAML reader already turned into Python's own."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not JSON")
