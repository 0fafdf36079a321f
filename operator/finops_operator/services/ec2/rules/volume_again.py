"""The undo of a volume's deletion: a new volume from the last snapshot, with the old one's zone, settings, key, tags.

The same action with the parameter `snapshotId`, and beside it what the deleted volume was, as its deletion's plan says;
its tags stand there as JSON in parts, because a parameter has 256 characters. They are not read from the snapshot,
which anybody may tag meanwhile. AWS gives the new volume another id, so nothing finds it by the old one, and it is
attached to nothing: both are said before the vote.

The call carries the request's uid as its client token, so a repetition makes no second volume, and as a tag, so that it
is found again. With a key that AWS cannot use for us it accepts the call and takes the volume back.
Source: EC2 API reference, CreateVolume; EBS user guide, "Create an Amazon EBS volume", "Requirements for Amazon EBS
encryption"; EC2 developer guide, "Ensuring idempotency".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from finops.domain.canonical import Json, canonical_json
from finops.domain.execution import Observation, StepRules
from finops.domain.plan import Plan, PlanStep
from finops.domain.recommendation import EvidenceFact, ResourceRef
from finops.errors import InvalidInput
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import (
    REQUEST_PLACEHOLDER,
    ActSample,
    ActWords,
    Parameters,
    Refusal,
    Statement,
    Target,
    Undo,
)
from finops_operator.plugins.session_policy import allow
from finops_operator.services.ec2.rules.calls import CALLS as EC2_CALLS
from finops_operator.services.ec2.rules.calls import EC2_ANYWHERE, GRANTS_FOR_AWS, via_ec2
from finops_operator.services.ec2.rules.instance_observation import tags_of
from finops_operator.services.ec2.rules.snapshot_steps import LAST
from finops_operator.services.ec2.rules.snapshot_tags import SOME_TAGS, TOO_LONG, fitting
from finops_operator.services.ec2.rules.volume_keys import DESCRIBE_KEY, USABLE, key_states, unusable
from finops_operator.services.ec2.rules.volume_observation import REQUEST_TAG, STEP_TAG, read_volume, snapshots_arn

_T = TypeVar("_T")

CREATE, WAIT = "create_volume", "wait_available"
CREATE_VOLUME: Final = "ec2:CreateVolume"
_SNAPSHOT: Final = "snapshotId"
_PART: Final = 256
_LONGEST_TAGS: Final = 1500
"""Characters of all own tags, so that they fit into the call as a request shows it."""
_MOST_TAGS: Final = 48
"""Own tags: AWS allows a resource 50 beside its own, and the call sets two more."""
_COUNTED: Final = {"sizeGiB": "Size", "iops": "Iops", "throughput": "Throughput"}
_WITH_IOPS: Final = frozenset({"gp3", "io1", "io2"})
_THERE: Final = frozenset({"creating", "available", "in-use"})
_USABLE: Final = frozenset({"available", "in-use"})
_AWS_TAG: Final = "aws:"
_NEW_ID: Final = "The volume gets a new id: whatever names the old one does not find it."
_NOT_ATTACHED: Final = "It is attached to nothing: a person attaches it."
WARNINGS: Final = (_NEW_ID, _NOT_ATTACHED, "It holds what the snapshot holds; its first reads are slow.")

TAG_AS_MADE: Final[Statement] = {
    "Sid": "TagVolumesAsTheyAreMade",
    "Effect": "Allow",
    "Action": "ec2:CreateTags",
    "Resource": "arn:*:ec2:*:*:volume/*",
    "Condition": {"StringEquals": {"ec2:CreateAction": "CreateVolume"}},
}
FROM_SNAPSHOTS: Final[Statement] = {
    "Sid": "CreateVolumesFromSnapshots",
    "Effect": "Allow",
    "Action": CREATE_VOLUME,
    "Resource": "arn:*:ec2:*::snapshot/*",
}
GRANT: Final = "kms:CreateGrant"
BY_EC2: Final = (
    *(DESCRIBE_KEY, "kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext"),
    *("kms:ReEncryptFrom", "kms:ReEncryptTo"),
)
"""What EC2 does with the key in the caller's name, beside the grant that it makes on it for the volume (EBS user guide,
"Requirements for Amazon EBS encryption")."""
WITH_CUSTOMER_KEYS: Final[Statement] = {
    "Sid": "CreateEncryptedVolumes",
    "Effect": "Allow",
    "Action": list(BY_EC2),
    "Resource": "*",
    "Condition": {"StringLike": {"kms:ViaService": EC2_ANYWHERE}},
}


CALLS: Final = replace(EC2_CALLS, created=("SnapshotId", "VolumeId"))
SAMPLE: Final = ActSample(
    assumed={
        "state": "available",
        "volumeType": "gp3",
        "sizeGiB": "100",
        "iops": "3000",
        "throughput": "125",
        "zone": "us-east-1a",
        "tagList": '{"team":"data"}',
    },
    made={LAST: "snap-0123456789abcdef0"},
)


PERMISSIONS: Final = (CREATE_VOLUME, GRANT, *BY_EC2)
NARROWED: Final = (TAG_AS_MADE, WITH_CUSTOMER_KEYS, GRANTS_FOR_AWS)


def is_again(parameters: Parameters) -> bool:
    """Return whether an act is the undo of a deletion."""
    return _SNAPSHOT in parameters


# -- what the deletion's plan keeps for it -----------------------------------------------------------------------------


def origin(volume: Mapping[str, Any]) -> dict[str, str]:
    """Return what a volume is made of besides its settings, for the fingerprint of its deletion: texts.

    `tagList` is JSON of the tags that AWS has not set itself; our own word where they are too many or too long to be
    set again, and then `someTags` has those that fit on a snapshot.
    """
    own = {key: value for key, value in tags_of(volume).items() if not key.startswith(_AWS_TAG)}
    text = canonical_json(own).decode()
    fits = len(text) <= _LONGEST_TAGS and len(own) <= _MOST_TAGS
    some = {} if fits else {SOME_TAGS: canonical_json(fitting(own)).decode()}
    return some | {
        "zone": str(volume.get("AvailabilityZone") or ""),
        "kmsKey": str(volume.get("KmsKeyId") or "") if volume.get("Encrypted") else "",
        "multiAttach": "yes" if volume.get("MultiAttachEnabled") else "",
        "outpost": str(volume.get("OutpostArn") or ""),
        "tagList": text if fits else TOO_LONG,
    }


def undo_words(plan: Plan) -> str:
    """Return how a deletion is undone later, for whoever decides about it."""
    if plan.fingerprint.get("tagList") == TOO_LONG or plan.fingerprint.get("outpost"):
        return "Later: create a volume from the last snapshot by hand."
    return "Later: an undo creates a new volume, with a new id, from the last snapshot, as long as that exists."


def _parameters(plan: Plan, made: Mapping[str, str]) -> Parameters:
    """Return what the undo of a deletion is made of. Raises InvalidInput."""
    before, snapshot = plan.fingerprint, made.get(LAST, "")
    missing = [name for name in ("zone", "volumeType", "sizeGiB", "tagList") if not before.get(name)]
    if not snapshot or missing:
        raise _by_hand(f"the ledger does not say {', '.join(missing) or 'which snapshot was the last one'}")
    if before["tagList"] == TOO_LONG:
        raise _by_hand("its tags are too many or too long to be set again")
    if before.get("outpost"):
        raise _by_hand("it was on an Outpost")
    kind = str(before["volumeType"])
    chosen: dict[str, Json] = {_SNAPSHOT: snapshot, "zone": str(before["zone"]), "volumeType": kind}
    counted = {"sizeGiB", *(("iops",) if kind in _WITH_IOPS else ()), *(("throughput",) if kind == "gp3" else ())}
    chosen |= {name: int(str(before[name])) for name in sorted(counted)}
    chosen |= {name: str(before[name]) for name in ("kmsKey", "multiAttach") if before.get(name)}
    text = str(before["tagList"])
    parts = [text[start : start + _PART] for start in range(0, len(text), _PART)]
    return chosen | {f"tags{number}": part for number, part in enumerate(parts, start=1)}


def _by_hand(why: str) -> InvalidInput:
    return InvalidInput(why, field="parameters", hint="create a volume from the last snapshot by hand")


def _unchanged(_plan: Plan, _now: Observation) -> str:
    """Return nothing: whether the old volume is there again is the preflight's to say."""
    return ""


