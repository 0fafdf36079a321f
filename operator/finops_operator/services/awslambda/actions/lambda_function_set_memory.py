"""Give a function less memory, and with it a smaller share of a processor. It stays in use meanwhile.

Parameter: `memoryMb`, a size below the present one; with `setBack` it undoes an earlier act and the size is above. The
call names the revision that people approved, so AWS refuses it once anybody has changed the function. Published
versions cannot be changed: they keep their memory, and so do requests through an alias, while the saving counts every
request: a function that has any is refused. A turned act sets the old size again. Source: AWS Lambda API reference,
UpdateFunctionConfiguration and GetFunctionConfiguration; developer guide, "Lambda function states".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from finops.domain.canonical import Json, sha256_hex
from finops.domain.execution import Observation
from finops.domain.lasting import Shows
from finops.domain.plan import Plan
from finops.domain.recommendation import Effort, EvidenceFact, ResourceRef
from finops.domain.resource import Resource
from finops.errors import AwsRejected, InvalidInput
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import (
    Action,
    ActSample,
    ActWords,
    CallRules,
    OwnerChange,
    Parameters,
    PolicyFacts,
    Refusal,
    Rights,
    Target,
)
from finops_operator.plugins.number_setting import Call, NumberSetting, Others, Pace, sets_back
from finops_operator.plugins.ownership import Owner
from finops_operator.plugins.protection import controlled, described_by_template, observed_tags, protected
from finops_operator.plugins.session_policy import on_its_arn
from finops_operator.plugins.tagging import PERMISSION as _TAGS
from finops_operator.plugins.tagging import tags_of_arn
from finops_operator.plugins.watch_shape import PERMISSIONS as WATCH_READS
from finops_operator.services.awslambda.rules.function_watch import function_watch
from finops_operator.services.awslambda.rules.provisioned import OPERATION as _PROVISIONED
from finops_operator.services.awslambda.rules.signs import SIGNS
from finops_operator.services.awslambda.rules.versions import BY_MEMORY

ID: Final = "lambda_function_set_memory"
_READ: Final = "lambda:GetFunctionConfiguration"
_VERSIONS: Final = "lambda:ListVersionsByFunction"
_UPDATE: Final = "lambda:UpdateFunctionConfiguration"
_GONE: Final = "ResourceNotFoundException"
_BUSY: Final = "ResourceConflictException"
"""Another change of the function is under way; nothing was done."""
_OTHER_REVISION: Final = "PreconditionFailedException"
_ACTIVE: Final = "Active"
_SUCCESSFUL: Final = "Successful"
_UNDER_WAY: Final = "InProgress"
_UNPUBLISHED: Final = "$LATEST"
_SMALLEST_MB: Final = 128
_LARGEST_MB: Final = 10_240
"""https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""
_SETTLE_SECONDS: Final = 120.0
"""How long a change may stay invisible before a person is called."""
_LONGEST_SECONDS: Final = 900.0
"""Of applying a change; AWS says that one with a VPC can take a minute."""


def _wanted(parameters: Parameters) -> int:
    size = parameters.get("memoryMb")
    if not isinstance(size, int) or isinstance(size, bool) or not _SMALLEST_MB <= size <= _LARGEST_MB:
        hint = f"MB, from {_SMALLEST_MB} to {_LARGEST_MB}"
        raise InvalidInput(f"{size!r} is no size of memory", field="parameters.memoryMb", hint=hint)
    return size


# -- what is there -----------------------------------------------------------------------------------------------------


def _observe(reader: Reader, target: Target) -> Observation:
    """Read the unpublished function and its tags. Facts: `state`, `update`, `memoryMb`, `revisionId`, `codeSha256`.

    Also `timeoutSeconds`, `architecture`, `replica` and `ownCapacity`; with `target.full` also `provisioned` and
    `versions`, the number of published ones among the first 50.
    """
    named = {"FunctionName": target.resource.id}
    try:
        function = reader.read(_READ, named)
        further: dict[str, Json] = _further(reader, named) if target.full and function else {}
    except AwsRejected as error:
        if error.code == _GONE:
            return Observation(exists=False)
        raise
    if not function:
        return Observation(exists=False)
    tags = tags_of_arn(reader, target.resource.arn)
    facts: dict[str, Json] = {
        "state": str(function.get("State") or ""),
        "update": str(function.get("LastUpdateStatus") or ""),
        "memoryMb": str(function.get("MemorySize") or ""),
        "timeoutSeconds": str(function.get("Timeout") or ""),
        "revisionId": str(function.get("RevisionId") or ""),
        "codeSha256": str(function.get("CodeSha256") or ""),
        "architecture": str(next(iter(function.get("Architectures") or ()), "")),
        "replica": bool(function.get("MasterArn")),
        "ownCapacity": bool(function.get("CapacityProviderConfig")),
        "tags": dict(tags),
        **further,
    }
    found = {name: str(facts[name]) for name in ("memoryMb", "timeoutSeconds", "revisionId", "codeSha256")}
    return Observation(exists=True, fingerprint={**found, "tags": sha256_hex(dict(tags))[:16]}, facts=facts)


