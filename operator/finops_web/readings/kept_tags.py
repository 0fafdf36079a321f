"""Tags of many resources in little memory: those with the same keys share them, and a value is a tuple, not a dict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

_MOST: Final = 4096


class KeptTags(Mapping[str, str]):
    """The tags of one resource; read like a dict, and equal to one that says the same."""

    __slots__ = ("_keys", "_values")

    def __init__(self, keys: tuple[str, ...], values: tuple[str, ...]) -> None:
        self._keys: Final = keys
        self._values: Final = values

    def __getitem__(self, key: str) -> str:
        if key in self._keys:
            return self._values[self._keys.index(key)]
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        return repr(dict(self))


class Words:
    """The texts that many resources have, each of them once; made for one reading of a shard."""

    def __init__(self) -> None:
        self._keys: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._texts: dict[str, str] = {}

    def text(self, text: str) -> str:
        """Return an equal text that was seen before, else this one. Of very many different ones not all are known."""
        if len(self._texts) < _MOST:
            return self._texts.setdefault(text, text)
        return self._texts.get(text, text)

    def tags(self, tags: Mapping[str, str], name: str = "") -> KeptTags:
        """Return `tags` in little memory; one that says the resource's `name` is that text."""
        keys = tuple(map(self.text, tags))
        values = (name if value == name else self.text(value) for value in tags.values())
        return KeptTags(self._keys.setdefault(keys, keys), tuple(values))
