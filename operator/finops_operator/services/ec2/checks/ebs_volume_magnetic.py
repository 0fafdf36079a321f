"""Magnetic EBS volumes (`standard`): AWS calls the type previous generation and bills each request to it.

The advice is gp3 with the performance that is in its price, 3,000 IOPS and 125 MiB/s, against about 100 IOPS of a
magnetic volume. What the requests cost depends on use, so the cost now and the saving are not known; the finding gives
both prices of a gibibyte instead. Source: EBS user guide, "Previous generation volumes".
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from finops.domain.price import PriceQuery
from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.plugins.facts import with_facts
from finops_operator.plugins.measured import count
from finops_operator.services.ec2.volume import GP3_FREE_IOPS, GP3_FREE_MIBPS, VolumeFacts

ID: Final = "ebs_volume_magnetic"


def _evaluate(facts: Facts[VolumeFacts], parameters: Parameters) -> Finding | NotRecommended:
    del parameters
    resource, own = facts.resource, facts.own
    reason = ""
    if own.volume_type != "standard":
        reason = "its type is not standard" if own.volume_type else "its type is not known"
    elif resource.state != "in-use":
        reason = f"it is {resource.state or 'in an unknown state'}, not attached"
    now, then = _price(facts, "standard"), _price(facts, "gp3")
    if not reason and (now is None or then is None):
        reason = f"no price for {'standard' if now is None else 'gp3'} in {resource.region}"
    if reason or own.size_gb is None:
        return NotRecommended(ID, resource.id, reason or "its size is not known")
    changed = replace(own, volume_type="gp3", iops=GP3_FREE_IOPS, throughput=GP3_FREE_MIBPS)
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=facts.cost_of(with_facts(resource, changed)).unrounded_monthly,
        evidence={
            "volumeType": "standard",
            "sizeGb": own.size_gb,
            "pricePerGbMonth": now,
            "gp3PricePerGbMonth": then,
        },
        summary="Magnetic volumes are slow and billed by the request; gp3 has no price for requests.",
        facts=(
            EvidenceFact("Size", f"{count(own.size_gb)} GiB"),
            EvidenceFact("Now", f"magnetic: {now} USD a GiB and month, and each request besides"),
            EvidenceFact("Instead", f"gp3: {then} USD a GiB and month, {count(GP3_FREE_IOPS)} IOPS within"),
            EvidenceFact("Saving", "depends on the requests, of which the bill gives the number"),
        ),
        target="gp3",
    )


def _price(facts: Facts[VolumeFacts], kind: str) -> str | None:
    price = facts.lookup(PriceQuery("ebs", facts.resource.region, "gb_month", (("volume_type", kind),)))
    return None if price is None else f"{price.amount:f}"


CHECK: Final = Check(
    id=ID,
    title="Magnetic EBS volume",
    kinds=("ebs-volume",),
    documentation="https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volume-types.html",
    action_type=ActionType.UPGRADE,
    effort=Effort.LOW,
    evaluate=_evaluate,
)