def _further(reader: Reader, named: Mapping[str, Any]) -> dict[str, Json]:
    configs = reader.read(_PROVISIONED, named).get("ProvisionedConcurrencyConfigs") or ()
    versions = reader.read(_VERSIONS, {**named, "MaxItems": 50}).get("Versions") or ()
    published = [one for one in versions if one.get("Version") != _UNPUBLISHED]
    return {"provisioned": bool(configs), "versions": len(published)}


# -- what speaks against it, and in words ------------------------------------------------------------------------------


def _preflight(observation: Observation, parameters: Parameters, facts: PolicyFacts) -> tuple[Refusal, ...]:
    if not observation.exists:
        return (Refusal("NotFound", "The function does not exist any more."),)
    if sets_back(parameters):
        # Tags that protect it forbid to take memory away, and a published version is no reason to leave it small.
        return (
            *_function_refusals(observation),
            *(_unknown_size(observation) or SETTING.not_back(observation, parameters)),
        )
    tags = observed_tags(observation)
    return (
        *protected(tags, facts),
        *controlled(tags, SIGNS),
        *described_by_template(tags, SIGNS),
        *_function_refusals(observation),
        *_version_refusals(observation),
        *_size_refusals(observation, _wanted(parameters)),
    )


def _function_refusals(observation: Observation) -> list[Refusal]:
    found: list[Refusal] = []
    if observation.text("state") != _ACTIVE:
        found.append(
            Refusal("NotActive", f"It is {observation.text('state') or 'in an unknown state'}, not {_ACTIVE}.")
        )
    if observation.text("update") != _SUCCESSFUL:
        found.append(Refusal("UpdateNotComplete", "Its last change is under way or has failed."))
    if not observation.text("codeSha256"):
        found.append(Refusal("CreationUnknown", "AWS did not say which code it runs, so another may take its name."))
    if observation.facts.get("replica"):
        found.append(Refusal("Replica", "It is a replica of CloudFront's, which follows its main function."))
    if observation.facts.get("ownCapacity"):
        found.append(Refusal("OwnCapacity", "It runs on instances of a capacity provider, which bills them."))
    return found


def _version_refusals(observation: Observation) -> list[Refusal]:
    """Return why less memory would not save what was counted: published versions keep theirs."""
    found: list[Refusal] = []
    if observation.facts.get("provisioned") is not False:
        said = "Its concurrency is provisioned for published versions, which keep their memory."
        found.append(Refusal("ProvisionedConcurrency", said))
    versions = observation.facts.get("versions")
    if versions != 0:
        which = "Whether it has published versions is not known" if versions is None else "It has published versions"
        said = f"{which}: they keep the old size, and so do requests through an alias."
        found.append(Refusal("PublishedVersions", said))
    return found


def _unknown_size(observation: Observation) -> list[Refusal]:
    if observation.text("memoryMb") and observation.text("revisionId"):
        return []
    return [Refusal("MemoryUnknown", "AWS did not say how much memory it has, or which revision it is.")]


def _size_refusals(observation: Observation, wanted: int) -> list[Refusal]:
    if unknown := _unknown_size(observation):
        return unknown
    size = observation.text("memoryMb")
    if not observation.text("timeoutSeconds"):
        return [Refusal("TimeoutUnknown", "AWS did not say after which time it ends a request, and it may run longer.")]
    return [] if wanted < int(size) else [Refusal("MemoryNotLower", f"It has {size} MB, no more than {wanted} MB.")]


def _warnings(_observation: Observation, parameters: Parameters) -> tuple[str, ...]:
    if sets_back(parameters):
        return ("Versions that were published since the act keep the size they were published with.",)
    return (
        "Less memory brings a smaller share of a processor: a function that computes runs longer.",
        "A request that needs more memory than that fails.",
    )