UNDO: Final = Undo(parameters=_parameters, changed=_unchanged, outside_windows=True)


# -- what is there -----------------------------------------------------------------------------------------------------


def observe(reader: Reader, target: Target) -> Observation:
    """Read the snapshot, and the volume that the request made of it.

    It exists while the snapshot or the new volume does. Facts: `old` (state of the deleted volume, which the Recycle
    Bin may have given back), `snapshot`, `tier`, `keyState` of its key; `again` (the new volume's state, empty for
    none), `created` (its id) and its settings.
    """
    chosen = target.parameters
    snapshot, volume = _snapshot(reader, str(chosen[_SNAPSHOT])), _made(reader, target)
    old = read_volume(reader, target.resource.id)
    key = str(chosen.get("kmsKey") or "")
    states = key_states(reader, target.resource, [key]) if key and target.full else {}
    seen = {
        "old": "" if old is None else str(old["State"]),
        "snapshot": str(snapshot.get("State") or ""),
        "snapshotStart": str(snapshot.get("StartTime") or ""),
    }
    facts: dict[str, Json] = {
        **seen,
        "state": str(volume.get("State") or ""),
        "tier": str(snapshot.get("StorageTier") or "standard"),
        "keyState": str(states.get(key, USABLE)),
        "again": str(volume.get("State") or ""),
        "created": str(volume.get("VolumeId") or target.made.get(CREATE, "")),
        "made": _settings(volume) if volume else {},
    }
    return Observation(exists=bool(snapshot or volume), fingerprint=seen, facts=facts)


