"""What the tags of a resource say: whether a policy selects it, and who owns it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

_OWNER_TAGS: Final = ("owner", "team", "contact")


def carries(
    tags: Mapping[str, str], include: Mapping[str, Sequence[str]], exclude: Mapping[str, Sequence[str]]
) -> bool:
    """Return whether `tags` have one of the values for every key of `include`, and none of `exclude`."""
    return not _carries_any(tags, exclude) and all(tags.get(key) in values for key, values in include.items())


def _carries_any(tags: Mapping[str, str], wanted: Mapping[str, Sequence[str]]) -> bool:
    return any(tags.get(key) in values for key, values in wanted.items())


def owner_of(tags: Mapping[str, str]) -> str:
    """Return who the tags say owns a resource: the first of `owner`, `team`, `contact`, whatever their case."""
    lowered = {key.lower(): value for key, value in tags.items()}
    return next((lowered[key] for key in _OWNER_TAGS if lowered.get(key, "").strip()), "")
