"""What passes through each type of load balancer: CloudWatch publishes each type in a namespace of its own.

Only traffic of clients is measured, never health checks: AWS leaves them out of every metric here. A point that is
missing means no traffic where AWS says that it reports the metric only for a value above zero; of network load
balancers it says that flows and bytes are always reported, so there a missing point is unknown.
Sources: the pages "CloudWatch metrics" of the application, network, gateway and classic guides at
https://docs.aws.amazon.com/elasticloadbalancing/latest/.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from finops.domain.resource import Resource
from finops_operator.plugins.kind import MetricSpec

APPLICATION: Final = "application"
NETWORK: Final = "network"
GATEWAY: Final = "gateway"
CLASSIC: Final = "classic"
TYPES: Final = (APPLICATION, NETWORK, GATEWAY, CLASSIC)


@dataclass(frozen=True, slots=True)
class Traffic:
    """What of a type's metrics is traffic of clients.

    Attributes:
        requests: counters that together are its requests, or its new flows.
        amount: the counter of bytes that must be zero as well for "no traffic", empty where requests say it all.
        noun: what the requests are called.
    """

    requests: tuple[str, ...]
    amount: str
    noun: str


TRAFFIC: Final[Mapping[str, Traffic]] = MappingProxyType(
    {
        # A request that a rule redirects or answers itself never chooses a target and is not in RequestCount.
        APPLICATION: Traffic(("requestCount", "redirectCount", "fixedResponseCount"), "", "requests"),
        NETWORK: Traffic(("networkNewFlows",), "networkProcessedBytes", "flows"),
        GATEWAY: Traffic(("gatewayNewFlows",), "gatewayProcessedBytes", "flows"),
        CLASSIC: Traffic(("classicRequestCount",), "classicProcessedBytes", "requests"),
    }
)


def _of(wanted: str) -> Callable[[Resource], bool]:
    def applies(resource: Resource) -> bool:
        return resource.text("load_balancer_type") == wanted

    return applies


def _application(name: str, metric: str) -> MetricSpec:
    return MetricSpec(
        name,
        "AWS/ApplicationELB",
        metric,
        "LoadBalancer",
        ("Sum",),
        "count",
        missing_means_zero=True,
        applies=_of(APPLICATION),
    )


def _flows(name: str, metric: str, unit: str, wanted: str, *, missing_means_zero: bool) -> MetricSpec:
    return MetricSpec(
        name,
        {NETWORK: "AWS/NetworkELB", GATEWAY: "AWS/GatewayELB"}[wanted],
        metric,
        "LoadBalancer",
        ("Sum",),
        unit,
        missing_means_zero=missing_means_zero,
        applies=_of(wanted),
    )


def _classic(name: str, metric: str, unit: str) -> MetricSpec:
    return MetricSpec(
        name, "AWS/ELB", metric, "LoadBalancerName", ("Sum",), unit, missing_means_zero=True, applies=_of(CLASSIC)
    )


CAPACITY: Final[Mapping[str, str]] = MappingProxyType(
    {APPLICATION: "applicationCapacityUnits", NETWORK: "networkCapacityUnits", GATEWAY: "gatewayCapacityUnits"}
)
"""Type → our name of the capacity units that it is billed for."""

CLASSIC_BYTES: Final = "classicProcessedBytesByDay"


def _billed(name: str, namespace: str, metric: str, dimension: str, unit: str, wanted: str) -> MetricSpec:
    """Return what is billed by use, by days: the sum of an hour's points are the units of that hour."""
    return MetricSpec(
        name,
        namespace,
        metric,
        dimension,
        ("Sum",),
        unit,
        missing_means_zero=wanted != NETWORK,
        hourly=False,
        daily=True,
        applies=_of(wanted),
    )


def _units(wanted: str, namespace: str) -> MetricSpec:
    return _billed(CAPACITY[wanted], namespace, "ConsumedLCUs", "LoadBalancer", "capacity unit-hours", wanted)


METRICS: Final = (
    _application("requestCount", "RequestCount"),
    _application("redirectCount", "HTTP_Redirect_Count"),
    _application("fixedResponseCount", "HTTP_Fixed_Response_Count"),
    _flows("networkNewFlows", "NewFlowCount", "count", NETWORK, missing_means_zero=False),
    _flows("networkProcessedBytes", "ProcessedBytes", "bytes", NETWORK, missing_means_zero=False),
    _flows("gatewayNewFlows", "NewFlowCount", "count", GATEWAY, missing_means_zero=True),
    _flows("gatewayProcessedBytes", "ProcessedBytes", "bytes", GATEWAY, missing_means_zero=True),
    _classic("classicRequestCount", "RequestCount", "count"),
    _classic("classicProcessedBytes", "EstimatedProcessedBytes", "bytes"),
    _units(APPLICATION, "AWS/ApplicationELB"),
    _units(NETWORK, "AWS/NetworkELB"),
    _units(GATEWAY, "AWS/GatewayELB"),
    _billed(CLASSIC_BYTES, "AWS/ELB", "EstimatedProcessedBytes", "LoadBalancerName", "bytes", CLASSIC),
)