def _snapshot(reader: Reader, snapshot: str) -> Mapping[str, Any]:
    filters = [{"Name": "snapshot-id", "Values": [snapshot]}]
    answer = reader.read("ec2:DescribeSnapshots", {"OwnerIds": ["self"], "Filters": filters})
    listed: Sequence[Mapping[str, Any]] = answer.get("Snapshots") or ({},)
    return listed[0]


def _made(reader: Reader, target: Target) -> Mapping[str, Any]:
    """Return the volume that the request made: the recorded one alone, and while none is, what carries its tags."""
    recorded = target.made.get(CREATE, "")
    if recorded:
        return read_volume(reader, recorded) or {}
    if not target.request_uid:
        return {}
    tags = ((f"tag:{REQUEST_TAG}", target.request_uid), (f"tag:{STEP_TAG}", CREATE))
    filters = [
        {"Name": name, "Values": [value]} for name, value in (*tags, ("snapshot-id", target.parameters[_SNAPSHOT]))
    ]
    volumes = reader.read("ec2:DescribeVolumes", {"Filters": filters}).get("Volumes") or ()
    made: Mapping[str, Any] = next((one for one in volumes if one.get("State") in _THERE), {})
    return made


def _settings(volume: Mapping[str, Any]) -> dict[str, Json]:
    """Return a volume's settings by the names of the parameters that ask for them."""
    kind = str(volume.get("VolumeType") or "")
    found: dict[str, Json] = {"zone": str(volume.get("AvailabilityZone") or ""), "volumeType": kind}
    found |= {"sizeGiB": volume.get("Size")}
    found |= {"iops": volume.get("Iops")} if kind in _WITH_IOPS else {}
    found |= {"throughput": volume.get("Throughput")} if kind == "gp3" else {}
    found |= {"kmsKey": str(volume.get("KmsKeyId") or "")} if volume.get("Encrypted") else {}
    return found | ({"multiAttach": "yes"} if volume.get("MultiAttachEnabled") else {})


