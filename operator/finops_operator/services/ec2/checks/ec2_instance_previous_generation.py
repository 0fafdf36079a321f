"""EC2 instances of types that AWS calls previous generation: the current type of the size is faster and costs less.

The target has the same size, no fewer processors, no less memory and the same architecture, so that only speed and
drivers change, and the zone of the instance offers it. AWS's successors are Nitro types: where ENA is not known to be
on, and on Windows, drivers come first, which the finding says. Types with disks of their own are left alone, since a
change of type would erase them, as are those without a current type of the size (`m4.10xlarge`), instances with more
volumes and network interfaces than the target holds, and those of a capacity reservation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from finops.domain.price import PriceQuery
from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.plugins.facts import with_facts
from finops_operator.plugins.other_type import cheapest, finding, in_families
from finops_operator.plugins.settled import whatever_was_measured
from finops_operator.pricing.instance_types import bundled_catalog
from finops_operator.services.ec2.instance import OFFERED_TYPES, InstanceFacts, hour_query, instance_hours
from finops_operator.services.ec2.rules.generations import SUCCESSORS
from finops_operator.services.ec2.rules.run_by_others import run_by_a_service
from finops_operator.services.ec2.sizing.fit import attachable

ID: Final = "ec2_instance_previous_generation"


def _evaluate(facts: Facts[InstanceFacts], parameters: Parameters) -> Finding | NotRecommended:
    del parameters
    resource, own, name = facts.resource, facts.own, facts.own.instance_type or ""
    hours = instance_hours(resource, own)
    reason = run_by_a_service(facts) or _not_judged(resource.state, own) or hours.reason_unknown
    if reason or hours.query is None:
        return NotRecommended(ID, resource.id, reason)
    system = dict(hours.query.attributes)["os"]

    def query(one: str) -> PriceQuery:
        return hour_query(resource.region, one, system)

    offered = facts.answers.get(OFFERED_TYPES)
    if offered is None:
        return NotRecommended(ID, resource.id, "which types its zone offers is not known")
    targets = [one for one in _targets(own) if one in offered]
    if not targets:
        return NotRecommended(ID, resource.id, f"its zone does not offer {' or '.join(_targets(own))}")
    change = cheapest(facts, name, targets, query, at_par=True)
    if isinstance(change, str):
        return NotRecommended(ID, resource.id, change)
    changed = with_facts(resource, replace(own, instance_type=change.target))
    return finding(
        ID,
        change,
        facts.cost_of(changed).unrounded_monthly,
        f"{name} is of a previous generation; {change.target} is faster and costs "
        f"{'less' if change.cheaper else 'the same'}.",
        *_cautions(own, change.target),
    )


def _not_judged(state: str, own: InstanceFacts) -> str:
    name = own.instance_type
    if name is None:
        return "its type is not known"
    if name.split(".")[0] not in SUCCESSORS:
        return "its type is current"
    if state != "running":
        return f"it is {state or 'in an unknown state'}, not running"
    if own.capacity_reservation:
        return f"it is in a capacity reservation for {name}"
    kind = bundled_catalog().get(name)
    if kind is None:
        return "nothing is known about its type"
    if kind.instance_storage_gb:
        return f"a change of type would erase the local disks of its {name}"
    if own.architecture is None or own.virtualization_type is None:
        return "its architecture or its virtualization is not known"
    return "" if _targets(own) else f"no current type has the size of {name} and runs its image"


def _targets(own: InstanceFacts) -> tuple[str, ...]:
    """Return the current types of the size that run its image and are in nothing less."""
    name, catalog = own.instance_type or "", bundled_catalog()
    current = catalog.get(name)
    candidates = ((one, catalog.get(one)) for one in in_families(name, SUCCESSORS))
    return tuple(
        one
        for one, kind in candidates
        if current is not None
        and kind is not None
        and own.architecture in kind.architectures
        and own.virtualization_type in kind.virtualization
        and kind.vcpus >= current.vcpus
        and kind.memory_mib >= current.memory_mib
        and attachable(own, kind)
    )


def _cautions(own: InstanceFacts, target: str) -> Iterator[EvidenceFact]:
    yield EvidenceFact("Before the change", _before(own))
    if target.startswith("t3."):
        yield EvidenceFact("Processor credits", "t3 is unlimited unless set otherwise: what exceeds them is billed")
    family = (own.instance_type or "").split(".", maxsplit=1)[0]
    yield EvidenceFact("Reserved Instances", f"those of {family} do not cover {target}")


def _before(own: InstanceFacts) -> str:
    if own.platform == "windows":
        return "install current NVMe and ENA drivers for Windows"
    if own.ena_support is True:
        return "see that its image has NVMe drivers and mounts volumes by their ids"
    return "install drivers for NVMe and ENA, and switch ENA on"


CHECK: Final = Check(
    id=ID,
    title="EC2 instance of a previous generation",
    kinds=("ec2-instance",),
    documentation="https://docs.aws.amazon.com/ec2/latest/instancetypes/pg.html",
    action_type=ActionType.UPGRADE,
    effort=Effort.MEDIUM,
    evaluate=_evaluate,
    settled_by_days=whatever_was_measured,
    restart_needed=True,
)
