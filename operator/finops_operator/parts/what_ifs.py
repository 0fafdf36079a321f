"""The loop that answers what-ifs, made from the other parts."""

from __future__ import annotations

from finops.ports.clock import Clock
from finops_operator.background import Background
from finops_operator.parts.authority import Authority
from finops_operator.parts.cloud import CloudParts
from finops_operator.parts.cluster import ClusterParts
from finops_operator.upkeep.what_ifs import AnsweredWhatIfs


def make_what_ifs(cluster: ClusterParts, authority: Authority, cloud: CloudParts, clock: Clock) -> AnsweredWhatIfs:
    """Make it; nothing runs yet."""
    return AnsweredWhatIfs(
        store=authority.store,
        offered=cloud.plugins,
        known=cloud.known,
        live=cluster.cache.policies.get,
        accounts=cluster.cache.accounts.all,
        clock=clock,
        may_write=authority.keeper.may_write,
        background=Background(cluster.telemetry, clock),
    )
