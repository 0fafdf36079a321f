"""What Object Lock refuses and moto takes.

Source: S3 User Guide, "Locking objects with Object Lock": a version in compliance mode is neither deleted nor given a
shorter retention by anybody, one in governance mode only with ``s3:BypassGovernanceRetention`` and the header that asks
for it; the date until which an object is retained is in the future; conditional writes know ``If-None-Match: *`` alone.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from finops_sandbox.aws.calls import Call
from finops_sandbox.aws.errors import AwsError

_COMPLIANCE = "COMPLIANCE"


def _versions(call: Call) -> list[Any]:
    from moto.s3.models import s3_backends  # noqa: PLC0415 - moto loads slowly

    bucket = s3_backends[call.account]["aws"].buckets.get(str(call.parameters.get("Bucket")))
    return [] if bucket is None else list(bucket.keys.getlist(str(call.parameters.get("Key")), []))


def _refuse_write(call: Call) -> None:
    condition = call.parameters.get("IfNoneMatch")
    if condition not in {None, "*"}:
        message = "A header you provided implies functionality that is not implemented"
        raise AwsError("NotImplemented", message, 501)
    until = call.parameters.get("ObjectLockRetainUntilDate")
    if (until is None) != (call.parameters.get("ObjectLockMode") is None):
        message = "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied"
        raise AwsError("InvalidArgument", message)
    if until is not None and _time(until) <= datetime.now(UTC):
        raise AwsError("InvalidArgument", "The retain until date must be in the future!")


def _refuse_retention(call: Call) -> None:
    wanted = call.parameters.get("Retention") or {}
    until = _time(wanted["RetainUntilDate"]) if wanted.get("RetainUntilDate") else datetime.min.replace(tzinfo=UTC)
    bypass = str(call.parameters.get("BypassGovernanceRetention", "")).lower() == "true"
    versions = _versions(call)
    asked = call.parameters.get("VersionId")
    for version in [one for one in versions if asked in {None, str(one.version_id)}][-1:]:
        mode, locked_until = getattr(version, "lock_mode", None), getattr(version, "lock_until", None)
        weaker = mode == _COMPLIANCE and wanted.get("Mode") != _COMPLIANCE
        if locked_until and (until < _time(locked_until) or weaker) and (mode == _COMPLIANCE or not bypass):
            raise AwsError("AccessDenied", "Access Denied because object protected by object lock.", 403)


def _time(text: str) -> datetime:
    found = datetime.fromisoformat(str(text))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


REFUSALS: dict[tuple[str, str], Callable[[Call], None]] = {
    ("s3", "PutObject"): _refuse_write,
    ("s3", "PutObjectRetention"): _refuse_retention,
}
"""What is asked before moto answers; raises AwsError for what AWS refuses."""
