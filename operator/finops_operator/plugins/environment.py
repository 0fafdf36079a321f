"""Whether tags say that a resource is for tests or development, and so needs no production's safety. Pure.

Called by checks that give advice for such resources alone. Only whole words of common tags count: what carries no such
tag, or several that contradict each other, may be production.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_KEYS: Final = frozenset({"env", "environment", "stage"})
_WORDS: Final = frozenset(
    {
        "dev",
        "develop",
        "development",
        "demo",
        "nonprod",
        "non-prod",
        "non-production",
        "playground",
        "preview",
        "qa",
        "sandbox",
        "test",
        "testing",
    }
)


def environment_of(tags: Mapping[str, str]) -> str | None:
    """Return the word that says so, from our own list, None when nothing says it or a tag says otherwise."""
    said = {value.strip().casefold() for key, value in tags.items() if key.strip().casefold() in _KEYS}
    return min(said) if said and said <= _WORDS else None
