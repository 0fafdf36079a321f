"""Tags of many resources in little memory: those that say the same share it, but for the tag that is the name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

_MOST: Final = 4096
_OWN_NAME: Final = None
"""In place of a value: the resource's own name, in which resources differ that are tagged alike."""


class KeptTags(Mapping[str, str]):
    """The tags of one resource; read like a dict, and equal to one that says the same."""

    __slots__ = ("_name", "_pairs")

    def __init__(self, pairs: tuple[str | None, ...], name: str) -> None:
        """`pairs` are key, value, key, value: one tuple takes less than one of keys and one of values."""
        self._pairs: Final = pairs
        self._name: Final = name

    def __getitem__(self, key: str) -> str:
        for place in range(0, len(self._pairs), 2):
            if self._pairs[place] == key:
                value = self._pairs[place + 1]
                return self._name if value is _OWN_NAME else value
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return (key for key in self._pairs[::2] if key is not None)

    def __len__(self) -> int:
        return len(self._pairs) // 2

    def __repr__(self) -> str:
        return repr(dict(self))


class Words:
    """The texts that many resources have, each of them once; made for one reading of a shard."""

    def __init__(self) -> None:
        self._pairs: dict[tuple[str | None, ...], tuple[str | None, ...]] = {}
        self._texts: dict[str, str] = {}

    def text(self, text: str) -> str:
        """Return an equal text that was seen before, else this one. Of very many different ones not all are known."""
        if len(self._texts) < _MOST:
            return self._texts.setdefault(text, text)
        return self._texts.get(text, text)

    def tags(self, tags: Mapping[str, str], name: str = "") -> KeptTags:
        """Return `tags` in little memory; one that says the resource's `name` is that text."""
        found: list[str | None] = []
        for key, value in tags.items():
            found += (self.text(key), _OWN_NAME if value == name else self.text(value))
        pairs = tuple(found)
        shared = self._pairs.get(pairs)
        if shared is None:
            shared = pairs
            if len(self._pairs) < _MOST:
                self._pairs[pairs] = pairs
        return KeptTags(shared, name)
