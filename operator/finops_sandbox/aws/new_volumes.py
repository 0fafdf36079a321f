"""Volumes made from a snapshot or empty, with the rules AWS has and moto lacks.

A client token names one volume: the same call again answers with it, another one is refused. The volume is `creating`
at first. With a customer key that the caller may not let EC2 use, AWS accepts the call and takes the volume back.
Source: EC2 API reference, CreateVolume; EC2 developer guide, "Ensuring idempotency"; EBS user guide, "Requirements for
Amazon EBS encryption". AWS documents no code for a snapshot that is not completed; the one used here stands for any.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from finops_sandbox.aws.calls import Call, Handler
from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.given_tags import given_tags
from finops_sandbox.aws.policy_evaluator import AccessRequest
from finops_sandbox.aws.snapshots import find
from finops_sandbox.aws.volumes import checked_settings, render_volume

_FROM_KEY = (
    *("kms:CreateGrant", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:Decrypt"),
    *("kms:ReEncryptFrom", "kms:ReEncryptTo"),
)
_CREATING_SECONDS = 0.2


def create_volume(call: Call) -> Mapping[str, Any]:
    """One volume, of a snapshot or empty; a zone has to be named."""
    wanted = dict(call.parameters)
    token = call.account, call.region, str(call.parameters.get("ClientToken") or "")
    earlier = call.estate.further.volume_tokens.get(token) if token[2] else None
    if earlier is not None:
        if earlier[0] != wanted:
            message = f"The client token {token[2]} was used before, with other arguments."
            raise AwsError("IdempotentParameterMismatch", message)
        return dict(earlier[1])
    volume = _made(call)
    shown = render_volume(call.estate, call.account, call.region, volume)
    if token[2]:
        call.estate.further.volume_tokens[token] = (wanted, shown)
    if not _key_usable(call):
        call.backend.volumes.pop(volume.id)
        call.backend.tags.pop(volume.id, None)
    return shown


def _made(call: Call) -> Any:
    parameters = call.parameters
    snapshot_id, zone = str(parameters.get("SnapshotId") or ""), str(parameters.get("AvailabilityZone") or "")
    now = call.estate.clock.now()
    snapshot = find(call.estate, call.account, call.region, snapshot_id) if snapshot_id else None
    _, due = call.estate.snapshots_due.get(snapshot_id, (now, now))
    if now < due:
        raise AwsError("IncorrectState", f"Snapshot '{snapshot_id}' is not 'completed'.")
    if not zone.startswith(call.region) or len(zone) != len(call.region) + 1:
        raise AwsError("InvalidZone.NotFound", f"The zone '{zone}' does not exist.")
    least = snapshot.volume.size if snapshot is not None else 1
    size = int(parameters.get("Size") or (least if snapshot is not None else 0))
    if not size:
        raise AwsError("MissingParameter", "The request must contain the parameter size or snapshotId.")
    if size < least:
        raise AwsError("InvalidParameterValue", f"The volume size {size} is smaller than snapshot '{snapshot_id}'.")
    settings, tags = checked_settings(parameters, size), given_tags(call, "volume")
    encrypted = bool(parameters.get("Encrypted") or (snapshot is not None and snapshot.encrypted))
    volume = call.backend.create_volume(
        size=size,
        zone_name=zone,
        snapshot_id=snapshot_id or None,
        encrypted=encrypted,
        kms_key_id=parameters.get("KmsKeyId"),
        volume_type=settings.volume_type,
        iops=settings.iops if settings.volume_type in {"gp3", "io1", "io2"} else None,
        throughput=settings.throughput,
        multi_attach_enabled=parameters.get("MultiAttachEnabled"),
    )
    volume.add_tags(tags)
    facts = call.estate.volume_facts(volume)
    facts.available_at = now + timedelta(seconds=_CREATING_SECONDS)
    facts.customer_key = str(parameters.get("KmsKeyId") or "")
    return volume


def _key_usable(call: Call) -> bool:
    key = str(call.parameters.get("KmsKeyId") or "")
    if not key:
        return True
    via = {"kms:viaservice": (f"ec2.{call.region}.amazonaws.com",)}
    # Only the request for a grant says whom it is for.
    further = {"kms:CreateGrant": {"kms:grantisforawsresource": ("true",)}}
    return all(
        call.caller.decide(AccessRequest(right, key, {**via, **further.get(right, {})})).allowed for right in _FROM_KEY
    )


HANDLERS: dict[str, Handler] = {"CreateVolume": create_volume}
