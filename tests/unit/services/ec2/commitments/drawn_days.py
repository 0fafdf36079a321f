"""Days of a few instances, some of which are stopped again and again, beside commitments drawn at random."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st
from tests.unit.services.ec2.commitments.fleets import LINUX, capacity, fleet, plan, price_of, reserved, running

from finops.domain.resource import Resource
from finops_operator.services.ec2.commitments.model import (
    CapacityReservation,
    PlanType,
    ReservedInstances,
    SavingsPlan,
    Use,
)

HOURS, SLOTS = 6, 2
KINDS = ("m5.large", "m5.xlarge", "m5.2xlarge", "c5.large", "c5.xlarge")
Commitments = tuple[list[ReservedInstances], list[CapacityReservation], list[SavingsPlan]]


@st.composite
def days(draw: st.DrawFn) -> tuple[dict[str, frozenset[int]], dict[str, Resource], Commitments]:
    """Return id → hours of a day in which it runs, its record, and commitments."""
    hours: dict[str, frozenset[int]] = {}
    records: dict[str, Resource] = {}
    for number in range(draw(st.integers(1, 6))):
        name = f"i-{number}"
        ran = draw(st.frozensets(st.integers(0, HOURS - 1), min_size=1)) if draw(st.booleans()) else range(HOURS)
        hours[name] = frozenset(ran)
        share = "" if len(hours[name]) == HOURS else str(Decimal(len(hours[name])) / HOURS)
        kind, facts = draw(st.sampled_from(KINDS)), {"billed_share": share} if share else {}
        # AWS lets in what is of the reservation's own type, and no more than it has slots.
        room = kind == "m5.large" and sum(bool(one.text("capacity_reservation")) for one in records.values()) < SLOTS
        inside = "cr-m5.large" if room and draw(st.booleans()) else ""
        records[name] = running(kind, identity=name, capacity_reservation=inside, **facts)
    bought = st.builds(
        lambda kind, count, zone: reserved(kind, count, zone=zone),
        st.sampled_from(KINDS),
        st.integers(1, 3),
        st.sampled_from(("", "us-east-1a")),
    )
    plans = st.builds(
        lambda cents, percents, sort: plan(
            str(Decimal(cents) / 100),
            {kind: str(hour_price(kind) * part / 100) for kind, part in zip(KINDS, percents, strict=True)},
            sort,
        ),
        st.integers(1, 40),
        st.one_of(
            st.tuples(*(st.integers(20, 95) for _ in KINDS)),
            # As AWS has them: one discount for each family.
            st.tuples(st.integers(20, 95), st.integers(20, 95)).map(lambda one: (*one[:1] * 3, *one[1:] * 2)),
        ),
        st.sampled_from(PlanType),
    )
    return (
        hours,
        records,
        (
            draw(st.lists(bought, max_size=2, unique_by=lambda one: one.id)),
            draw(st.sampled_from(([], [capacity("cr-m5.large", SLOTS)]))),
            draw(st.lists(plans, max_size=1)),
        ),
    )


def hour_price(kind: str) -> Decimal:
    """Return the on-demand price of an hour of a type on Linux."""
    found = price_of(Use(kind, LINUX, "default", ""))
    assert found is not None
    return found


def bill(hours: dict[str, frozenset[int]], records: dict[str, Resource], committed: Commitments) -> Decimal:
    """Return what is billed at on-demand prices of a day, an hour of it on average."""
    total = Decimal(0)
    for hour in range(HOURS):
        there = fleet([records[name] for name, ran in hours.items() if hour in ran], *committed)
        total += sum(
            (count * hour_price(use.instance_type) for use, count in there.now_covered.on_demand.items()), total * 0
        )
    return total / HOURS