# -- what speaks against it, and in words ------------------------------------------------------------------------------


def refusals(now: Observation, parameters: Parameters) -> tuple[Refusal, ...]:
    """Return why no volume is made again. Tags that protect a volume forbid its deletion, not this."""
    if now.text("old"):
        return (Refusal("ThereAgain", f"The deleted volume is there again, {now.text('old')}."),)
    snapshot = f"Snapshot {parameters[_SNAPSHOT]}"
    if not now.text("snapshot"):
        return (Refusal("SnapshotGone", f"{snapshot}, the last one of the volume, does not exist any more."),)
    found: list[Refusal] = []
    if now.text("snapshot") != "completed":
        found.append(Refusal("SnapshotUnusable", f"{snapshot} is {now.text('snapshot')}, not completed."))
    if now.text("tier") != "standard":
        why = f"{snapshot} is archived: no volume is made of it until somebody has restored it."
        found.append(Refusal("SnapshotArchived", why))
    if words := unusable(now.text("keyState")):
        found.append(Refusal("KmsKeyUnusable", f"Key {parameters.get('kmsKey')} of the volume {words}."))
    return tuple(found)


def words(plan: Plan) -> ActWords:
    """Return the act in words."""
    chosen = plan.parameters
    speed = "".join(
        f", {chosen[name]} {unit}" for name, unit in (("iops", "IOPS"), ("throughput", "MiB/s")) if name in chosen
    )
    settings = f"{chosen['sizeGiB']} GiB of {chosen['volumeType']}{speed}"
    return ActWords(
        verb="Restore",
        target="a new volume with a new id",
        change=f"{plan.resource.id} → a new volume, with a new id: {settings} in {chosen['zone']}",
        consequence=f"A new volume is created from {chosen[_SNAPSHOT]}. {_NEW_ID} {_NOT_ATTACHED}",
        downtime="None",
        undo="If it does not become available, it is named and left to people. Later: delete the new volume.",
        steps={CREATE: "Create a volume from the last snapshot", WAIT: "Wait until the new volume is available"},
        facts=(EvidenceFact("From snapshot", str(chosen[_SNAPSHOT])),),
    )


def either(
    restoring: Callable[[Plan, Observation], _T], deleting: Callable[[Plan, Observation], _T]
) -> Callable[[Plan, Observation], _T]:
    """Return what judges an undo by the one and a deletion by the other."""
    return lambda plan, now: (restoring if is_again(plan.parameters) else deleting)(plan, now)


# -- what is called ----------------------------------------------------------------------------------------------------


def plan_again(action: str, resource: ResourceRef, parameters: Parameters, assumed: Mapping[str, str]) -> Plan:
    """Return the call. Raises InvalidInput when a parameter is missing or of another kind."""
    try:
        own = json.loads("".join(str(parameters[name]) for name in _parts(parameters)))
        call = _call({str(key): str(value) for key, value in own.items()}, parameters)
    except (KeyError, ValueError, AttributeError) as error:
        raise InvalidInput(f"a volume cannot be made of this: {error}", field="parameters", hint="an undo") from error
    return Plan(
        action, resource, dict(parameters), (PlanStep(CREATE, CREATE_VOLUME, call), PlanStep(WAIT)), dict(assumed)
    )


def _parts(parameters: Parameters) -> list[str]:
    names = [name for name in parameters if name.startswith("tags")]
    return [f"tags{number}" for number in range(1, len(names) + 1)]


def _call(own: Mapping[str, str], parameters: Parameters) -> dict[str, Json]:
    named = {**own, REQUEST_TAG: REQUEST_PLACEHOLDER, STEP_TAG: CREATE}
    tags: list[Json] = [{"Key": key, "Value": value} for key, value in sorted(named.items())]
    call: dict[str, Json] = {
        "AvailabilityZone": parameters["zone"],
        "SnapshotId": parameters[_SNAPSHOT],
        "VolumeType": parameters["volumeType"],
        "ClientToken": REQUEST_PLACEHOLDER,
        "TagSpecifications": [{"ResourceType": "volume", "Tags": tags}],
    }
    call |= {aws: parameters[name] for name, aws in _COUNTED.items() if name in parameters}
    call |= {"Encrypted": True, "KmsKeyId": parameters["kmsKey"]} if "kmsKey" in parameters else {}
    return call | ({"MultiAttachEnabled": True} if "multiAttach" in parameters else {})


