"""EC2 instances on x86 processors with Linux: the Graviton type of the size costs less for as much memory.

Graviton has another architecture. The machine has to be made anew from an image for it, with programs built for it: in
many languages that is a rebuild, for programs that others sell it is a question to them. AWS calls that effort medium
where it does not know the work; here it is high. The target has no fewer processors and no less memory, and is named
where it is sold in the region for less. Local disks, accelerators, Windows and licensed systems are left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from finops.domain.price import PriceQuery
from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.plugins.facts import with_facts
from finops_operator.plugins.other_type import cheapest, finding, in_families
from finops_operator.pricing.instance_types import bundled_catalog
from finops_operator.services.ec2.instance import OFFERED_TYPES, InstanceFacts, hour_query, instance_hours
from finops_operator.services.ec2.sizing.fit import attachable

ID: Final = "ec2_instance_graviton"
_COMPUTE: Final = ("c6g", "c7g", "c8g")
_GENERAL: Final = ("m6g", "m7g", "m8g")
_MEMORY: Final = ("r6g", "r7g", "r8g")
FAMILIES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        **dict.fromkeys(("t3", "t3a"), ("t4g",)),
        **dict.fromkeys(("c5", "c5a", "c6i", "c6a", "c7i", "c7a"), _COMPUTE),
        **dict.fromkeys(("m5", "m5a", "m6i", "m6a", "m7i", "m7a"), _GENERAL),
        **dict.fromkeys(("r5", "r5a", "r6i", "r6a", "r7i", "r7a"), _MEMORY),
    }
)
"""Family → Graviton families of the same purpose; sizes with less of anything are left out by the catalog."""

_LINUX: Final = "linux"
_ARCHITECTURE: Final = "x86_64"


def _evaluate(facts: Facts[InstanceFacts], parameters: Parameters) -> Finding | NotRecommended:
    del parameters
    resource, own, name = facts.resource, facts.own, facts.own.instance_type or ""
    hours = instance_hours(resource, own)
    reason = _not_judged(resource.state, own) or hours.reason_unknown
    system = "" if hours.query is None else dict(hours.query.attributes)["os"]
    if not reason and system != _LINUX:
        reason = f"it is billed for {system}, whose price on Graviton is another product"
    targets = _targets(facts)
    if not reason and not targets:
        reason = f"no Graviton type takes the place of {name}"
    if reason:
        return NotRecommended(ID, resource.id, reason)

    def query(one: str) -> PriceQuery:
        return hour_query(resource.region, one, _LINUX)

    change = cheapest(facts, name, targets, query, at_par=False)
    if isinstance(change, str):
        return NotRecommended(ID, resource.id, change)
    changed = with_facts(resource, replace(own, instance_type=change.target))
    return finding(
        ID,
        change,
        facts.cost_of(changed).unrounded_monthly,
        f"{change.target} runs on Graviton, has as much memory as {name} and costs less.",
        *_cautions(facts),
    )


def _not_judged(state: str, own: InstanceFacts) -> str:
    name = own.instance_type
    if name is None:
        return "its type is not known"
    if name.split(".")[0] not in FAMILIES:
        return f"no Graviton family takes the place of {name}"
    if state != "running":
        return f"it is {state or 'in an unknown state'}, not running"
    if own.architecture != _ARCHITECTURE:
        return f"its architecture is {own.architecture or 'not known'}, not {_ARCHITECTURE}"
    if own.capacity_reservation:
        return f"it is in a capacity reservation for {name}"
    return ""


def _targets(facts: Facts[InstanceFacts]) -> tuple[str, ...]:
    """Return the Graviton types of the size that are in nothing less and that its zone offers, where that is known."""
    name, catalog = facts.own.instance_type or "", bundled_catalog()
    current, offered = catalog.get(name), facts.answers.get(OFFERED_TYPES)
    candidates = ((one, catalog.get(one)) for one in in_families(name, FAMILIES))
    return tuple(
        one
        for one, kind in candidates
        if current is not None
        and kind is not None
        and kind.vcpus >= current.vcpus
        and kind.memory_mib >= current.memory_mib
        and attachable(facts.own, kind)
        and (offered is None or one in offered)
    )


def _cautions(facts: Facts[InstanceFacts]) -> Iterator[EvidenceFact]:
    yield EvidenceFact("Effort", "a new machine from an image for arm64, with every program built for it")
    known = OFFERED_TYPES in facts.answers
    zone = "offered" if known else "sold in the region; whether in its zone was not asked"
    yield EvidenceFact("New type in its availability zone", zone)
    group = facts.own.auto_scaling_group
    if group:
        yield EvidenceFact("Where to change it", f"in the launch template of the Auto Scaling group {group}")
    family = (facts.own.instance_type or "").split(".", maxsplit=1)[0]
    yield EvidenceFact("Reserved Instances", f"those of {family} do not cover Graviton")


CHECK: Final = Check(
    id=ID,
    title="EC2 instance without Graviton",
    kinds=("ec2-instance",),
    documentation="https://docs.aws.amazon.com/compute-optimizer/latest/ug/view-ec2-recommendations.html",
    action_type=ActionType.UPGRADE,
    effort=Effort.HIGH,
    evaluate=_evaluate,
    restart_needed=True,
)
