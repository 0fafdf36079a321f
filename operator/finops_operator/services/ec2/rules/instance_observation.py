"""What an act sees of an EC2 instance: its facts and its fingerprint, read afresh.

Called by the instance actions' `observe`. Facts that AWS does not give are None, never a harmless default.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from finops.domain.canonical import Json, sha256_hex
from finops.domain.execution import DONE, Journal, Observation, Result, Rule, StepRules
from finops.domain.plan import Plan
from finops.errors import AwsDenied, AwsRejected
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import Target
from finops_operator.services.ec2.rules.served_targets import PERMISSIONS as READ_TARGETS
from finops_operator.services.ec2.rules.served_targets import read_served
from finops_operator.services.ec2.rules.vcpu_quota import GET_METRICS, GET_QUOTA, read_quota
from finops_operator.services.ec2.rules.volume_keys import DESCRIBE_KEY, key_states

NOT_FOUND: Final = frozenset({"InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed"})
UP: Final = frozenset({"pending", "running"})
DOWN: Final = frozenset({"stopping", "stopped"})
_ENDING: Final = frozenset({"shutting-down", "terminated"})
_STOPPED_BY_CALL: Final = "Client.UserInitiatedShutdown"
"""State reason of an instance that was stopped with the EC2 API; other words mean that AWS or its system stopped it."""
STOP_SHOWS_SECONDS: Final = 120.0
"""How long a stop may stay invisible before a person is called, longer than other effects. It may still come after it:
only a new launch time proves that somebody took the instance back."""
_NOT_KNOWN: Final = frozenset({Result.ABSENT, Result.FOREIGN})
"""Results of a call that had no answer and that AWS may still carry out."""
_STARTS: Final = frozenset({"start", "start_again"})
"""Steps of the instance actions that start it."""
_SETTLE_SECONDS: Final = 30.0
_NO_ROOM: Final[Mapping[str, str]] = {
    "InsufficientInstanceCapacity": "AWS had no {kind} capacity in {zone}.",
    "InstanceLimitExceeded": "The account's limit of running {kind} instances is reached.",
    "VcpuLimitExceeded": "The account's vCPU limit leaves no room for {kind}.",
}
"""AWS's codes for a start that it refuses, in words. Source: Amazon EC2 API reference, "Error codes"."""
_STARTED: Final = "somebody started it while we were stopping it"
CREDIT_MODE: Final = "ec2:DescribeInstanceCreditSpecifications"
"""Asked in the hours after an act, of a burstable instance that has no credits left."""
READ_PERMISSIONS: Final = (
    "ec2:DescribeInstances",
    "ec2:DescribeInstanceStatus",
    "ec2:DescribeInstanceAttribute",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeInstanceTypeOfferings",
    "ec2:DescribeVolumes",
    CREDIT_MODE,
    DESCRIBE_KEY,
    GET_QUOTA,
    GET_METRICS,
    *READ_TARGETS,
)


def read_instance(reader: Reader, instance_id: str) -> Mapping[str, Any] | None:
    """Return the instance as AWS describes it; None when AWS knows it no more."""
    try:
        answer = reader.read("ec2:DescribeInstances", {"InstanceIds": [instance_id]})
    except AwsRejected as error:
        if error.code in NOT_FOUND:
            return None
        raise
    found = [instance for group in answer.get("Reservations", ()) for instance in group.get("Instances", ())]
    return found[0] if found and found[0].get("State", {}).get("Name") != "terminated" else None


def is_lost(_plan: Plan, now: Observation) -> bool:
    """Return whether the instance is terminated or on its way there: it will never be stopped or run again."""
    return not now.exists or now.text("state") in _ENDING


def started_by_others(plan: Plan, _journal: Journal, now: Observation, _seconds: float) -> str:
    """Return that the instance was started since the plan was made, else ""; for steps before the act's own start.

    A launch time is proof in any state: whoever started it may have stopped it again between two observations.
    """
    return _STARTED if _launched_since(str(plan.fingerprint.get("launchTime", "")), now) else ""


def runs_by_others(_plan: Plan, journal: Journal, now: Observation, _seconds: float) -> str:
    """Return that it runs by a start after the last call, which started nothing (earlier ones may have), else "".

    A start of ours whose answer was lost may come late, and fail late: once there is one, no new launch is proof.
    """
    last = journal.entries[-1]
    ours = any(entry.step in _STARTS and entry.result in _NOT_KNOWN for entry in journal.entries)
    runs = now.text("state") == "running" and not ours
    return _STARTED if runs and _launched_since(last.observed.get("launchTime", ""), now) else ""


