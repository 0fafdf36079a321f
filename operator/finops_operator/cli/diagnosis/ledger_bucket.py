"""Would the ledger's bucket lock what is written there, and may we read it: asked with the operator's own check."""

from __future__ import annotations

from typing import Final

from finops.errors import FinopsError
from finops.ports.clock import Clock
from finops.settings import Settings
from finops_operator.aws.bucket_place import bucket_of
from finops_operator.aws.counting import CallCounter
from finops_operator.aws.locked_bucket import S3Bucket
from finops_operator.aws.session import SdkSessions
from finops_operator.cli.diagnosis.result import Result, Results, Verdict, failed, ok

_PART = "ledger"
_CHECK = "bucket"
_OVERDUE: Final = 6
"""A lock is renewed with a third of its time left, and at the latest a twelfth later; a sixth is never reached."""
_RENEW: Final = "the operator renews locks while it runs: its log names the call that S3 refuses"


def diagnose_ledger_bucket(settings: Settings, clock: Clock) -> Results:
    """Yield what is to be said about the bucket that the settings name; nothing when they name none."""
    try:
        place = bucket_of(settings)
        if place is None:
            return
        bucket = S3Bucket(SdkSessions(CallCounter(), demo=settings.demo), place, clock)
        bucket.check()
        objects = tuple(bucket.stored())
        touched = [one.name for one in objects if one.changes]
        ends = bucket.locked_until(objects[0]) if objects else None
        longest = bucket.period()
    except FinopsError as error:
        yield failed(_PART, _CHECK, error)
        return
    if touched:
        seen = f"{len(touched)} objects of {bucket.url} were written again or deleted, the first one is {touched[0]}"
        hint = "their first versions are kept: finops audit export --from, and finops audit verify"
        yield Result(_PART, _CHECK, Verdict.FAILED, seen, hint)
        return
    if objects and ends is None:
        seen = f"until when the first object of {bucket.url} is locked is not known, if it is locked at all"
        yield Result(
            _PART, _CHECK, Verdict.UNKNOWN, seen, "give its writer all rights of: finops iam-policy --for ledger"
        )
        return
    if ends is not None and ends - clock.now() < longest / _OVERDUE:
        seen = (
            f"the first object of {bucket.url} is locked until {ends:%Y-%m-%d} only, and was to be locked anew by now"
        )
        yield Result(_PART, _CHECK, Verdict.WARNING, seen, _RENEW)
        return
    period = f"for {place.days} days" if place.days else "as long as its default retention says"
    yield ok(_PART, _CHECK, f"{bucket.url} locks each object {period}, {place.mode.lower()} mode")
