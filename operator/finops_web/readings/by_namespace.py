"""Objects of one kind in several namespaces, as far as a visitor may list them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from finops.domain.resource import Gap
from finops.errors import Refused

T = TypeVar("T")


def by_namespace(
    namespaces: Iterable[str], read: Callable[[str], Iterable[T]], plural: str, noun: str
) -> tuple[list[T], tuple[Gap, ...]]:
    """Return what was read, and a gap for each namespace that is closed to the visitor.

    Args:
        namespaces: where to read.
        read: lists one namespace.
        plural: of the kind, as roles name it.
        noun: what people call its objects.

    Raises:
        ClusterUnavailable: the API server does not answer.
    """
    found: list[T] = []
    gaps: list[Gap] = []
    for namespace in sorted(namespaces):
        try:
            found.extend(read(namespace))
        except Refused as error:
            gaps.append(_closed(namespace, plural, noun, error))
    return found, tuple(gaps)


def place_of(namespace: str) -> str:
    """Return what a gap says of where it is."""
    return f"namespace {namespace}"


def _closed(namespace: str, plural: str, noun: str, error: Refused) -> Gap:
    return Gap(
        account=place_of(namespace),
        region="",
        service="kubernetes",
        operation=f"list {plural}",
        code=error.code or "Forbidden",
        message=f"You may not read the {noun} of this namespace; they are missing here. "
        f"A role with get and list on {plural} shows them.",
    )