def _words(observation: Observation, parameters: Parameters, _plan: Plan) -> ActWords:
    wanted, before = f"{_wanted(parameters)} MB", f"{observation.text('memoryMb')} MB"
    architecture = observation.text("architecture")
    return ActWords(
        verb="Resize",
        target=wanted,
        change=f"Memory: {before} → {wanted}",
        consequence="New requests run with the new size, each in a new environment at first. It stays in use.",
        downtime="None",
        undo=f"On a failure it gets {before} back by itself. Later: set its memory back.",
        steps={
            "set_memory": f"Set the memory to {wanted}",
            "wait_updated": "Wait until AWS has applied the change",
            "restore": f"Set the memory back to {before}",
            "wait_restored": "Wait until the old size is applied",
        },
        facts=(EvidenceFact("Processor", architecture),) if architecture else (),
    )


# -- what is called ----------------------------------------------------------------------------------------------------


def _call(resource: ResourceRef, size: int) -> Call:
    return _UPDATE, {"FunctionName": resource.id, "MemorySize": size}


def _megabytes(size: int) -> str:
    return f"{size} MB"


SETTING: Final = NumberSetting(
    action=ID,
    parameter="memoryMb",
    fact="memoryMb",
    # A function that was deleted and made anew under its name is known by nothing else than its code.
    identity="codeSha256",
    label="memory",
    shown=_megabytes,
    steps=("set_memory", "wait_updated"),
    wanted=_wanted,
    call=_call,
    others=Others(set="somebody changed the function meanwhile", replaced="somebody deployed other code meanwhile"),
    pace=Pace(settle=_SETTLE_SECONDS, longest=_LONGEST_SECONDS, busy=frozenset({_BUSY})),
    bound=lambda assumed: {"RevisionId": str(assumed.get("revisionId") or "")},
    # Our call makes the new size with a new revision, at once: the old size with another revision is not ours.
    before=("revisionId",),
    settled=lambda _plan, now: now.text("update") != _UNDER_WAY,
    applied=lambda _plan, now: now.text("update") == _SUCCESSFUL,
    restored=lambda _plan, now: now.text("update") != _UNDER_WAY,
    broken=lambda _plan, now: now.text("update") == "Failed",
)


def _found(_plan: Plan, now: Observation) -> str:
    if not now.exists:
        return "The function does not exist any more."
    update = now.text("update")
    state = "" if update == _SUCCESSFUL else f"; its last change is {update or 'unknown'}"
    return f"The function has {now.text('memoryMb')} MB of memory{state}."


def _refused(_plan: Plan, _now: Observation, _step: str, code: str) -> str:
    return "Somebody changed the function after people approved the act." if code == _OTHER_REVISION else ""


def _patch(owner: Owner, _resource: Resource, parameters: Parameters) -> str:
    size = _wanted(parameters)
    if owner.system == "CloudFormation":
        return f"Properties: MemorySize: {size}"
    return f"memory_size = {size}" if owner.system == "Terraform" else f"Wanted: {size} MB of memory"


ACTION: Final = Action(
    id=ID,
    kinds=frozenset({"lambda-function"}),
    destructive=False,
    restart_needed=False,
    rollback_possible=True,
    undo_by_hand="set its memory back",
    effort=Effort.LOW,
    permissions=(_UPDATE,),
    read_permissions=(_READ, _PROVISIONED, _VERSIONS, _TAGS, *WATCH_READS),
    observe=_observe,
    preflight=_preflight,
    warnings=_warnings,
    words=_words,
    plan=SETTING.plan,
    procedure=SETTING.procedure(_found, _refused),
    statements=on_its_arn,
    # One operation leads there and back, and IAM cannot see which of both a call is: the preflight alone keeps an act
    # from a protected function, and no act is kept from restoring one.
    rights=Rights(rollback=frozenset({_UPDATE})),
    # A call whose answer was lost has made another revision.
    calls=CallRules(repeated=frozenset({_BUSY, _OTHER_REVISION})),
    at_owner=OwnerChange(patch=_patch),
    sample=ActSample(
        parameters={"memoryMb": 256},
        assumed={
            "memoryMb": "1024",
            "timeoutSeconds": "30",
            "revisionId": "00000000-0000-4000-8000-000000000000",
            "codeSha256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        },
    ),
    undo=SETTING.undo,
    watch=function_watch(_observe),
    shows=Shows(parts=BY_MEMORY, setting="memory_mb", parameter="memoryMb", fact="memoryMb"),
)
