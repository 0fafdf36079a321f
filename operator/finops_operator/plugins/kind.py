"""What a plug-in declares: resource kinds and checks, as frozen dataclasses that the registry loads.

Called by: `resources/*` (export `KIND`), `checks/*` (export `CHECK`), the stages that walk them, `finops iam-policy`.
Actions declare themselves with their own dataclass, beside the code that runs them.

Agreement between collectors and checks: names inside `Resource.attributes`
==========================================================================

`ec2-instance` (state: AWS's word; created: LaunchTime, so that metrics before a restart or a resize do not count)

- text: `instance_type`, `usage_operation` (`RunInstances:0002`), `platform_details`, `platform` (`windows` or empty),
  `tenancy`, `lifecycle` (empty, `spot`, `scheduled`), `availability_zone`, `architecture`, `virtualization_type`,
  `hypervisor`, `root_device_type`, `root_device_name`, `image_id`, `boot_mode`, `auto_scaling_group`,
  `operator_principal`, `state_transition_reason`, `placement_group`, `capacity_reservation` (id of the reservation the
  instance sits in or targets)
- boolean: `ena_support` (null when AWS did not say), `ebs_optimized`, `operator_managed`, `hibernation_configured`
- integer: `network_interface_count`
- lists: `volume_ids`, `public_ipv4` (addresses), `elastic` (one boolean per address of `public_ipv4`)

`ebs-volume` (state: `available`, `in-use`, …; created: CreateTime)

- text: `volume_type`, `kms_key_id`, `availability_zone`, `snapshot_id`, `attached_instance_id`, `attached_device`,
  `operator_principal`, `unattached_since` (ISO time of our own first sight as unattached; absent when we never kept it)
- integer: `size_gb`, `iops`, `throughput` (MiB/s); null where AWS gave none
- boolean: `encrypted`, `multi_attach`, `operator_managed`
- lists: `attachments` (objects with `instance_id`, `device`, `state`)

A fact AWS did not give is absent or null, never a default: `False`, `0` and the empty string mean that AWS said so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

from finops.domain.price import Cost, Price, PriceQuery
from finops.domain.recommendation import ActionType, Effort, Finding, NotRecommended
from finops.domain.resource import Gap, Resource
from finops.domain.utilization import Utilization
from finops_operator.plugins.sizing_policy import SizingPolicy
from finops_operator.pricing.instance_types import Catalog

PriceLookup: TypeAlias = Callable[[PriceQuery], Price | None]
"""A pure question to a price table: a figure of exactly that region and product, or None."""


def _always(_: Resource) -> bool:
    return True


def _never(_facts: Facts, _parameters: Mapping[str, Decimal]) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """One CloudWatch metric of a kind.

    Attributes:
        name: our name of it in `Utilization` (`cpuPercent`).
        namespace, metric: CloudWatch's names.
        dimension: the dimension that carries the resource's id.
        statistics: `("Average", "Maximum")` for a gauge: summaries tell the period maxima and the mean of the period
            averages; `("Sum",)` for a counter: maximum and percentiles tell the period sums, total their sum, so that
            a rate is a figure divided by `period_seconds`.
        unit: unit of a point: `percent`, `bytes`, `count`, `seconds`, `credits`.
        missing_means_zero: whether AWS leaves a point out because nothing happened; False: a missing point is unknown.
        hourly: part of the first hourly picture.
        fine: part of the 5-minute picture of candidates.
        discovered: the dimension set must be found by ListMetrics first (CWAgent).
        applies: which resources publish the metric at all.
    """

    name: str
    namespace: str
    metric: str
    dimension: str
    statistics: tuple[str, ...]
    unit: str
    missing_means_zero: bool = False
    hourly: bool = True
    fine: bool = False
    discovered: bool = False
    applies: Callable[[Resource], bool] = _always

    @property
    def counter(self) -> bool:
        """Whether points are amounts per period rather than levels."""
        return self.statistics == ("Sum",)


@dataclass(frozen=True, slots=True)
class BilledPart:
    """One thing AWS bills for a resource as it stands.

    Attributes:
        dimension: what is billed (`instance_hour`, `gb_month`, `iops_month`, `throughput_mibps_month`, …).
        quantity: how many units; for something billed by the hour the number of such things running all month.
        query: what to ask a price source, None when no source can know.
        reason_unknown: why there is no query, in words; empty otherwise.
    """

    dimension: str
    quantity: Decimal
    query: PriceQuery | None
    reason_unknown: str = ""


@dataclass(frozen=True, slots=True)
class ResourceKind:
    """One kind of AWS resource: how to list it, measure it, price it and show it.

    Attributes:
        id: kind id with hyphens, as in `spec.resources`; the file's name with underscores.
        title: one of its resources in words (`EC2 instance`).
        service: AWS service prefix (`ec2`).
        id_pattern: full-match regular expression of AWS ids.
        permissions: IAM actions the collector calls.
        collect: paginated generator; its arguments are the discovery stage's business. It yields a Gap for what it
            could not see and never turns an error into silence.
        metrics: what CloudWatch tells about it.
        billed_parts: what is billed for one resource; pure. For the kinds of this product: the functions of the same
            name in its service's `rules`.
        console_url: link to the AWS console.
    """

    id: str
    title: str
    service: str
    id_pattern: str
    permissions: tuple[str, ...]
    collect: Callable[..., Iterator[Resource | Gap]]
    metrics: tuple[MetricSpec, ...]
    billed_parts: Callable[[Resource], tuple[BilledPart, ...]]
    console_url: Callable[[Resource], str]


@dataclass(frozen=True, slots=True)
class ParameterSpec:
    """One number a policy may set for a check; inclusive range, figures in `unit`."""

    name: str
    unit: str
    default: Decimal
    minimum: Decimal
    maximum: Decimal
    description: str


@dataclass(frozen=True, slots=True)
class JudgeSettings:
    """What a policy says about judging, apart from the parameters of single checks.

    Attributes:
        minimum_hours: hours of data below which nothing is judged (`metrics.minimumHours`).
        minimum_coverage_percent: share of the window that must carry data (`metrics.minimumCoveragePercent`).
        hours_per_month: `pricing.hoursPerMonth`.
        sizing: `sizing` of the policy.
    """

    minimum_hours: Decimal = Decimal(30)
    minimum_coverage_percent: Decimal = Decimal(95)
    hours_per_month: Decimal = Decimal(730)
    sizing: SizingPolicy = field(default_factory=SizingPolicy)


@dataclass(frozen=True, slots=True)
class Facts:
    """All a check may know about one resource.

    Attributes:
        resource, utilization: what it is and what it did.
        cost: what it costs as it stands.
        cost_of: what a changed copy of the resource would cost; same rules as `cost`.
        lookup: price table, for figures of other products (a snapshot).
        catalog: instance types.
        offered_types: types offered in the resource's zone, None when that is not known (no candidate for another type,
            or AWS did not answer): the preflight confirms it before an act, and the evidence says so.
        settings: the policy's rules of judging.
        now: time of the scan.
        previous_target: target of the last recommendation of the same check for this resource, empty when none; keeps
            advice from flapping between neighbours.
    """

    resource: Resource
    utilization: Utilization
    cost: Cost
    cost_of: Callable[[Resource], Cost]
    lookup: PriceLookup
    catalog: Catalog
    settings: JudgeSettings
    now: datetime
    offered_types: frozenset[str] | None = None
    previous_target: str = ""


Parameters: TypeAlias = Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Check:
    """One rule that looks for waste.

    Attributes:
        id: `<service>_<resource>_<condition>`, the file's name.
        title: a few words for tables.
        kinds: kind ids it judges.
        parameters: what a policy may set.
        documentation: the AWS page whose thresholds are the defaults.
        action: id of the action it recommends.
        action_type, effort, restart_needed, rollback_possible, destructive: what that action means for people.
        evaluate: pure judgement; NotRecommended carries the reason why not.
        window_parameter: name of the parameter that says how many days of metrics the check must see, empty when the
            policy's lookback is enough.
        wants_fine: whether the 5-minute picture of this resource could change the judgement; asked with the hourly
            picture, so that only candidates cost further queries.
    """

    id: str
    title: str
    kinds: tuple[str, ...]
    parameters: tuple[ParameterSpec, ...]
    documentation: str
    action: str
    action_type: ActionType
    effort: Effort
    restart_needed: bool
    rollback_possible: bool
    destructive: bool
    evaluate: Callable[[Facts, Parameters], Finding | NotRecommended]
    window_parameter: str = ""
    wants_fine: Callable[[Facts, Parameters], bool] = _never
