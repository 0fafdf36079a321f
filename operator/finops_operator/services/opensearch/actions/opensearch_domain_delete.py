"""Delete a domain that nobody searches or writes to, once people have named a snapshot that they made of it.

Parameter: `snapshot`, repository and name of a manual snapshot, as the domain's tag `finops.dev/manual-snapshot` says.
AWS makes no final snapshot, its automated ones restore the domain that they are of and no other, and no call of the
service shows whether a manual one exists. So it is the word of people, and said to be that on the card, in the plan and
in the ledger; without it the act is refused. The card says how many documents the domain holds. A domain with warm or
cold storage is never deleted, because how much that holds is not known. Another domain can be made under the same name;
what the snapshot holds can be restored into it. Source: OpenSearch Service API reference, DeleteDomain ("You can't
recover a domain after you delete it"); developer guide, "Creating index snapshots in Amazon OpenSearch Service".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from finops.domain.canonical import Json
from finops.domain.execution import Observation, StepRules
from finops.domain.plan import Plan, PlanStep
from finops.domain.recommendation import Effort, EvidenceFact, ResourceRef
from finops_operator.plugins.action import (
    Action,
    ActSample,
    ActWords,
    CallRules,
    Parameters,
    PolicyFacts,
    Refusal,
    Rights,
    Statement,
)
from finops_operator.plugins.deletion import is_as_approved, one_call, removed_at_owner
from finops_operator.plugins.protection import observed_tags
from finops_operator.plugins.recent_use import METRICS
from finops_operator.plugins.session_policy import allow
from finops_operator.plugins.tagging import CALLS, PERMISSION
from finops_operator.services.opensearch.rules.domain_observation import (
    DELETING,
    DOMAIN,
    NOT_FOUND,
    deletion_refusals,
    observe_domain,
)
from finops_operator.services.opensearch.rules.manual_snapshot import PARAMETER, refusals, wanted
from finops_operator.services.opensearch.rules.naming import ACTIVE

ID: Final = "opensearch_domain_delete"
_DELETE: Final = "opensearch:DeleteDomain"
_PERMISSION: Final = "es:DeleteDomain"
_READ: Final = "es:DescribeDomain"
"""IAM knows the service by its old name."""
_SETTLE_SECONDS: Final = 120.0
"""How long a deletion may stay invisible."""
_GONE_SECONDS: Final = 7200.0
"""How long a deletion may take before a person is called: AWS names no limit."""


# -- what speaks against it, and in words ------------------------------------------------------------------------------


def _preflight(observation: Observation, parameters: Parameters, facts: PolicyFacts) -> tuple[Refusal, ...]:
    named = refusals(observed_tags(observation), parameters) if observation.exists else ()
    return (*deletion_refusals(observation, facts), *named)


def _warnings(observation: Observation, parameters: Parameters) -> tuple[str, ...]:
    return (
        f"What no snapshot holds is lost, of {_documents(observation)}. Its automated ones restore no other domain.",
        f"That the manual snapshot {wanted(parameters) or '(none)'} exists is the word of its tag.",
        "AWS lists no manual snapshots, so we did not check that it is there, whole and recent.",
        "Reads of single documents by their id count as no search. We did not check whether a program makes them.",
        "Reserved instances go on to be billed, whether a domain uses them or not.",
        "Its address does not answer any more. We did not check whether another domain or a pipeline uses it.",
    )


def _documents(observation: Observation) -> str:
    found = observation.facts.get("documents")
    if not isinstance(found, int):
        return "an unknown number of documents"
    return f"{found} document{'' if found == 1 else 's'}"


def _words(observation: Observation, parameters: Parameters, _plan: Plan) -> ActWords:
    return ActWords(
        verb="Delete",
        consequence="The domain is deleted with all that it holds. AWS keeps nothing of it.",
        downtime="Permanent",
        undo="AWS brings no deleted domain back. What the manual snapshot holds can be restored into another one.",
        steps={"delete": "Delete the domain"},
        facts=(
            EvidenceFact("It holds", _documents(observation)),
            EvidenceFact("Manual snapshot, by the word of its tag", wanted(parameters) or "none named"),
        ),
    )


# -- what is called ----------------------------------------------------------------------------------------------------


def _plan(resource: ResourceRef, parameters: Parameters, assumed: Mapping[str, str]) -> Plan:
    named = wanted(parameters)
    chosen: dict[str, Json] = {PARAMETER: named} if named else {}
    return Plan(ID, resource, chosen, (PlanStep("delete", _DELETE, {"DomainName": resource.id}),), dict(assumed))


def _leaving(_plan: Plan, now: Observation) -> bool:
    return not now.exists or now.text("state") == DELETING


def _expected(plan: Plan, now: Observation) -> bool:
    return is_as_approved(plan, now) and now.text("state") == ACTIVE


def _found(_plan: Plan, now: Observation) -> str:
    if not now.exists:
        return "The domain is deleted with all that it held."
    state = now.text("state")
    return f"The domain is {'being deleted' if state == DELETING else state}."


def _statements(plan: Plan, _step: PlanStep) -> tuple[Statement, ...]:
    return (allow(_PERMISSION, resource=plan.resource.arn),)


ACTION: Final = Action(
    id=ID,
    kinds=frozenset({"opensearch-domain"}),
    destructive=True,
    restart_needed=False,
    rollback_possible=False,
    undo_by_hand="make another domain, and restore into it what the manual snapshot holds",
    effort=Effort.MEDIUM,
    permissions=(_PERMISSION,),
    read_permissions=(_READ, PERMISSION, METRICS),
    observe=observe_domain,
    preflight=_preflight,
    warnings=_warnings,
    words=_words,
    plan=_plan,
    procedure=one_call(
        StepRules(reached=_leaving, expected=_expected, settle_seconds=_SETTLE_SECONDS, destroys=True),
        _found,
        gone_seconds=_GONE_SECONDS,
    ),
    statements=_statements,
    rights=Rights(
        probes={_READ: lambda domain: {"DomainName": domain}},
        calls={**CALLS, _READ: DOMAIN, _PERMISSION: _DELETE},
    ),
    calls=CallRules(repeated=NOT_FOUND),
    at_owner=removed_at_owner("aws_opensearch_domain"),
    sample=ActSample(
        parameters={PARAMETER: "backups/logs-2026-03-01"},
        assumed={"address": "search-my-domain-EXAMPLE.us-east-1.es.amazonaws.com", "engine": "OpenSearch_2.11"},
    ),
)
