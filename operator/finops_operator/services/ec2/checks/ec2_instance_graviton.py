"""EC2 instances on x86 processors: the type of their size on AWS's Graviton processors costs less by the hour.

No type changes from x86 to Arm in place: an instance of the other type starts from an image that was built for Arm,
with all that is installed on it. So this is advice with a high effort and never an act. What cannot move is left out:
Windows, licences that the account brought along, images of the Marketplace, 32-bit images. How fast the work runs on
the other processor shows only a test, so that no figure of CPU is projected; what of bandwidth is less is shown. The
families that a policy allows and denies for right-sizing count here too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Final

from finops.domain.price import PriceQuery
from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.facts import with_facts
from finops_operator.plugins.measured import bit_rate, count
from finops_operator.plugins.other_type import OtherType, cheapest, finding
from finops_operator.plugins.settled import whatever_was_measured
from finops_operator.plugins.sufficiency import figure
from finops_operator.pricing.instance_types import InstanceType, bundled_catalog
from finops_operator.services.ec2.instance import OFFERED_TYPES, InstanceFacts, hour_query, instance_hours
from finops_operator.services.ec2.rules.graviton import ARM, X86, graviton_types
from finops_operator.services.ec2.rules.licences import BROUGHT_LICENCES
from finops_operator.services.ec2.rules.platform_words import described, differences
from finops_operator.services.ec2.rules.run_by_others import run_by_a_service
from finops_operator.services.ec2.sizing.as_billed import what_prices
from finops_operator.services.ec2.sizing.fit import attachable

ID: Final = "ec2_instance_graviton"
_WINDOWS: Final = "windows"
_OTHERS_SHOWN: Final = 3


def _evaluate(facts: Facts[InstanceFacts], parameters: Parameters) -> Finding | NotRecommended:
    resource, own, name = facts.resource, facts.own, facts.own.instance_type or ""
    hours = instance_hours(resource, own)
    reason = run_by_a_service(facts) or _not_judged(resource.state, own) or hours.reason_unknown
    if reason or hours.query is None:
        return NotRecommended(ID, resource.id, reason)
    system = dict(hours.query.attributes)["os"]

    def query(one: str) -> PriceQuery:
        return hour_query(resource.region, one, system)

    # What follows is the same for all instances that are billed alike and have as many volumes.
    offered, share = facts.answers.get(OFFERED_TYPES), parameters["minimumSavingPercent"]
    key = __name__, what_prices(facts), len(own.volume_ids or ()), offered, share
    if key not in facts.shared:
        facts.shared[key] = _found(facts, name, query, share)
    found: Finding | str = facts.shared[key]
    return NotRecommended(ID, resource.id, found) if isinstance(found, str) else found


def _found(
    facts: Facts[InstanceFacts], name: str, query: Callable[[str], PriceQuery], least_share: Decimal
) -> Finding | str:
    resource, own = facts.resource, facts.own
    targets = _targets(facts)
    change = targets if isinstance(targets, str) else cheapest(facts, name, targets, query, at_par=False)
    if isinstance(change, str):
        return change
    share = 100 * (1 - change.then / change.now)
    if share < least_share:
        return f"{change.target} costs only {figure(share, 1)} % less"
    after = facts.cost_of(with_facts(resource, replace(own, instance_type=change.target, architecture=ARM)))
    found = finding(
        ID,
        change,
        after.unrounded_monthly,
        f"It runs on x86; {change.target} has its size on Graviton and costs {figure(share, 0)} % less.",
        *_lines(change, [one for one in targets if one != change.target]),
    )
    return replace(found, evidence={**found.evidence, "architecture": own.architecture, "targetArchitecture": ARM})


def _not_judged(state: str, own: InstanceFacts) -> str:
    if own.instance_type is None:
        return "its type is not known"
    if state != "running":
        return f"it is {state or 'in an unknown state'}, not running"
    if own.architecture is None:
        return "its architecture is not known"
    if own.architecture != X86:
        return f"its image is for {own.architecture}, not for {X86}"
    if _WINDOWS in f"{own.platform or ''} {own.platform_details or ''}".casefold():
        return "Windows does not run on Graviton"
    if own.marketplace:
        return "its image is from the Marketplace, which its maker would have to offer for Arm"
    if own.usage_operation in BROUGHT_LICENCES:
        return "its licence is the account's own and may be counted by cores"
    if own.capacity_reservation:
        return f"it is in a capacity reservation for {own.instance_type}"
    if bundled_catalog().get(own.instance_type) is None:
        return "nothing is known about its type"
    return "" if graviton_types(own.instance_type) else f"no type on Graviton takes the place of {own.instance_type}"


def _targets(facts: Facts[InstanceFacts]) -> list[str] | str:
    """Return the types that its zone offers, that the policy allows and that hold its volumes, or why there is none."""
    offered, catalog = facts.answers.get(OFFERED_TYPES), bundled_catalog()
    if offered is None:
        return "which types its zone offers is not known"
    known = [(one, kind) for one in graviton_types(facts.own.instance_type or "") if (kind := catalog.get(one))]
    allowed = [(one, kind) for one, kind in known if facts.settings.sizing.allows(kind.family)]
    if not allowed:
        return "the policy allows no family on Graviton that takes its place"
    targets = [one for one, kind in allowed if one in offered and attachable(facts.own, kind)]
    return targets or "its zone offers no type on Graviton that takes its place and holds its volumes"


def _lines(change: OtherType, others: list[str]) -> Iterator[EvidenceFact]:
    catalog = bundled_catalog()
    current, target = catalog.get(change.current), catalog.get(change.target)
    if current is None or target is None:
        return
    yield EvidenceFact("Before the change", "build its image, its software and its agents for Arm, and test the speed")
    yield EvidenceFact("The change", f"a new instance from that image: {change.current} cannot become it in place")
    if current.instance_storage_gb:
        yield EvidenceFact("Local disks", "their data does not move along")
    yield EvidenceFact("Migration effort", "high: an image for another architecture")
    yield from differences(described(current), described(target))
    yield from _bandwidth(current, target)
    if target.baseline_percent is not None:
        yield EvidenceFact("Processor credits", "it is unlimited unless set otherwise: what exceeds them is billed")
    if others:
        yield EvidenceFact("Others of the size", ", ".join(others[:_OTHERS_SHOWN]))
    yield EvidenceFact("Reserved Instances", f"those of {current.family} do not cover {target.name}")


def _bandwidth(current: InstanceType, target: InstanceType) -> Iterator[EvidenceFact]:
    """Yield what the target sustains less of."""
    now, then = current.network_baseline_gbps, target.network_baseline_gbps
    if now is not None and then is not None and then < now:
        yield EvidenceFact("Network, sustained", f"{bit_rate(float(now))} → {bit_rate(float(then))}")
    now, then = current.ebs_baseline_mbytes_per_second, target.ebs_baseline_mbytes_per_second
    if now is not None and then is not None and then < now:
        yield EvidenceFact("Volumes, sustained", f"{figure(now)} → {figure(then)} MB/s")
    before, after = current.ebs_baseline_iops, target.ebs_baseline_iops
    if before is not None and after is not None and after < before:
        yield EvidenceFact("Volumes, sustained operations", f"{count(before)} → {count(after)} IOPS")


CHECK: Final = Check(
    id=ID,
    title="EC2 instance without Graviton",
    kinds=("ec2-instance",),
    documentation="https://docs.aws.amazon.com/compute-optimizer/latest/ug/view-ec2-recommendations.html",
    action_type=ActionType.UPGRADE,
    effort=Effort.HIGH,
    evaluate=_evaluate,
    settled_by_days=whatever_was_measured,
    restart_needed=True,
    parameters=(
        ParameterSpec(
            name="minimumSavingPercent",
            unit="percent",
            default=Decimal(5),
            minimum=Decimal(0),
            maximum=Decimal(90),
            description="A type on Graviton must cost at least this share less.",
        ),
    ),
)