def stopped_by_others(_plan: Plan, journal: Journal, now: Observation, seconds: float) -> str:
    """Return that a call stopped it after our last call started it, else ""; AWS taking a start back is no call.

    Right after the start its state and the reason for it may still be those of our own stop.
    """
    last = journal.entries[-1]
    stopped = now.text("state") in DOWN and now.text("stateReason") == _STOPPED_BY_CALL and seconds >= _SETTLE_SECONDS
    started = last.result in DONE and _launched_since(last.observed.get("launchTime", ""), now)
    return "somebody stopped it after we had started it" if stopped and started else ""


def _launched_since(before: str, now: Observation) -> bool:
    return now.exists and bool(before) and now.text("launchTime") not in {"", before}


def instance_found(_plan: Plan, now: Observation) -> str:
    """Say what is there now."""
    if not now.exists:
        return "The instance does not exist any more."
    reason = now.text("stateReason")
    why = f" ({reason})" if now.text("state") in DOWN and reason not in {"", _STOPPED_BY_CALL} else ""
    return f"The instance is {now.text('state')}{why} with type {now.text('instanceType')}."


def instance_refused(_plan: Plan, now: Observation, step: str, code: str) -> str:
    """Say why AWS did not start the instance; other refusals are left to AWS's code."""
    if step not in _STARTS or code not in _NO_ROOM:
        return ""
    kind, zone = now.text("instanceType"), now.text("zone")
    return _NO_ROOM[code].format(kind=kind or "such", zone=zone or "its availability zone")


def tags_of(item: Mapping[str, Any]) -> dict[str, str]:
    """Return the tags of one described thing."""
    return {str(tag["Key"]): str(tag.get("Value", "")) for tag in item.get("Tags", ())}


def tags_hash(tags: Mapping[str, str]) -> str:
    """Return a short hash of all tags: any edit between plan and act shows."""
    return sha256_hex(dict(tags))[:16]


def fingerprint(instance: Mapping[str, Any]) -> dict[str, str]:
    """Return what a plan assumes: state, type, launch time, attachments, tags."""
    attachments = sorted(
        f"{mapping.get('Ebs', {}).get('VolumeId', '')}@{mapping.get('DeviceName', '')}"
        for mapping in instance.get("BlockDeviceMappings", ())
    )
    return {
        "state": str(instance["State"]["Name"]),
        "instanceType": str(instance["InstanceType"]),
        "launchTime": str(instance.get("LaunchTime", "")),
        "attachments": sha256_hex(attachments)[:16],
        "tags": tags_hash(tags_of(instance)),
    }


def observe_instance(reader: Reader, target: Target, *, target_type: str = "", starts: bool = False) -> Observation:
    """Read everything a stop or a resize is judged by; without `target.full` only what its progress is judged by.

    Facts: `state`, `instanceType`, `launchTime`, `zone`, `stateReason`, `tags`, `checks` (`ok` when both status checks
    pass), `events`, `stopProtection` (None: not readable), and AWS's own structures under `instance`, `type`, `target`
    and `offered`. `volumeKeys`, the ARNs of the keys of its volumes (None: not known), while it may be started next;
    `keyStates`, `serves` and `quota` as the modules that read them say, `quota` only of a type that is to start.

    Args:
        reader: of the instance's account and region.
        target: the instance.
        target_type: the type that it is to get; empty: it keeps its own.
        starts: whether the act does nothing but start it.
    """
    instance_id = target.resource.id
    instance = read_instance(reader, instance_id)
    if instance is None:
        return Observation(exists=False)
    state, kind = str(instance["State"]["Name"]), str(instance["InstanceType"])
    checks, events = _status(reader, instance_id)
    facts: dict[str, Json] = {
        "state": state,
        "instanceType": kind,
        "launchTime": str(instance.get("LaunchTime", "")),
        "zone": str(instance.get("Placement", {}).get("AvailabilityZone", "")),
        "stateReason": str(instance.get("StateReason", {}).get("Code", "")),
        "tags": tags_of(instance),
        "checks": checks,
        "events": events,
    }
    if target.full or state == "stopped":
        facts["volumeKeys"] = _volume_keys(reader, instance)
    if target.full:
        types = _types(reader, sorted({kind, target_type} - {""}))
        zone = str(instance.get("Placement", {}).get("AvailabilityZone", ""))
        facts |= {
            "stopProtection": _stop_protection(reader, instance_id),
            "instance": _plain(instance),
            "type": types.get(kind),
            "target": types.get(target_type),
            "offered": _offered(reader, target_type, zone) if target_type else None,
        }
        facts |= _preflight_facts(reader, target, instance, facts["volumeKeys"])
        if target_type or starts:
            facts["quota"] = read_quota(reader, target_type or kind, target.now)
    return Observation(exists=True, fingerprint=fingerprint(instance), facts=facts)


