"""Which caches may be judged, and which stand alone, so that nothing else takes over their work. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from finops.domain.recommendation import EvidenceFact
from finops_operator.plugins.check import Facts
from finops_operator.services.elasticache.cluster import AVAILABLE, CacheFacts


def not_judged(facts: Facts[CacheFacts]) -> str:
    """Return why nothing may be said about the cache, empty when something may."""
    resource, own = facts.resource, facts.own
    if resource.state != AVAILABLE:
        return f"it is {resource.state or 'in an unknown state'}, not {AVAILABLE}"
    if not own.tags_known:
        return "its tags could not be read, so it may be protected"
    if own.engine is None or own.cache_node_type is None:
        return "its engine or its node type is not known"
    if own.outpost:
        return "it stands on an Outpost"
    return f"it is about to become {own.pending_node_type}" if own.pending_node_type else ""


def not_alone(own: CacheFacts) -> str:
    """Return which part it has in something larger, empty when it stands alone, as a group with all its nodes does."""
    if own.replication_group is None:
        return "whether it is a node of a group is not known"
    if not own.replication_group:
        return ""
    if own.group_nodes is None or own.global_group is None:
        return "the group that it is a node of is not known"
    if own.global_group:
        return "its group is replicated to other regions"
    if own.group_nodes > 1 and own.members is None:
        return f"it is one of {own.group_nodes} nodes of a group, which is judged as a whole"
    return ""


def group_fact(own: CacheFacts) -> Iterator[EvidenceFact]:
    """Yield that a change concerns all nodes of a group, where it is one of several."""
    if own.members is not None:
        yield EvidenceFact("Group", f"{len(own.members)} nodes, which are changed together")
