"""Change an EBS volume to gp3, with IOPS and throughput written out, while it stays in use.

Parameters: `volumeType` (gp3), `iops`, `throughput` (MiB/s); gp2 alone for an undo. The new settings are billed from
the start and the change cannot be cancelled. AWS allows four a day, each after the one before is completed: an undo may
have to wait. Source: Amazon EBS user guide, "Modify a volume using Elastic Volumes" and "General Purpose SSD volumes".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from finops.domain.canonical import Json
from finops.domain.execution import Observation, Procedure, StepRules
from finops.domain.plan import Plan, PlanStep
from finops.domain.recommendation import Effort, ResourceRef
from finops.domain.resource import Resource
from finops.errors import InvalidInput
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import (
    Action,
    ActSample,
    ActWords,
    OwnerChange,
    Parameters,
    PolicyFacts,
    Refusal,
    Rights,
    Target,
    Undo,
)
from finops_operator.plugins.ownership import Owner, quoted
from finops_operator.plugins.session_policy import on_its_arn
from finops_operator.plugins.watch_shape import PERMISSIONS as WATCH_READS
from finops_operator.services.ec2.rules.calls import CALLS
from finops_operator.services.ec2.rules.stop_refusals import part
from finops_operator.services.ec2.rules.volume_observation import (
    fingerprint,
    last_modification,
    read_volume,
    volume_facts,
    volume_refusals,
)
from finops_operator.services.ec2.rules.volume_watch import volume_watch

_BACK: Final = "gp2"
"""The one type to which an act is undone: AWS sets its figures by the size."""
_UNITS: Final = {"iops": "IOPS", "throughput": "MiB/s"}
_RUNNING: Final = frozenset({"modifying", "optimizing"})
_USABLE: Final = frozenset({"in-use", "available"})
_IOPS: Final = (3000, 80000)
_IOPS_PER_GIB: Final = 500
_THROUGHPUT: Final = (125, 2000)
_IOPS_PER_MIBPS: Final = 4
_DAY_SECONDS: Final = 86400.0

_LATER_IN_WORDS: Final[Mapping[str, str]] = {
    "VolumeModificationRateExceeded": "AWS takes no further change of this volume now: it allows four in 24 hours.",
    "IncorrectModificationState": "AWS takes no further change of this volume now: the last one is not completed.",
}
"""What AWS refuses for a time only (EC2 API reference, client error codes)."""
_LATER: Final = frozenset(_LATER_IN_WORDS)


@dataclass(frozen=True, slots=True)
class _Settings:
    """Type, IOPS and MiB/s; without figures where the type has none that could be chosen."""

    kind: str
    iops: int | None = None
    throughput: int | None = None

    @property
    def figures(self) -> dict[str, int]:
        """The chosen figures by the names of their parameters."""
        named = {"iops": self.iops, "throughput": self.throughput}
        return {name: value for name, value in named.items() if value is not None}

    def are(self, kind: str, iops: str, throughput: str) -> bool:
        """Return whether a volume has these settings."""
        return kind == self.kind and (
            self.kind == _BACK or (iops, throughput) == (f"{self.iops}", f"{self.throughput}")
        )


def _wanted(parameters: Parameters) -> _Settings:
    kind, iops, throughput = (parameters.get(name) for name in ("volumeType", "iops", "throughput"))
    if kind == _BACK and iops is None and throughput is None:
        return _Settings(_BACK)
    if kind != "gp3":
        raise InvalidInput(f"{kind!r} is not a type to change to", field="parameters.volumeType", hint="gp3")
    if not isinstance(iops, int) or isinstance(iops, bool):
        raise InvalidInput("a whole number is needed", field="parameters.iops", hint="3000 is gp3's baseline")
    if not isinstance(throughput, int) or isinstance(throughput, bool):
        raise InvalidInput("a whole number is needed", field="parameters.throughput", hint="125 is gp3's baseline")
    return _Settings(kind, iops, throughput)


def _observe(reader: Reader, target: Target) -> Observation:
    volume = read_volume(reader, target.resource.id)
    if volume is None:
        return Observation(exists=False)
    change = last_modification(reader, target.resource.id)
    facts = volume_facts(volume) | {
        "modification": str(change.get("ModificationState", "")),
        "modificationTarget": "/".join(
            str(change.get(key, "")) for key in ("TargetVolumeType", "TargetIops", "TargetThroughput")
        ),
    }
    return Observation(exists=True, fingerprint=fingerprint(volume), facts=facts)


def _preflight(observation: Observation, parameters: Parameters, facts: PolicyFacts) -> tuple[Refusal, ...]:
    refusals = list(volume_refusals(observation, facts))
    if not observation.exists:
        return tuple(refusals)
    wanted = _wanted(parameters)
    if observation.text("state") not in _USABLE:
        refusals.append(Refusal("NotUsable", f"It is {observation.text('state')}, neither in use nor available."))
    if observation.text("modification") in _RUNNING:
        refusals.append(Refusal("ModificationRunning", "Its last modification is not completed."))
    if part(observation, "volume").get("MultiAttachEnabled"):
        refusals.append(Refusal("MultiAttach", "It can be attached to several instances, which gp3 cannot."))
    if wanted.are(*_settings(observation)):
        refusals.append(Refusal("SameSettings", "It already has these settings."))
    if wanted.iops is not None and wanted.throughput is not None:
        refusals.extend(_range_refusals(wanted.iops, wanted.throughput, int(observation.text("sizeGiB") or 0)))
    return tuple(refusals)


def _range_refusals(iops: int, throughput: int, size_gib: int) -> list[Refusal]:
    found: list[Refusal] = []
    if not _IOPS[0] <= iops <= _IOPS[1] or (iops > _IOPS[0] and iops > _IOPS_PER_GIB * size_gib):
        found.append(Refusal("IopsOutOfRange", f"{iops} IOPS are not possible on {size_gib} GiB of gp3."))
    if not _THROUGHPUT[0] <= throughput <= _THROUGHPUT[1] or throughput * _IOPS_PER_MIBPS > iops:
        found.append(Refusal("ThroughputOutOfRange", f"{throughput} MiB/s are not possible with {iops} IOPS of gp3."))
    return found


def _warnings(_observation: Observation, _parameters: Parameters) -> tuple[str, ...]:
    return (
        "The change cannot be cancelled once AWS has accepted it.",
        "Until AWS has optimized the volume, its performance is between the old and the new settings.",
    )


def _words(observation: Observation, parameters: Parameters, _plan: Plan) -> ActWords:
    old, wanted = observation.text("volumeType"), _wanted(parameters)
    speed = [
        f"{observation.text(name)} → {new} {_UNITS[name]}" if observation.text(name) else f"{new} {_UNITS[name]}"
        for name, new in wanted.figures.items()
    ]
    return ActWords(
        verb="Change",
        target=wanted.kind,
        change=f"{old} → {wanted.kind}: {', '.join(speed) or 'performance by its size again'}",
        consequence="It is changed in place: it stays attached and in use.",
        downtime="None",
        undo=f"Change it back to {old}. AWS allows four changes of a volume a day.",
        steps={"modify": "Change the volume", "wait_modified": "Wait until AWS has applied the change"},
    )


def _plan(resource: ResourceRef, parameters: Parameters, assumed: Mapping[str, str]) -> Plan:
    wanted = _wanted(parameters)
    call: dict[str, Json] = {"VolumeId": resource.id, "VolumeType": wanted.kind}
    call |= {name.capitalize(): value for name, value in wanted.figures.items()}
    steps = (PlanStep("modify", "ec2:ModifyVolume", call), PlanStep("wait_modified"))
    chosen: dict[str, Json] = {"volumeType": wanted.kind, **wanted.figures}
    return Plan("ebs_volume_modify", resource, chosen, steps, dict(assumed))


def _settings(now: Observation) -> tuple[str, str, str]:
    return now.text("volumeType"), now.text("iops"), now.text("throughput")


def _has_target(plan: Plan, now: Observation) -> bool:
    return _wanted(plan.parameters).are(*_settings(now))


def _begun(plan: Plan, now: Observation) -> bool:
    target = now.text("modificationTarget").split("/")
    ours = len(target) == len(_settings(now)) and _wanted(plan.parameters).are(*target)
    return _has_target(plan, now) or (ours and now.text("modification") in _RUNNING)


def _unchanged(plan: Plan, now: Observation) -> bool:
    before = tuple(str(plan.fingerprint[key]) for key in ("volumeType", "iops", "throughput"))
    return now.exists and _settings(now) == before and now.text("modification") not in _RUNNING


def _modified(plan: Plan, now: Observation) -> bool:
    return _has_target(plan, now) and now.text("modification") != "modifying"


def _undo_parameters(plan: Plan, _made: Mapping[str, str]) -> Parameters:
    before = str(plan.fingerprint["volumeType"])
    if before != _BACK:
        raise InvalidInput(f"a change from {before} is not undone", field="parameters.volumeType", hint="do it by hand")
    return {"volumeType": _BACK}


def _not_as_left(plan: Plan, now: Observation) -> str:
    return "" if _has_target(plan, now) else "Its settings are no longer those that the act gave it."


def _refused(_plan: Plan, _now: Observation, _step: str, code: str) -> str:
    """Say what AWS's limit means; the answer itself names the time of the next change that it takes."""
    return _LATER_IN_WORDS.get(code, "")


