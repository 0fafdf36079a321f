"""Burstable EC2 instances that are billed for surplus credits: more processor than their size earns, by the hour.

In unlimited mode an instance goes on at full speed when its credits are used up, and AWS bills what it does not earn
back. That comes on top of its hours and is in no other figure of a scan. Three ways lead out, and which one is right
depends on the work: standard mode, which slows it down; a larger size, which earns more; or a type without credits,
which costs less as soon as the surplus is more than the difference. The saving is therefore left at what is sure, which
is nothing, and the surplus stands in the evidence. What is in standard mode by now is left alone. Source: EC2 user
guide, "Unlimited mode concepts", "Surplus credits can incur charges". The price is that of the region's table; where it
has none, the check says so. What is stopped again and again is billed for the hours that it runs; where it is not known
how many those are in a month, neither is what its surplus costs.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.money import to_cents
from finops.domain.price import Price
from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec, Pictures, Settled
from finops_operator.plugins.kind import STOPPED_AT_MOST
from finops_operator.plugins.measured import window_fact
from finops_operator.plugins.sufficiency import coverage_evidence, figure, insufficient
from finops_operator.services.ec2.instance import InstanceFacts
from finops_operator.services.ec2.rules.burstable import is_burstable, surplus_query
from finops_operator.services.ec2.rules.credit_mode import STANDARD, SURPLUS_CREDITS, UNLIMITED, credit_mode

ID: Final = "ec2_instance_surplus_credits"
_CREDITS_OF_VCPU_HOUR: Final = Decimal(60)
"""A credit is one vCPU at full speed for a minute."""
_SHARE_UNKNOWN: Final = "how much of a month it runs is not known, and so is what its surplus credits cost"
_MODE: Final = "unlimited: in standard mode AWS bills no surplus"


def _evaluate(facts: Facts[InstanceFacts], parameters: Parameters) -> Finding | NotRecommended:
    name, billed = facts.own.instance_type or "", facts.utilization.metrics.get(SURPLUS_CREDITS)
    reason = _not_judged(facts, billed)
    if reason or billed is None:
        return NotRecommended(ID, facts.resource.id, reason)
    price = facts.lookup(surplus_query(facts.resource.region, name, windows=facts.own.platform == "windows"))
    if price is None:
        return NotRecommended(ID, facts.resource.id, f"no price for surplus credits in {facts.resource.region}")
    share = _share(facts.utilization, billed)
    if share is None:
        return NotRecommended(ID, facts.resource.id, _SHARE_UNKNOWN)
    monthly = _monthly(facts, billed, price, share)
    if monthly < parameters["minimumMonthlyCost"]:
        return NotRecommended(ID, facts.resource.id, f"its surplus credits cost {to_cents(monthly)} USD a month")
    total, mode = Decimal(str(billed.total or 0)), credit_mode(facts)
    if mode == STANDARD:
        return NotRecommended(ID, facts.resource.id, "it is in standard mode by now, in which AWS bills no surplus")
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=facts.cost.unrounded_monthly,
        evidence={
            "surplusCreditsCharged": figure(total),
            "surplusMonthlyCost": str(to_cents(monthly)),
            "surplusPrice": str(price.amount),
            "surplusPriceSource": price.source,
            "surplusPriceDate": price.as_of.isoformat(),
            "thresholdMonthlyCost": str(parameters["minimumMonthlyCost"]),
            **coverage_evidence(billed),
        },
        summary=f"Its surplus credits cost about {to_cents(monthly)} USD a month on top of its hours.",
        facts=(
            EvidenceFact("Credit mode", _MODE if mode == UNLIMITED else f"{_MODE}; which it is in now is not known"),
            EvidenceFact(
                "Surplus credits billed", f"{figure(total, 0)}, {price.amount} {price.currency} for 60 of them"
            ),
            window_fact(billed),
            EvidenceFact("If its work may be slower", "standard mode: it slows down to its baseline, nothing is added"),
            EvidenceFact("If not", f"a larger size than {name}, or a type without credits where that costs less"),
        ),
    )


def _not_judged(facts: Facts[InstanceFacts], billed: MetricSummary | None) -> str:
    own = facts.own
    if own.instance_type is None:
        return "its type is not known"
    if not is_burstable(own.instance_type):
        return "its type has no credits"
    if facts.resource.state != "running":
        return f"it is {facts.resource.state or 'in an unknown state'}, not running"
    if billed is None or billed.total is None:
        return "its surplus credits are not known"
    return insufficient(facts.utilization, SURPLUS_CREDITS, facts.settings)


def _share(seen: Utilization, billed: MetricSummary) -> Decimal | None:
    """Return the share of a month that it runs, above 0 and at most 1; None where that is not known.

    Less than a tenth of the window without figures is a whole month, as for the cost of the instance itself.
    """
    if seen.ran is not None:
        return Decimal(str(seen.ran.share))
    without = 1 - billed.points / (billed.expected + (billed.not_running or 0))
    return Decimal(1) if without < STOPPED_AT_MOST else None


def _monthly(facts: Facts[InstanceFacts], billed: MetricSummary, price: Price, share: Decimal) -> Decimal:
    """Return what the surplus of the window costs in a month of which it runs `share`, unrounded."""
    hours = Decimal(str(billed.hours))
    if not hours:
        return Decimal(0)
    vcpu_hours = Decimal(str(billed.total or 0)) / _CREDITS_OF_VCPU_HOUR
    return vcpu_hours / hours * facts.settings.hours_per_month * share * price.amount


def _settled(pictures: Pictures[InstanceFacts], parameters: Parameters) -> Settled:
    """Days hold the same sums as hours; only where their edges or their stops decide are hours read."""
    verdicts = [_evaluate(one, parameters) for one in (pictures.days, pictures.least, pictures.most)]
    if any(isinstance(one, NotRecommended) and one.reason == _SHARE_UNKNOWN for one in verdicts):
        return Settled.OPEN
    return Settled.BY_DAYS if len({isinstance(one, Finding) for one in verdicts}) == 1 else Settled.OPEN


CHECK: Final = Check(
    id=ID,
    title="Burstable EC2 instance with surplus credits",
    kinds=("ec2-instance",),
    documentation="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-performance-instances-unlimited-mode-concepts.html",
    action_type=ActionType.RIGHTSIZE,
    effort=Effort.MEDIUM,
    evaluate=_evaluate,
    settled_by_days=_settled,
    parameters=(
        ParameterSpec(
            name="minimumMonthlyCost",
            unit="USD",
            default=Decimal(1),
            minimum=Decimal(0),
            maximum=Decimal(10000),
            description="Surplus credits that cost less in a month are left alone.",
        ),
    ),
)
