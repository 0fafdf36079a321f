"""The manual snapshot that people name of a domain before it may be deleted: what it is called, and where they say it.

AWS makes no final snapshot, and no call of the service lists the manual ones: only the domain itself knows of them. So
it is their word that one exists, said by a tag of the domain, which only who may change the domain can set. Pure.
Source: OpenSearch Service developer guide, "Creating index snapshots in Amazon OpenSearch Service".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from finops.errors import InvalidInput
from finops_operator.plugins.action import Parameters, Refusal

TAG: Final = "finops.dev/manual-snapshot"
PARAMETER: Final = "snapshot"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}/[a-z0-9][a-z0-9._-]{0,127}")
"""Repository and snapshot. OpenSearch takes no capitals in the second; we take nothing that could be read as more."""
HOW: Final = f"make a manual snapshot and name it in the tag {TAG}: repository/snapshot"


def stated(tags: Mapping[str, str]) -> str:
    """Return the snapshot that the tag names, empty where it names none."""
    found = tags.get(TAG, "")
    return found if _NAME.fullmatch(found) else ""


def wanted(parameters: Parameters) -> str:
    """Return the snapshot of an act, empty where none was named.

    Raises:
        InvalidInput: it is no name of a repository and a snapshot.
    """
    value = parameters.get(PARAMETER, "")
    if not isinstance(value, str) or (value and not _NAME.fullmatch(value)):
        raise InvalidInput("it is no snapshot", field=f"parameters.{PARAMETER}", hint="repository/snapshot")
    return value


def refusals(tags: Mapping[str, str], parameters: Parameters) -> Iterator[Refusal]:
    """Yield why the word of people does not stand for the deletion."""
    named, now = wanted(parameters), stated(tags)
    if not named:
        yield Refusal("NoSnapshotNamed", f"Nobody named a snapshot of it: {HOW}.")
    elif now != named:
        yield Refusal("OtherSnapshotNamed", f"Its tag {TAG} does not name the snapshot {named}.")
