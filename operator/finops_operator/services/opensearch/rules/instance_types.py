"""Families of instance types: which AWS calls previous generation, and which Graviton family takes the place of which.

Sources: the tables "Current generation" and "Previous generation instance types" of
https://docs.aws.amazon.com/opensearch-service/latest/developerguide/supported-instance-types.html
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

SUCCESSORS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "c4": ("c5",),
        "i2": ("i3",),
        "m3": ("m5",),
        "m4": ("m5",),
        "r3": ("r5",),
        "r4": ("r5",),
        "t2": ("t3",),
    }
)
"""Previous family → current one with the same processors, whose sizes have no less memory."""

NEEDED: Final = (5, 1)
"""First version of Elasticsearch on the current families; every version of OpenSearch runs there."""

GRAVITON: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({"c5": ("c6g",), "m5": ("m6g",), "r5": ("r6g",)})
GRAVITON_NEEDED: Final = (7, 9)
"""First version of Elasticsearch on Graviton; every version of OpenSearch runs there."""

_ELASTICSEARCH: Final = "Elasticsearch_"
_OPENSEARCH: Final = "OpenSearch_"


def too_old(engine_version: str, needed: tuple[int, ...]) -> str:
    """Return why a version does not run on a family, empty when it does."""
    if engine_version.startswith(_OPENSEARCH):
        return ""
    numbers = engine_version.removeprefix(_ELASTICSEARCH).split(".")
    if not engine_version.startswith(_ELASTICSEARCH) or not all(one.isdigit() for one in numbers):
        return "its engine version is not known"
    if tuple(map(int, numbers)) < needed:
        return f"Elasticsearch {'.'.join(numbers)} does not run there, {'.'.join(map(str, needed))} does"
    return ""