def _preflight_facts(reader: Reader, target: Target, instance: Mapping[str, Any], keys: Json) -> dict[str, Json]:
    """Return what may keep it from starting again, and who misses it meanwhile."""
    states = key_states(reader, target.resource, [str(key) for key in keys]) if isinstance(keys, list) else None
    runs = instance["State"]["Name"] == "running"
    return {"keyStates": states, "serves": read_served(reader, instance) if runs else None}


def _volume_keys(reader: Reader, instance: Mapping[str, Any]) -> list[Json] | None:
    """Return the ARNs of the keys that encrypt the instance's volumes; None where AWS does not name them all.

    A scanner role that may not read volumes must not keep the instance from its start.
    """
    ids = [mapping.get("Ebs", {}).get("VolumeId") for mapping in instance.get("BlockDeviceMappings", ())]
    wanted = [one for one in ids if one]
    if not wanted:
        return []
    try:
        answer = reader.read("ec2:DescribeVolumes", {"VolumeIds": wanted})
    except (AwsRejected, AwsDenied):
        return None
    volumes = answer.get("Volumes", ())
    keys = {str(volume.get("KmsKeyId") or "") for volume in volumes if volume.get("Encrypted")}
    whole = len(volumes) == len(wanted) and all(key.startswith("arn:") for key in keys)
    return [*sorted(keys)] if whole else None


def _status(reader: Reader, instance_id: str) -> tuple[str, list[Json]]:
    answer = reader.read("ec2:DescribeInstanceStatus", {"InstanceIds": [instance_id], "IncludeAllInstances": True})
    for status in answer.get("InstanceStatuses", ()):
        words = {str(status.get(part, {}).get("Status", "unknown")) for part in ("InstanceStatus", "SystemStatus")}
        events = [
            str(event.get("Code", "event"))
            for event in status.get("Events", ())
            if not str(event.get("Description", "")).startswith(("[Completed]", "[Canceled]"))
        ]
        return ("ok" if words == {"ok"} else ",".join(sorted(words))), list(events)
    return "unknown", []


def _types(reader: Reader, names: Sequence[str]) -> dict[str, Json]:
    try:
        answer = reader.read("ec2:DescribeInstanceTypes", {"InstanceTypes": list(names)})
    except AwsRejected:
        # One unknown name refuses the whole question; what stays unread stays unknown.
        return {}
    return {str(item["InstanceType"]): _plain(item) for item in answer.get("InstanceTypes", ())}


def _stop_protection(reader: Reader, instance_id: str) -> bool | None:
    answer = reader.read("ec2:DescribeInstanceAttribute", {"InstanceId": instance_id, "Attribute": "disableApiStop"})
    value = answer.get("DisableApiStop", {}).get("Value")
    return value if isinstance(value, bool) else None


def _offered(reader: Reader, target_type: str, zone: str) -> bool:
    answer = reader.read(
        "ec2:DescribeInstanceTypeOfferings",
        {
            "LocationType": "availability-zone",
            "Filters": [{"Name": "location", "Values": [zone]}, {"Name": "instance-type", "Values": [target_type]}],
        },
    )
    return any(
        offer.get("InstanceType") == target_type and offer.get("Location", zone) == zone
        for offer in answer.get("InstanceTypeOfferings", ())
    )


def _plain(value: Any) -> Json:
    """Return an SDK answer as JSON: times and numbers with fractions as text."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return str(value)


def stopping(reached: Rule, expected: Rule) -> StepRules:
    """Return the rules of our call that stops an instance: what shows late is waited for, what people do ends it."""
    return StepRules(
        reached=reached,
        expected=expected,
        taken=started_by_others,
        settle_seconds=STOP_SHOWS_SECONDS,
        lingers=True,
    )


WAIT_STOPPED: Final = StepRules(
    reached=lambda _, now: now.text("state") == "stopped",
    failed=is_lost,
    settle_seconds=STOP_SHOWS_SECONDS,
    patient=True,
)
"""Nothing better exists than waiting: forcing a stop can damage file systems and needs its own approval."""