def nothing_made(_plan: Plan, now: Observation) -> bool:
    """Return whether an undo that turned back left nothing: a volume that it made exists and costs, whatever its state.

    Such a volume is left to people: nobody has approved that it be deleted.
    """
    return not now.text("again")


def _as_wanted(plan: Plan, now: Observation) -> bool:
    """Return whether the new volume is as the old one was; where AWS encrypts by default it may have a key besides."""
    made = now.facts.get("made")
    if not isinstance(made, Mapping):
        return False
    wanted = {name for name in plan.parameters if name != _SNAPSHOT and not name.startswith("tags")}
    return all(made.get(name) == plan.parameters[name] for name in wanted)


RULES: Final = {
    CREATE: StepRules(
        reached=lambda _, now: now.text("again") in _THERE,
        expected=lambda _, now: not now.text("again") and not now.text("old") and now.text("snapshot") == "completed",
        settle_seconds=60,
    ),
    WAIT: StepRules(
        reached=lambda _, now: now.text("again") in _USABLE,
        failed=lambda _, now: now.text("again") not in _THERE,
        settle_seconds=60,
    ),
}
"""A call that showed nothing is repeated under the same client token: AWS answers with the volume it has made."""


def verified(plan: Plan, now: Observation) -> bool:
    """Return whether the new volume can be used and is as the old one was."""
    return now.text("again") in _USABLE and _as_wanted(plan, now)


def found(plan: Plan, now: Observation) -> str:
    """Say what is there now: the new id above all."""
    made, snapshot = now.text("created"), plan.parameters[_SNAPSHOT]
    if not made:
        return f"AWS shows no volume made from {snapshot} by this act."
    if not now.text("again"):
        return f"AWS does not show {made}, made from {snapshot}: it takes back a volume whose key it cannot use for us."
    where = f"{plan.resource.id} is now {made} in {plan.parameters['zone']}, made from {snapshot}"
    return f"{where}; it is {now.text('again')}. {_NOT_ATTACHED}"


def refused(plan: Plan, _now: Observation, _step: str, code: str) -> str:
    """Return AWS's code for a refusal in a sentence; empty where the code says it best."""
    if code == "InvalidZone.NotFound":
        return f"Zone {plan.parameters['zone']} is not open to the account any more."
    return "The account has reached its limit of volumes." if code == "VolumeLimitExceeded" else ""


def statements(plan: Plan, step: PlanStep) -> tuple[Statement, ...]:
    """Allow one new volume from this snapshot, with its tags."""
    volumes = f"{plan.resource.arn.rpartition('/')[0]}/*"
    snapshot = snapshots_arn(plan.resource).replace("*", str(plan.parameters[_SNAPSHOT]))
    condition: Json = {"StringEquals": {"ec2:CreateAction": "CreateVolume"}}
    return (
        allow(step.operation, resource=volumes),
        allow(step.operation, resource=snapshot),
        {**allow("ec2:CreateTags", resource=volumes), "Condition": condition},
    )


def key_statements(plan: Plan, step: PlanStep, _now: Observation) -> tuple[Statement, ...]:
    """Allow EC2 to use the volume's key in our name while it makes the volume."""
    key = plan.parameters.get("kmsKey")
    if step.id != CREATE or not key:
        return ()
    via: dict[str, Json] = {"StringEquals": {"kms:ViaService": via_ec2(plan.resource.region)}}
    for_aws: dict[str, Json] = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    keys: Json = [str(key)]
    return (
        {"Effect": "Allow", "Action": list(BY_EC2), "Resource": keys, "Condition": via},
        {"Effect": "Allow", "Action": [GRANT], "Resource": keys, "Condition": {**for_aws, **via}},
    )
