"""Which clusters may be judged by what happens on them. Pure; shared by the checks of clusters."""

from __future__ import annotations

from typing import Final

from finops_operator.plugins.check import Facts
from finops_operator.services.rds.cluster import ClusterFacts

AVAILABLE: Final = "available"


def not_judged(facts: Facts[ClusterFacts]) -> str:
    """Return why nothing may be said of the cluster's use, empty when something may."""
    resource, own = facts.resource, facts.own
    if resource.state != AVAILABLE:
        return f"it is {resource.state or 'in an unknown state'}, not {AVAILABLE}"
    return depended_upon(own) or ("it has no instance" if own.members == () else "")


def depended_upon(own: ClusterFacts) -> str:
    """Return which part it has in something larger, empty when it stands alone."""
    if own.global_cluster is None or own.replicates_from is None or own.read_replicas is None:
        return "whether others depend on it is not known"
    if own.global_cluster:
        return "it is part of a global database, whose clusters stand in for each other"
    if own.replicates_from:
        return "it is a replica, which may wait for the day it is needed"
    return "others replicate from it" if own.read_replicas else ""
