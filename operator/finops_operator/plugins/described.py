"""What every collector says the same way: a failed read becomes a Gap, tags a mapping, times aware.

Called by the collectors and by the discover stage.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from finops.domain.resource import Gap
from finops.errors import AwsError
from finops.ports.aws_read import PageReader


def gap_of(error: AwsError, reader: PageReader) -> Gap:
    """Return the Gap that `error` leaves in what `reader` can see; how many resources are lost is unknown."""
    service, _, operation = error.operation.partition(":")
    return Gap(reader.account, reader.region, service, operation, error.code, str(error))


def tags_of(described: Mapping[str, Any]) -> dict[str, str]:
    """Return a `Tags` list of keys and values as a mapping; the text is untrusted and stays as it is.

    A kind whose API gives tags another way (a mapping, a call of its own) reads them itself.
    """
    return {str(tag.get("Key", "")): str(tag.get("Value", "")) for tag in described.get("Tags") or ()}


def parse_time(text: object) -> datetime | None:
    """Return AWS's ISO 8601 text as an aware time, None when it is absent or unreadable."""
    if not isinstance(text, str) or not text:
        return None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def parse_seconds(number: object) -> datetime | None:
    """Return a time that JSON carries as seconds since the epoch, None when it is absent or no number."""
    if number is None or isinstance(number, bool):
        return None
    try:
        return datetime.fromtimestamp(float(str(number)), tz=UTC)
    except (ValueError, OverflowError, OSError):
        return None


def moment_of(value: object) -> datetime | None:
    """Return a time that AWS writes as ISO 8601 text or as seconds, by its protocol; None when it is absent."""
    return parse_time(value) or parse_seconds(value)
