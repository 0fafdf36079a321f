"""When a policy is due, as a pure function; called by the scheduler on every pass.

Due at the times of `spec.schedule` in `spec.timeZone`, at once for a policy never scanned or changed since, and when
someone sets the annotation `finops.dev/requestedAt` to a new value. A scan that saw nothing at all (no credentials, no
account) is repeated after a few minutes, then more and more rarely, so that correcting the cause shows. A restart
changes nothing: what was scanned is read from the status.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from finops.crds.scan_policy import ScanPolicy
from finops.domain.backoff import Backoff
from finops.errors import InvalidInput

REQUESTED_AT: Final = "finops.dev/requestedAt"
MAXIMUM_JITTER_SECONDS: Final = 30
"""Policies that share a schedule start up to this much apart, so that they do not all hit AWS in the same second."""
BLIND_RETRY: Final = timedelta(minutes=3)
_FIVE_FIELDS: Final = 5


@dataclass(frozen=True, slots=True)
class Due:
    """A verdict.

    Attributes:
        now: whether a scan should start now.
        reason: `NeverScanned`, `SpecChanged`, `Requested`, `NothingScanned`, `Schedule`, or why not: `Suspended`,
            `NotYet`.
        next_time: when to check again at the latest; None while suspended.
        requested_at: the annotation's value that this scan answers, empty when there is none.
    """

    now: bool
    reason: str
    next_time: datetime | None
    requested_at: str = ""


def next_run(schedule: str, time_zone: str, after: datetime) -> datetime:
    """Return the first time of `schedule` strictly after `after`, in UTC terms (aware, in the zone).

    Raises:
        InvalidInput: the zone or the schedule is unknown; names the field.
    """
    try:
        zone = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidInput(
            f"{time_zone!r} is not a time zone", field="spec.timeZone", hint="use an IANA name such as Europe/Berlin"
        ) from error
    if len(schedule.split()) != _FIVE_FIELDS:
        raise InvalidInput(
            f"{schedule!r} is not a schedule", field="spec.schedule", hint='use five cron fields, such as "0 * * * *"'
        )
    try:
        return next(CronSim(schedule, after.astimezone(zone)))
    except (CronSimError, StopIteration) as error:
        raise InvalidInput(
            f"{schedule!r} is not a schedule that ever comes: {error}",
            field="spec.schedule",
            hint='use five cron fields, such as "0 * * * *"',
        ) from error


def jitter(uid: str) -> timedelta:
    """Return a delay that is fixed for one policy and spread evenly over many."""
    digest = hashlib.sha256(uid.encode()).digest()
    return timedelta(seconds=int.from_bytes(digest[:4], "big") % MAXIMUM_JITTER_SECONDS)


def pause_after(failures: int, first: timedelta, policy: ScanPolicy, now: datetime) -> timedelta:
    """Return how long to wait after `failures` failed scans in a row.

    Twice as long each time, up to the time between two times of the schedule.

    Raises:
        InvalidInput: the schedule or the zone cannot be read.
    """
    coming = next_run(policy.spec.schedule, policy.spec.time_zone, now)
    longest = next_run(policy.spec.schedule, policy.spec.time_zone, coming) - coming
    grown = Backoff(first.total_seconds(), longest.total_seconds()).pause(failures)
    return max(first, timedelta(seconds=grown))


def due(policy: ScanPolicy, now: datetime, blind_retry: timedelta = BLIND_RETRY) -> Due:
    """Decide whether `policy` should be scanned now.

    Args:
        policy: what is asked for, and what its status says was scanned.
        now: the time.
        blind_retry: pause after a scan that saw nothing at all.

    Raises:
        InvalidInput: the schedule or the zone cannot be read.
    """
    spec, status = policy.spec, policy.status
    if spec.suspend:
        return Due(now=False, reason="Suspended", next_time=None)
    requested = policy.metadata.annotations.get(REQUESTED_AT, "")
    last = status.last_scan
    if last is None or last.completion_time is None:
        next_run(spec.schedule, spec.time_zone, now)
        return Due(now=True, reason="NeverScanned", next_time=now, requested_at=requested)
    if requested and requested != (status.last_handled_requested_at or ""):
        return Due(now=True, reason="Requested", next_time=now, requested_at=requested)
    if status.observed_generation != policy.metadata.generation:
        next_run(spec.schedule, spec.time_zone, now)
        return Due(now=True, reason="SpecChanged", next_time=now, requested_at=requested)
    planned = next_run(spec.schedule, spec.time_zone, last.start_time) + jitter(policy.metadata.uid or "")
    if planned <= now:
        return Due(now=True, reason="Schedule", next_time=planned, requested_at=requested)
    if status.monthly_cost is None:
        # Only a scan that saw nothing leaves no figure.
        again = min(planned, last.completion_time + blind_retry)
        return Due(now=again <= now, reason="NothingScanned", next_time=again, requested_at=requested)
    return Due(now=False, reason="NotYet", next_time=planned, requested_at=requested)
