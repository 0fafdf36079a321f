"""VPN connections and attachments of transit gateways, and what was measured of them, for the tests."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from tests.support.facts import NOW, flat
from tests.support.judging import Bench

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.services.ec2 import transit_gateway_attachment, vpn_connection

VPNS: Final = Bench(vpn_connection.KIND)
ATTACHMENTS: Final = Bench(transit_gateway_attachment.KIND)
DAY: Final = 86400
VPN: Final = "vpn-0123456789abcdef0"
ATTACHMENT: Final = "tgw-attach-0123456789abcdef0"
_PREFIX: Final = "arn:aws:ec2:us-east-1:111122223333"


def vpn(state: str = "available", /, **attributes: Json) -> Resource:
    """Return a connection whose two tunnels are down, changed as asked."""
    facts: dict[str, Json] = {
        "gateway": "vgw-1",
        "tunnels": 2,
        "tunnels_up": 0,
        "public_addresses": 2,
        **attributes,
    }
    return _resource("vpn-connection", VPN, state, None, facts)


def attachment(state: str = "available", days: float = 365, /, **attributes: Json) -> Resource:
    """Return an attachment of a VPC of this account, changed as asked."""
    facts: dict[str, Json] = {
        "attached_type": "vpc",
        "attached": "vpc-1",
        "transit_gateway": "tgw-1",
        "owned_elsewhere": False,
        "associated": True,
        **attributes,
    }
    return _resource("transit-gateway-attachment", ATTACHMENT, state, days, facts)


def _resource(kind: str, identity: str, state: str, days: float | None, facts: dict[str, Json]) -> Resource:
    return Resource(
        kind=kind,
        id=identity,
        arn=f"{_PREFIX}:{kind}/{identity}",
        name="",
        account="111122223333",
        region="us-east-1",
        state=state,
        created=None if days is None else NOW - timedelta(days=days),
        attributes={name: value for name, value in facts.items() if value is not None},
    )


def by_day(level: float, days: float = 30) -> MetricSummary:
    """Return so many days of one level."""
    return flat(level, days=days, period=DAY)


def tunnels(up: float = 0, days: float = 30, /, **metrics: MetricSummary) -> Utilization:
    """Return a month of probes alone, with tunnels up or down, changed as asked."""
    quiet = {
        "tunnelState": by_day(up, days),
        "tunnelInBytes": by_day(200_000, days),
        "tunnelOutBytes": by_day(200_000, days),
    }
    return Utilization(VPN, metrics={**quiet, **metrics})


def traffic(days: float = 30, /, **metrics: MetricSummary) -> Utilization:
    """Return a month without a byte, changed as asked."""
    return Utilization(ATTACHMENT, metrics={"outBytes": by_day(0, days), "inBytes": by_day(0, days), **metrics})


def without(measured: Utilization, name: str) -> Utilization:
    """Return the same with one metric that could not be read."""
    known = {key: value for key, value in measured.metrics.items() if key != name}
    return Utilization(measured.resource_id, metrics=known, unknown={name: "Throttled"})
