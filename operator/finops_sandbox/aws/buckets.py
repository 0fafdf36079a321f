"""Buckets of an estate, and the lifecycle configurations that S3 refuses and moto takes.

Source: S3 API reference, PutBucketLifecycleConfiguration (1,000 rules, one form of rule in a configuration, ids that
differ) and the header ``x-amz-expected-bucket-owner``. Seeded by the seeding module; the gateway asks for refusals
before moto answers.
"""

from collections.abc import Callable, Mapping
from typing import Any

from finops_sandbox.aws.calls import Call
from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.estate import Place
from finops_sandbox.aws.estate_services import BucketSpec

PREFIX = "bucket:"
"""Of a bucket's name where a resource of any kind is named."""
_MOST_RULES = 1000


def _backend(account: str) -> Any:
    from moto.s3.models import s3_backends  # noqa: PLC0415 - moto loads slowly

    return s3_backends[account]["aws"]


def seed(place: Place, spec: BucketSpec) -> None:
    """Put a bucket into moto, with lifecycle rules as S3's XML names their members."""
    backend = _backend(place.account)
    backend.create_bucket(spec.name, place.region)
    backend.put_bucket_tagging(spec.name, dict(spec.tags))
    if spec.rules:
        backend.put_bucket_lifecycle(spec.name, [dict(rule) for rule in spec.rules])


def shown(account: str, _region: str, name: str) -> dict[str, Any]:
    """State of one bucket; ``aborted`` are the ids of rules that end unfinished uploads, with their days.

    Raises:
        AwsError: there is none of that name.
    """
    rules = _named(account, name).rules
    aborted = {rule.id: int(rule.aimu_days) for rule in rules if rule.aimu_days}
    return {"id": f"{PREFIX}{name}", "kind": "s3-bucket", "rules": [rule.id for rule in rules], "aborted": aborted}


def change(account: str, _region: str, name: str, changes: Mapping[str, Any]) -> None:
    """Change a bucket as a person would: its lifecycle `rules`, `delete`."""
    bucket = _named(account, name)
    if "rules" in changes:
        bucket.set_lifecycle([dict(rule) for rule in changes["rules"]])
    if changes.get("delete"):
        _backend(account).delete_bucket(name)


def _named(account: str, name: str) -> Any:
    found = _backend(account).buckets.get(name)
    if found is None:
        raise AwsError("NoSuchBucket", "The specified bucket does not exist", 404)
    return found


def _refuse_owner(call: Call) -> None:
    if call.parameters.get("ExpectedBucketOwner", call.account) != call.account:
        raise AwsError("AccessDenied", "Access Denied", 403)


def _refuse_rules(call: Call) -> None:
    _refuse_owner(call)
    found = (call.parameters.get("LifecycleConfiguration") or {}).get("Rule") or []
    rules = found if isinstance(found, list) else [found]
    if not rules or len(rules) > _MOST_RULES:
        raise AwsError(
            "MalformedXML", "The XML you provided was not well-formed or did not validate against our schema"
        )
    if any("Prefix" in rule for rule in rules) and any("Filter" in rule for rule in rules):
        message = "Base level prefix cannot be used in Lifecycle V2, prefixes are only supported in the Filter."
        raise AwsError("InvalidRequest", message)
    ids = [rule["ID"] for rule in rules if rule.get("ID")]
    if len(set(ids)) < len(ids):
        raise AwsError("InvalidArgument", "Rule ID must be unique. Found same ID for more than one rule")
    for rule in rules:
        days = (rule.get("AbortIncompleteMultipartUpload") or {}).get("DaysAfterInitiation")
        if days is not None and int(days) < 1:
            message = "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer"
            raise AwsError("InvalidArgument", message)


REFUSALS: dict[tuple[str, str], Callable[[Call], None]] = {
    ("s3", "GetBucketLifecycleConfiguration"): _refuse_owner,
    ("s3", "DeleteBucketLifecycle"): _refuse_owner,
    ("s3", "PutBucketLifecycleConfiguration"): _refuse_rules,
}
"""What is asked before moto answers; raises AwsError for what AWS refuses."""
