"""Domain values as stored JSON, by pydantic: the dataclass is the schema, so a new field needs no second list.

Used by the parts of the store whose bytes nothing hashes or signs; the ledger's canonical form stands in
`finops.domain.canonical`, the public JSON of recommendations beside their store. Against code written by hand 10,000
resources are written in a quarter of the time and read in two thirds of it, with half the memory (ADR 0017).
"""

from __future__ import annotations

import json
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError

T = TypeVar("T")


class Record(Generic[T]):
    """Writes and reads one type: a dataclass, or a tuple or mapping of them."""

    def __init__(self, kind: Any) -> None:
        # What was JSON before needs no validation of its own: pydantic finds this in place of the recursive alias.
        Json = Any  # noqa: N806, F841
        self._adapter: TypeAdapter[T] = TypeAdapter(kind)

    def text(self, value: T) -> str:
        """Return the stored form."""
        try:
            return self._adapter.dump_json(value).decode()
        except PydanticSerializationError:
            # Half a surrogate pair, which a service's JSON may carry in a tag and no UTF-8 can: kept as "?".
            plain = json.dumps(self._adapter.dump_python(value, mode="json"), ensure_ascii=False)
            return plain.encode("utf-8", "replace").decode()

    def value(self, text: str) -> T:
        """Return the value behind a stored form.

        Raises:
            pydantic.ValidationError: the text is not one.
        """
        return self._adapter.validate_json(text)

    def value_or_none(self, text: str) -> T | None:
        """Return the value behind a stored form, None for any other text: whoever writes the store can write it."""
        try:
            return self.value(text)
        except ValueError:
            return None
