"""Clusters: ListClusters and DescribeCluster, the support of their version, and what they can run pods on.

Loaded by the registry; walked by the discover stage. A cluster is billed by the hour, and more while its version is in
extended support; machines and Fargate pods are billed apart. EKS publishes no metric that says whether a cluster is
used. Clusters that are only connected run elsewhere and are not listed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from finops.domain.focus.categories import BilledAs
from finops.domain.price import PriceQuery
from finops.domain.resource import Gap, Resource
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.commitments import NONE_SOLD
from finops_operator.plugins.console import console_page
from finops_operator.plugins.described import gap_of, parse_seconds, parse_time
from finops_operator.plugins.facts import attributes_of, facts_of
from finops_operator.plugins.kind import BilledPart, Listing, ResourceKind, Sample, States
from finops_operator.plugins.ownership import owned_by
from finops_operator.plugins.unknown_state import billed_as_unknown
from finops_operator.services.eks.rules.signs import SIGNS
from finops_operator.services.eks.rules.versions import EXTENDED, STANDARD, Versions
from finops_operator.services.eks.rules.versions import OPERATION as _VERSIONS
from finops_operator.services.eks.rules.workers import GROUPS, MACHINES, PROFILES, Workers

_LIST: Final = "eks:ListClusters"
_DESCRIBE: Final = "eks:DescribeCluster"
_PAGE: Final = 100
_ONE: Final = Decimal(1)
ACTIVE: Final = "active"
_WORKING: Final = frozenset({ACTIVE, "updating"})
_GONE: Final = "DELETING"
_CREATING: Final = "creating"
"""There is no control plane yet; AWS bills its hours."""
_NORMAL_TIER: Final = "standard"


@dataclass(frozen=True, slots=True)
class KubernetesFacts:
    """What is known of one cluster; None: AWS did not say. Names as in the reports' `attributes`.

    Attributes:
        support: of its version: `standard`, `extended` or `unsupported`.
        standard_support_ends: ISO day.
        upgrade_policy: `EXTENDED`, or `STANDARD` where EKS upgrades it at the end of standard support.
        node_groups, fargate_profiles: how many there are; machines: instances with the cluster's tag, counted where
            there is neither.
        auto_mode: whether EKS starts machines by itself, which costs more by machine.
        control_plane_tier: `standard`, or a provisioned size with a price of its own.
        not_in_cost: what AWS bills of it by use and its cost leaves out.
    """

    version: str | None = None
    support: str | None = None
    standard_support_ends: str | None = None
    upgrade_policy: str | None = None
    node_groups: int | None = None
    fargate_profiles: int | None = None
    machines: int | None = None
    auto_mode: bool | None = None
    control_plane_tier: str | None = None
    on_outpost: bool | None = None
    logs: tuple[str, ...] | None = None
    deletion_protection: bool | None = None
    not_in_cost: tuple[str, ...] | None = None


# -- listing -----------------------------------------------------------------------------------------------------------


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield clusters one after the other; what cannot be read ends the listing with a Gap."""
    versions, workers = Versions(reader), Workers(reader)
    try:
        for page in reader.pages(_LIST, {"maxResults": _PAGE}):
            for name in page.get("clusters", ()):
                cluster = reader.once(_DESCRIBE, {"name": name}).get("cluster") or {}
                if cluster.get("status") != _GONE:
                    yield _resource(str(name), cluster, _Reading(versions, workers), reader, partition)
    except AwsError as error:
        yield gap_of(error, reader)
    yield from versions.failed
    yield from workers.failed.values()


@dataclass(frozen=True, slots=True)
class _Reading:
    """What is read beside the description of a cluster."""

    versions: Versions
    workers: Workers


def _resource(name: str, cluster: Mapping[str, Any], reading: _Reading, reader: PageReader, partition: str) -> Resource:
    created = cluster.get("createdAt")
    return Resource(
        kind="eks-cluster",
        id=name,
        arn=str(cluster.get("arn") or f"arn:{partition}:eks:{reader.region}:{reader.account}:cluster/{name}"),
        name=name,
        account=reader.account,
        region=reader.region,
        state=str(cluster.get("status") or "").lower(),
        tags={str(key): str(value) for key, value in (cluster.get("tags") or {}).items()},
        created=parse_time(created) or parse_seconds(created),
        attributes=attributes_of(_facts(name, cluster, reading)),
    )


