"""Machine images that nothing names and nobody has launched for long: their snapshots are billed.

AWS publishes no threshold; ninety days are ours, by the time that AWS keeps of the last launch, wherever it was. Images
that an instance, a version of a launch template or a launch configuration names are left alone, and so are public and
shared ones, those protected from deregistration and those that AWS Backup, Data Lifecycle Manager or Image Builder
keeps. Parameters, pipelines and templates of one's own are not read, so that this is advice: disable it first, which
can be taken back, and delete it and its snapshots later. To deregister it alone saves nothing: its snapshots stay.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.price import PriceQuery
from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.described import parse_time
from finops_operator.plugins.ownership import owner_by_tags
from finops_operator.services.ec2.ami import AVAILABLE, DISABLED, ImageFacts
from finops_operator.services.ec2.rules.signs import SIGNS

ID: Final = "ami_unused"


def _evaluate(facts: Facts[ImageFacts], parameters: Parameters) -> Finding | NotRecommended:
    least, own, created = parameters["minimumUnusedDays"], facts.own, facts.resource.created
    reason = _kept(facts)
    if reason or created is None or own.last_launched is None:
        return NotRecommended(ID, facts.resource.id, reason or "when it was made or last launched is not known")
    launched = parse_time(own.last_launched)
    unused = facts.whole_days_since(max(created, launched) if launched else created)
    if unused < least:
        what = "launched" if launched and launched > created else "made"
        return NotRecommended(ID, facts.resource.id, f"it was {what} {unused} days ago, {least} are needed")
    cost = _at_most(facts)
    snapshots = None if own.snapshot_ids is None else len(own.snapshot_ids)
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=None,
        evidence={
            "unusedDays": unused,
            "lastLaunched": own.last_launched or None,
            "snapshots": snapshots,
            "snapshotGb": own.snapshot_gb,
            "snapshotsMonthlyCostAtMost": None if cost is None else f"{cost:.2f}",
            "thresholdUnusedDays": str(least),
        },
        summary=f"Nothing names it, and it was not launched for {unused:,} days.",
        facts=(
            EvidenceFact("Last launched", f"{launched:%Y-%m-%d}" if launched else "never, as far as AWS knows"),
            EvidenceFact("Named by instances, launch templates or configurations", "none"),
            EvidenceFact("Its snapshots, billed apart", _snapshots(snapshots, own.snapshot_gb, cost)),
            EvidenceFact("Not read", "parameters of Systems Manager, pipelines and templates that may name it"),
            EvidenceFact("What to do", _next(facts.resource.state)),
        ),
    )


def _kept(facts: Facts[ImageFacts]) -> str:
    """Return why it is kept whatever its age, empty when nothing holds it."""
    own, state = facts.own, facts.resource.state
    owner = owner_by_tags(facts.resource.tags, SIGNS)
    if state not in {AVAILABLE, DISABLED}:
        return f"it is {state or 'in an unknown state'}"
    if owner is not None and not owner.is_template:
        return f"{owner.system} keeps it and deletes it by its own rules"
    if own.protected is not False:
        return "it is protected from deregistration" if own.protected else "whether it is protected is not known"
    if own.public is not False:
        return "everybody may launch it" if own.public else "whether everybody may launch it is not known"
    if own.image_users is None:
        return "whether an instance or a launch template names it is not known"
    if own.image_users:
        return "an instance, a launch template or a launch configuration names it"
    if own.shared is not False:
        return "another account may launch it" if own.shared else "whether it is shared is not known"
    return ""


def _at_most(facts: Facts[ImageFacts]) -> Decimal | None:
    """Return the monthly price of its snapshots' volumes, None when size or price are not known."""
    price, size = facts.lookup(PriceQuery("ebs", facts.resource.region, "snapshot_gb_month")), facts.own.snapshot_gb
    return None if price is None or size is None else price.amount * size


def _snapshots(count: int | None, size: int | None, cost: Decimal | None) -> str:
    if count is None:
        return "not known"
    words = f"{count}" if size is None else f"{count}, of volumes of {size:,} GiB"
    return words if cost is None else f"{words}: {cost:,.2f} USD a month at most"


def _next(state: str) -> str:
    if state == DISABLED:
        return "it is disabled: deregister it and delete its snapshots when nobody has missed it"
    return "disable it, which can be taken back; deregister it and delete its snapshots later"


CHECK: Final = Check(
    id=ID,
    title="Unused machine image",
    kinds=("ami",),
    documentation="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ami-last-launched-time.html",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    parameters=(
        ParameterSpec(
            name="minimumUnusedDays",
            unit="days",
            default=Decimal(90),
            minimum=Decimal(7),
            maximum=Decimal(3650),
            description="An image that was made or launched within so many days is left alone.",
        ),
    ),
)
