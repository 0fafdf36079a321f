"""EC2 instances that have been stopped for long: their hours cost nothing, their volumes and elastic addresses do.

Thirty days are Trusted Advisor's ("Amazon EC2 instances stopped"). AWS gives the time of the stop in the reason of the
last change of state. An Auto Scaling group keeps instances stopped on purpose, in its warm pool. The elastic addresses
are the cost that could be saved here, while each volume is a resource of its own with its own finding. The advice is to
keep an image and to terminate the instance, which nobody can take back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.services.ec2.instance import InstanceFacts

ID: Final = "ec2_instance_stopped"
_WHEN: Final = re.compile(r"\((\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?:GMT|UTC)\)")
"""`User initiated (2026-10-01 12:00:00 GMT)`."""
_DAY: Final = timedelta(days=1)


def stopped_at(reason: str | None) -> datetime | None:
    """Return when AWS says that it stopped, None when the reason of the change holds no time that exists."""
    found = _WHEN.search(reason or "")
    if found is None:
        return None
    try:
        return datetime.strptime(found.group(1), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def _evaluate(facts: Facts[InstanceFacts], parameters: Parameters) -> Finding | NotRecommended:
    resource, own, least = facts.resource, facts.own, parameters["minimumStoppedDays"]
    if resource.state != "stopped":
        return NotRecommended(ID, resource.id, f"it is {resource.state or 'in an unknown state'}, not stopped")
    if own.auto_scaling_group:
        return NotRecommended(ID, resource.id, "its Auto Scaling group keeps it stopped, in a warm pool or in standby")
    since = stopped_at(own.state_transition_reason)
    if since is None:
        return NotRecommended(ID, resource.id, "since when it is stopped is not known")
    stopped = (facts.now - since) // _DAY
    if stopped < least:
        return NotRecommended(ID, resource.id, f"it was stopped {stopped} days ago, {least} are needed")
    volumes = None if own.volume_ids is None else len(own.volume_ids)
    addresses = None if own.elastic is None else sum(own.elastic)
    if volumes == 0 and addresses == 0:
        return NotRecommended(ID, resource.id, "nothing of it is billed")
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=Decimal(0),
        evidence={
            "stoppedDays": stopped,
            "stoppedSince": since.isoformat(),
            "thresholdStoppedDays": str(least),
            "volumesStillBilled": volumes,
            "elasticAddressesStillBilled": addresses,
        },
        summary=f"Stopped for {stopped:,} days, while its volumes and elastic addresses are billed.",
        facts=tuple(_facts(since, stopped, least, volumes, addresses)),
    )


def _facts(
    since: datetime, stopped: int, least: Decimal, volumes: int | None, addresses: int | None
) -> Iterator[EvidenceFact]:
    yield EvidenceFact("Stopped for", f"{stopped:,} days, since {since:%Y-%m-%d}; long is {least} days or more")
    yield EvidenceFact("Volumes, still billed", "not known" if volumes is None else f"{volumes} (costs of their own)")
    yield EvidenceFact("Elastic IP addresses, still billed", "not known" if addresses is None else str(addresses))
    yield EvidenceFact("Before the change", "keep an image, and release the addresses that nothing else needs")


CHECK: Final = Check(
    id=ID,
    title="EC2 instance stopped for long",
    kinds=("ec2-instance",),
    documentation="https://docs.aws.amazon.com/awssupport/latest/user/cost-optimization-checks.html",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    parameters=(
        ParameterSpec(
            name="minimumStoppedDays",
            unit="days",
            default=Decimal(30),
            minimum=Decimal(1),
            maximum=Decimal(3650),
            description="An instance that was stopped for less than this is left alone.",
        ),
    ),
)