def _facts(name: str, cluster: Mapping[str, Any], reading: _Reading) -> KubernetesFacts:
    version = str(cluster.get("version") or "")
    support = reading.versions.of(version)
    groups, profiles = reading.workers.groups(name), reading.workers.profiles(name)
    auto_mode = bool((cluster.get("computeConfig") or {}).get("enabled"))
    needs_machines = groups == 0 and profiles == 0 and not auto_mode
    return KubernetesFacts(
        version=version or None,
        support=support.status,
        standard_support_ends=support.standard_ends,
        upgrade_policy=(cluster.get("upgradePolicy") or {}).get("supportType"),
        node_groups=groups,
        fargate_profiles=profiles,
        machines=reading.workers.machines(name) if needs_machines else None,
        auto_mode=auto_mode,
        control_plane_tier=(cluster.get("controlPlaneScalingConfig") or {}).get("tier") or _NORMAL_TIER,
        on_outpost=bool(cluster.get("outpostConfig")),
        logs=_logs(cluster),
        deletion_protection=cluster.get("deletionProtection"),
        not_in_cost=("auto_mode_instance_hour",) if auto_mode else (),
    )


def _logs(cluster: Mapping[str, Any]) -> tuple[str, ...]:
    setups = (cluster.get("logging") or {}).get("clusterLogging") or ()
    return tuple(str(kind) for setup in setups if setup.get("enabled") for kind in setup.get("types") or ())


def kubernetes_facts(resource: Resource) -> KubernetesFacts:
    """Return the facts of an `eks-cluster`."""
    return facts_of(KubernetesFacts, resource)


# -- what is billed ----------------------------------------------------------------------------------------------------


def billed_parts(cluster: Resource) -> tuple[BilledPart, ...]:
    """Return the hours of the control plane, and of extended support. https://aws.amazon.com/eks/pricing/ ."""
    if cluster.state == _CREATING:
        return ()
    if cluster.state not in _WORKING:
        return billed_as_unknown("cluster_hour", cluster.state)
    facts, region = kubernetes_facts(cluster), cluster.region
    if facts.control_plane_tier != _NORMAL_TIER:
        reason = f"no price for the control plane tier {facts.control_plane_tier}"
        return (BilledPart("cluster_hour", _ONE, None, reason),)
    hours = BilledPart("cluster_hour", _ONE, PriceQuery("eks", region, "cluster"))
    if facts.support == EXTENDED:
        addition = PriceQuery("eks", region, "cluster_extended_support_addition")
        return (hours, BilledPart("extended_support_hour", _ONE, addition))
    if facts.support != STANDARD:
        reason = "whether its version is in extended support is not known"
        return (hours, BilledPart("extended_support_hour", Decimal(0), None, reason))
    return (hours,)


# -- what else is declared ---------------------------------------------------------------------------------------------


KIND: Final = ResourceKind(
    id="eks-cluster",
    title="EKS cluster",
    service="eks",
    id_pattern=r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}",
    arn_pattern="arn:*:eks:*:*:cluster/*",
    facts=KubernetesFacts,
    listing=Listing(
        permissions=(_LIST, _DESCRIBE, _VERSIONS, GROUPS, PROFILES, MACHINES),
        collect=_collect,
        probes={
            _DESCRIBE: lambda known: {"name": known},
            GROUPS: lambda known: {"clusterName": known},
            PROFILES: lambda known: {"clusterName": known},
        },
    ),
    billed_as=BilledAs("Amazon Elastic Kubernetes Service", "Compute", "Containers"),
    states=States(running=_WORKING, billed=_WORKING, free=frozenset({_CREATING})),
    billed_parts=billed_parts,
    console_url=console_page("eks/clusters/{id}?region={region}"),
    sample=Sample("my-cluster", "arn:aws:eks:us-east-1:111111111111:cluster/my-cluster"),
    owner=owned_by(SIGNS),
    type_of=lambda resource: resource.text("version"),
    commitments=NONE_SOLD,
)
