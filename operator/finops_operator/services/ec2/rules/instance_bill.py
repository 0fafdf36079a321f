"""What AWS bills for an EC2 instance as it stands: hours of its type, and its public IPv4 addresses.

Volumes are resources of their own. A stopped instance is billed no hours; the elastic addresses it keeps still bill
(https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.price import PriceQuery
from finops.domain.resource import Resource
from finops_operator.plugins.kind import BilledPart
from finops_operator.services.ec2.rules.operating_system import billed_system

ONE: Final = Decimal(1)
BILLED_STATES: Final = frozenset({"running"})
"""States in which AWS bills instance hours."""

ENDED_STATES: Final = frozenset({"terminated", "shutting-down"})


def billed_parts(instance: Resource) -> tuple[BilledPart, ...]:
    """Return instance hours and addresses of an `ec2-instance`; empty when nothing of it is billed."""
    if instance.state in ENDED_STATES:
        return ()
    hours = (_instance_hours(instance),) if instance.state in BILLED_STATES else ()
    addresses = _address_hours(instance)
    return (*hours, addresses) if addresses else hours


def _instance_hours(instance: Resource) -> BilledPart:
    reason = _unpriceable(instance)
    if reason:
        return BilledPart("instance_hour", ONE, None, reason)
    system = billed_system(instance)
    if system.reason_unknown:
        return BilledPart("instance_hour", ONE, None, system.reason_unknown)
    attributes = (("instance_type", instance.text("instance_type")), ("os", system.os))
    return BilledPart("instance_hour", ONE, PriceQuery("ec2", instance.region, "instance_hour", attributes))


def _unpriceable(instance: Resource) -> str:
    tenancy = instance.text("tenancy")
    if tenancy not in ("", "default"):
        return f"no price for tenancy {tenancy}"
    lifecycle = instance.text("lifecycle")
    if lifecycle:
        return f"no price for {lifecycle} instances, the table holds on-demand prices"
    return ""


def _address_hours(instance: Resource) -> BilledPart | None:
    """Return the addresses still held in this state: an automatic one is given back when the instance stops.

    Addresses that were not told are unknown, not zero.
    """
    running = instance.state in BILLED_STATES
    told = instance.attributes.get("public_ipv4" if running else "elastic")
    if not isinstance(told, (list, tuple)):
        return BilledPart("public_ipv4_hour", Decimal(0), None, "its public addresses are not known")
    count = len(told) if running else sum(1 for elastic in told if elastic is True)
    if not count:
        return None
    return BilledPart("public_ipv4_hour", Decimal(count), PriceQuery("vpc", instance.region, "public_ipv4_hour"))
