"""What a deletion must know of a domain, read anew right before the call, and what speaks against it.

Automated snapshots restore the domain that they are of and no other. Manual ones lie in a bucket of the user's, and
only the domain itself knows of them: no call of the service lists them. So nothing here counts as a backup, and the
card says how many documents are lost. AWS gives a domain no time of creation, and an id that is its name; so its
address and its settings stand for it. Source: OpenSearch Service API reference, DescribeDomain, DeleteDomain; developer
guide, "Creating index snapshots", "Monitoring OpenSearch cluster metrics".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from finops.domain.canonical import Json, sha256_hex
from finops.domain.execution import Observation
from finops.errors import AwsRejected
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import PolicyFacts, Refusal, Target
from finops_operator.plugins.protection import DELETION_WORDS, observed_tags, tag_refusals
from finops_operator.plugins.recent_use import NONE, SOME, WINDOW, Measured, greatest, recent_use
from finops_operator.plugins.tagging import tags_of_arn
from finops_operator.services.opensearch.rules.naming import ACTIVE, named

DOMAIN: Final = "opensearch:DescribeDomain"
NOT_FOUND: Final = frozenset({"ResourceNotFoundException"})
DELETING: Final = "deleting"
_NAMESPACE: Final = "AWS/ES"
_USE: Final = ("SearchRate", "IndexingRate")
_DOCUMENTS: Final = "SearchableDocuments"


def observe_domain(reader: Reader, target: Target) -> Observation:
    """Read the domain, its tags, and with `target.full` what was searched and indexed in the last week.

    Facts: `state` (`active`, `deleting` or what AWS is doing to it), `address`, `engine`, `nodes`, `otherStorage` (warm
    or cold), `tags`; with `target.full` also `use` (`none`, `some` or `unknown`) and `documents`, the most it held, or
    None.
    """
    try:
        status: Mapping[str, Any] = reader.read(DOMAIN, {"DomainName": target.resource.id}).get("DomainStatus") or {}
    except AwsRejected as error:
        if error.code in NOT_FOUND:
            return Observation(exists=False)
        raise
    facts = _facts(status)
    facts["tags"] = dict(tags_of_arn(reader, target.resource.arn))
    if target.full:
        facts |= _use(reader, target)
    fingerprint = {name: str(facts[name]) for name in ("address", "engine", "nodes")}
    return Observation(True, {**fingerprint, "tags": sha256_hex(facts["tags"])[:16]}, facts)


def _facts(status: Mapping[str, Any]) -> dict[str, Json]:
    cluster: Mapping[str, Any] = status.get("ClusterConfig") or {}
    cold: Mapping[str, Any] = cluster.get("ColdStorageOptions") or {}
    addresses: Mapping[str, Any] = status.get("Endpoints") or {}
    return {
        "state": _state(status),
        "address": str(status.get("Endpoint") or ", ".join(sorted(map(str, addresses.values())))),
        "engine": str(status.get("EngineVersion") or ""),
        "nodes": f"{cluster.get('InstanceCount') or 'unknown'} of {cluster.get('InstanceType') or 'unknown'}",
        "otherStorage": bool(cluster.get("WarmEnabled") or cold.get("Enabled")),
    }


def _state(status: Mapping[str, Any]) -> str:
    """Return the state that AWS gives as flags and, of late, in a word; what is not said to be at rest is not."""
    word = str(status.get("DomainProcessingStatus") or "")
    if status.get("Deleted") or word == "Deleting":
        return DELETING
    if status.get("Created") is not True:
        return "creating"
    if status.get("UpgradeProcessing"):
        return "upgrading"
    if status.get("Processing") is not False:
        return "processing"
    return word.lower() if word else ACTIVE


def _use(reader: Reader, target: Target) -> dict[str, Json]:
    dimensions = named(target.resource.account, target.resource.id)
    rates = [Measured(_NAMESPACE, name, dimensions, "Maximum") for name in _USE]
    documents = greatest(reader, Measured(_NAMESPACE, _DOCUMENTS, dimensions, "Maximum"), target.now)
    return {
        "use": recent_use(reader, rates, target.now),
        "documents": None if documents is None else round(documents),
    }


# -- what speaks against it --------------------------------------------------------------------------------------------


def deletion_refusals(observation: Observation, facts: PolicyFacts) -> tuple[Refusal, ...]:
    """Return every reason not to delete this domain."""
    if not observation.exists:
        return (Refusal("NotFound", "The domain does not exist any more."),)
    return (
        *tag_refusals(observed_tags(observation), facts, (), DELETION_WORDS),
        *_state_refusals(observation),
        *_use_refusals(observation),
        *_loss_refusals(observation),
    )


def _state_refusals(observation: Observation) -> Iterator[Refusal]:
    if observation.text("state") != ACTIVE:
        yield Refusal("NotActive", f"It is {observation.text('state')}, not {ACTIVE}.")
    if not observation.text("address"):
        yield Refusal("AddressUnknown", "AWS did not say at which address it answers, so another may take its name.")


def _use_refusals(observation: Observation) -> Iterator[Refusal]:
    if observation.text("use") == SOME:
        yield Refusal("InUse", f"Something was searched or indexed in it within the last {WINDOW.days} days.")
    elif observation.text("use") != NONE:
        why = f"CloudWatch does not show for all of the last {WINDOW.days} days that nothing was searched or indexed."
        yield Refusal("UseUnknown", why)


def _loss_refusals(observation: Observation) -> Iterator[Refusal]:
    if observation.facts.get("otherStorage") is not False:
        yield Refusal("OtherStorage", "It has warm or cold storage, and how much is lost with that is not known.")
    if not isinstance(observation.facts.get("documents"), int):
        yield Refusal("DocumentsUnknown", "CloudWatch does not show how many documents would be lost.")
