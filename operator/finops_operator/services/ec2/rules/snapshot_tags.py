"""The tags of the snapshots before a volume's deletion: the volume's own, ours, and for how long to keep them.

Called by the plans of the deletions and by the checks of snapshots. Policies of an organization that enforce tags, and
reports that split costs by them, find on a snapshot what they find on its volume. AWS's own tags (`aws:`) cannot be
given; a resource has 50 at most, of which ours come first and the volume's follow by their keys. How long to keep a
snapshot is said in days from its own start, which AWS records: a date would be another plan on every day, and people
approve one plan. Nothing deletes a snapshot by it.
Source: Amazon EC2 user guide, "Tag your Amazon EC2 resources" (tag restrictions); EC2 API reference, CreateSnapshot.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from finops.domain.canonical import Json
from finops.domain.parameter import ParameterSpec
from finops.errors import InvalidInput
from finops_operator.plugins.action import REQUEST_PLACEHOLDER, Parameters
from finops_operator.services.ec2.rules.volume_observation import REQUEST_TAG, STEP_TAG

EXPIRES_TAG: Final = "finops.dev/expires-after-days"
DAYS: Final = "snapshotExpiryDays"
"""Parameter of the deletions, which rules of one's own need not give."""
TOO_LONG: Final = "too long"
"""Stands in a fingerprint's `tagList` where the tags are too many or too long to be set again on a volume."""
SOME_TAGS: Final = "someTags"
_OURS: Final = frozenset({REQUEST_TAG, STEP_TAG, EXPIRES_TAG})
_MOST_TAGS: Final = 50
_ROOM: Final = 3300
"""Characters of the own tags in the call, which a request shows in 4,096."""
_MOST_DAYS: Final = 3650
_DEFAULT_DAYS: Final = 90
KEPT_FOR: Final = ParameterSpec(
    name=DAYS,
    unit="days",
    default=Decimal(_DEFAULT_DAYS),
    minimum=Decimal(1),
    maximum=Decimal(_MOST_DAYS),
    description=f"The snapshots of the deletion carry this as the tag `{EXPIRES_TAG}`; nothing deletes them by it.",
)


def fitting(own: Mapping[str, str]) -> dict[str, str]:
    """Return which of a volume's own tags its snapshots get beside ours, in the order of their keys.

    One that there is no room for is left out, not the shorter ones behind it.
    """
    chosen: dict[str, str] = {}
    left = _ROOM
    for key, value in sorted(own.items()):
        length = len(json.dumps({"Key": key, "Value": value}))
        if key.startswith("aws:") or key in _OURS or length > left:
            continue
        if len(chosen) == _MOST_TAGS - len(_OURS):
            break
        chosen[key] = value
        left -= length
    return chosen


def all_fit(own: Mapping[str, str]) -> bool:
    """Return whether the snapshots get every tag of the volume that can be given."""
    wanted = {key for key in own if not key.startswith("aws:") and key not in _OURS}
    return wanted == fitting(own).keys()


def expiry_days(parameters: Parameters) -> int:
    """Return for how many days the snapshots are to be kept.

    Raises:
        InvalidInput: it is no number of days from 1 to 3,650.
    """
    days = parameters.get(DAYS, _DEFAULT_DAYS)
    if type(days) is int and 1 <= days <= _MOST_DAYS:
        return days
    raise InvalidInput(f"{days!r} is no number of days", field=f"parameters.{DAYS}", hint=f"1 to {_MOST_DAYS}")


def kept_for(parameters: Parameters) -> dict[str, Json]:
    """Return the parameter as a plan holds it. Raises InvalidInput as `expiry_days`."""
    return {DAYS: expiry_days(parameters)} if DAYS in parameters else {}


def chosen_days(parameters: Mapping[str, Decimal]) -> dict[str, Json]:
    """Return the action's parameter for what a policy says to a check."""
    return {DAYS: int(parameters[DAYS])}


def snapshot_tags(step: str, parameters: Parameters, assumed: Mapping[str, str]) -> list[Json]:
    """Return the tags of the snapshot of a step. Raises InvalidInput for parameters that are none."""
    days = str(expiry_days(parameters))
    ours = {REQUEST_TAG: REQUEST_PLACEHOLDER, STEP_TAG: step, EXPIRES_TAG: days}
    return [{"Key": key, "Value": value} for key, value in sorted({**_own(assumed), **ours}.items())]


def _own(assumed: Mapping[str, str]) -> dict[str, str]:
    listed = assumed.get("tagList", "{}")
    own = json.loads(assumed.get(SOME_TAGS, "{}") if listed == TOO_LONG else listed)
    return fitting({str(key): str(value) for key, value in own.items()})


def made_by_us(tags: Mapping[str, str]) -> bool:
    """Return whether a snapshot says that an act of ours made it before a deletion."""
    return all(tags.get(key) for key in _OURS)


def of_an_act(tags: Mapping[str, str]) -> bool:
    """Return whether an act of ours made a snapshot, of whichever version and with whatever else it carries."""
    return REQUEST_TAG in tags


def expires(tags: Mapping[str, str], taken: datetime) -> datetime | None:
    """Return until when a snapshot of ours is to be kept; None: its tag holds no number of days."""
    text = tags.get(EXPIRES_TAG, "")
    if not (text.isascii() and text.isdigit() and 1 <= len(text) <= len(str(_MOST_DAYS))):
        return None
    return taken + timedelta(days=int(text))
