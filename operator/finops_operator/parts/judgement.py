"""The parts that turn votes into decisions, and that say whether an act may begin or go on."""

from __future__ import annotations

from dataclasses import dataclass

from finops.crds.action_request import ActionRequest
from finops.ports.aws_access import Tenant
from finops.ports.clock import Clock
from finops.settings import Settings
from finops.store.caps import StoredCaps
from finops.store.slack_groups import SlackGroups
from finops_operator.acts.gate import OperatorGate
from finops_operator.decisions.decider import Decider
from finops_operator.decisions.identities import Identities
from finops_operator.parts.authority import Authority
from finops_operator.parts.cluster import ClusterParts


@dataclass(frozen=True, slots=True)
class Judgement:
    """Decider and gate, the caps they count against, and the Slack groups that votes may need."""

    decider: Decider
    gate: OperatorGate
    caps: StoredCaps
    groups: SlackGroups


def make_judgement(settings: Settings, cluster: ClusterParts, authority: Authority, clock: Clock) -> Judgement:
    """Make them."""
    caps, groups = StoredCaps(authority.store), SlackGroups(authority.store, settings.membership_key)
    people = Identities(
        switches=cluster.switches, identities=f"{settings.release}-identities", groups=groups, clock=clock
    )

    def give_back(request: ActionRequest) -> None:
        tenant = Tenant(namespace=request.metadata.namespace or "", policy=request.spec.policy)
        resource = request.spec.resource
        caps.give_back(request.metadata.uid or "", tenant, arn=resource.arn, kind=resource.kind)

    decider = Decider(
        authority.ledger,
        cluster.requests,
        cluster.approvals,
        cluster.cache.approvals_of,
        people,
        clock,
        authority.protection,
        cluster.policies.api.get,
        authority.fence,
        lambda verdict: cluster.telemetry.votes.labels(verdict.result.value, verdict.reason).inc(),
        give_back,
    )
    gate = OperatorGate(
        cluster.freeze,
        cluster.policies.api,
        cluster.accounts.api,
        cluster.requests.api,
        cluster.approvals.api,
        people,
        authority.ledger,
        clock,
        authority.protection,
        authority.of_store,
    )
    return Judgement(decider, gate, caps, groups)