def _found(_plan: Plan, now: Observation) -> str:
    if not now.exists:
        return "The volume does not exist any more."
    kind, iops, throughput = _settings(now)
    speed = ", ".join(f"{value} {unit}" for value, unit in ((iops, "IOPS"), (throughput, "MiB/s")) if value)
    last = now.text("modification")
    change = f"; its last modification is {last}" if last else ""
    return f"The volume has type {kind}{f' with {speed}' if speed else ''}{change}."


def _patch(owner: Owner, resource: Resource, parameters: Parameters) -> str:
    wanted = _wanted(parameters)
    if owner.system == "CloudFormation":
        figures = "".join(f", {name.capitalize()}: {value}" for name, value in wanted.figures.items())
        return f"Properties: VolumeType: {wanted.kind}{figures}"
    if owner.system == "Terraform":
        return f'type = "{wanted.kind}"' + "".join(f", {name} = {value}" for name, value in wanted.figures.items())
    return f"Wanted: {wanted.kind} instead of {quoted(resource.text('volume_type'))}"


ACTION: Final = Action(
    id="ebs_volume_modify",
    kinds=frozenset({"ebs-volume"}),
    destructive=False,
    restart_needed=False,
    rollback_possible=True,
    undo_by_hand="change it back; AWS allows four changes of a volume a day",
    effort=Effort.VERY_LOW,
    permissions=("ec2:ModifyVolume",),
    read_permissions=("ec2:DescribeVolumes", "ec2:DescribeVolumesModifications", *WATCH_READS),
    observe=_observe,
    preflight=_preflight,
    warnings=_warnings,
    words=_words,
    plan=_plan,
    procedure=Procedure(
        steps={
            "modify": StepRules(reached=_begun, expected=_unchanged, settle_seconds=60, later_codes=_LATER),
            "wait_modified": StepRules(
                reached=_modified,
                failed=lambda _, now: not now.exists or now.text("modification") == "failed",
                timeout_seconds=_DAY_SECONDS,
                poll_seconds=15,
                patient=True,
            ),
        },
        compensation=lambda _: (),
        restored=_unchanged,
        verified=_modified,
        found=_found,
        refused=_refused,
    ),
    statements=on_its_arn,
    rights=Rights(probes={"ec2:ModifyVolume": lambda volume: {"VolumeId": volume, "VolumeType": "gp3"}}),
    calls=CALLS,
    at_owner=OwnerChange(patch=_patch),
    sample=ActSample(
        parameters={"volumeType": "gp3", "iops": 3000, "throughput": 125},
        assumed={"state": "in-use", "volumeType": "gp2", "sizeGiB": "100", "iops": "300", "throughput": ""},
    ),
    undo=Undo(parameters=_undo_parameters, changed=_not_as_left),
    watch=volume_watch(_observe),
)
