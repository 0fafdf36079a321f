"""Of what a group and its members would both save only the better advice counts, whatever the order."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from tests.support.scan_samples import recommendation

from finops.domain.price import Attributed, Cost, GroupOf
from finops.domain.recommendation import Recommendation, ResourceRef, Status
from finops_operator.scan.overlapping import GroupAdvice, members_of, not_counted

INSTANCE, GROUP, NODES = "ec2-instance", "auto-scaling-group", "eks-nodegroup"


def advice(kind: str, name: str, saving: str | None, status: Status = Status.ADVICE) -> Recommendation:
    place = ResourceRef(kind, name, f"arn:{kind}:{name}", "111122223333", "us-east-1")
    money = None if saving is None else Decimal(saving)
    made = replace(recommendation(1), id=name, resource=place, group=place.arn, status=status)
    return replace(made, monthly_savings=money, list_monthly_savings=money)


def of_group(saving: str | None, *members: str, status: Status = Status.ADVICE, name: str = "web") -> GroupAdvice:
    return GroupAdvice(advice(GROUP, name, saving, status), frozenset((INSTANCE, one) for one in members))


def left_out(groups: list[GroupAdvice], *others: Recommendation) -> list[str]:
    return sorted(one.id for one in not_counted(groups, [*(one.best for one in groups), *others]))


def test_the_group_counts_where_it_saves_more_than_its_members_together_and_else_they_do() -> None:
    theirs = advice(INSTANCE, "a", "10.00"), advice(INSTANCE, "b", "10.00"), advice(INSTANCE, "other", "99.00")
    assert left_out([of_group("20.01", "a", "b")], *theirs) == ["a", "b"]
    assert left_out([of_group("20.00", "a", "b")], *theirs) == ["web"]


def test_an_act_that_can_be_approved_never_gives_way_to_advice() -> None:
    ready = advice(INSTANCE, "a", "1.00", Status.ACTIONABLE)
    assert left_out([of_group("50.00", "a")], ready) == ["web"]
    assert left_out([of_group("50.00", "a", status=Status.ACTIONABLE)], ready) == ["a"]
    # Auto Scaling would undo a stop of its machines: the only act that saves something is the group's.
    idle = [advice(INSTANCE, name, "70.08") for name in ("a", "b")]
    assert left_out([of_group("70.08", "a", "b", status=Status.ACTIONABLE)], *idle) == ["a", "b"]


def test_what_a_reservation_covers_is_compared_at_the_list_price_that_the_group_has_too() -> None:
    covered = [replace(advice(INSTANCE, name, "70.08"), monthly_savings=Decimal(0)) for name in ("a", "b")]
    assert left_out([of_group("70.08", "a", "b")], *covered) == ["web"]


def test_without_a_known_saving_on_both_sides_nothing_is_counted_twice() -> None:
    assert left_out([of_group(None, "a")], advice(INSTANCE, "a", "1.00")) == []
    assert left_out([of_group("5.00", "a")], advice(INSTANCE, "a", None)) == []


def test_a_member_elsewhere_of_the_same_id_is_another_one() -> None:
    one = advice(INSTANCE, "a", "1.00")
    elsewhere = replace(one, resource=replace(one.resource, region="eu-west-1"))
    assert left_out([of_group("5.00", "a")], elsewhere) == []


def test_a_node_group_and_the_group_behind_it_share_their_machines() -> None:
    behind = of_group("30.00", "a", "b", name="behind")
    nodes = GroupAdvice(advice(NODES, "nodes", "60.00"), frozenset({(GROUP, "behind"), *behind.members}))
    assert left_out([nodes, behind], advice(INSTANCE, "a", "1.00")) == ["a", "behind"]
    smaller = replace(nodes, best=advice(NODES, "nodes", "30.00"))
    assert left_out([smaller, behind], advice(INSTANCE, "a", "1.00")) == ["a", "nodes"]


def billed(monthly: int) -> Cost:
    return Cost(Decimal(monthly), None)


@given(
    st.integers(0, 100), st.lists(st.integers(0, 100), min_size=1, max_size=4), st.integers(0, 100), st.integers(0, 100)
)
def test_a_cluster_that_is_billed_itself_and_its_members_never_save_more_than_all_cost_nor_less_than_one_side(
    own: int, members: list[int], group_share: int, member_share: int
) -> None:
    """Storage and requests of a cluster are its own: a part of what its stop saves, and of no member's saving."""
    named = tuple((f"i-{at}", billed(one)) for at, one in enumerate(members))
    of = GroupOf(INSTANCE, tuple(name for name, _ in named))
    cost = replace(billed(own), group=of, attributed=Attributed(named))
    stake = Decimal(own + sum(members))
    assert cost.at_stake == stake
    whole = stake * group_share / 100
    best = advice("rds-cluster", "orders", str(whole))
    cluster = GroupAdvice(best, members_of(cost))
    theirs = [
        advice(INSTANCE, f"i-{at}", str(Decimal(one) * member_share / 100)) for at, one in enumerate(members) if one
    ]
    together = sum((one.list_monthly_savings or Decimal(0) for one in theirs), Decimal(0))
    out = {one.id for one in not_counted([cluster], [best, *theirs])}
    counted = sum((one.list_monthly_savings or Decimal(0) for one in (best, *theirs) if one.id not in out), Decimal(0))
    assert counted == max(whole, together)
    assert counted <= stake


_STATUSES = st.sampled_from([Status.ADVICE, Status.ACTIONABLE])


def test_a_members_small_act_does_not_take_the_place_of_the_act_on_the_whole_group() -> None:
    small = advice(INSTANCE, "a", "1.00", Status.ACTIONABLE)
    others = [advice(INSTANCE, name, "50.00") for name in ("b", "c")]
    whole = of_group("100.00", "a", "b", "c", status=Status.ACTIONABLE)
    # In all its members' advice saves more, but of it only 1.00 could be approved.
    assert left_out([whole], small, *others) == ["a", "b", "c"]
    large = replace(small, list_monthly_savings=Decimal("100.01"))
    assert left_out([whole], large, *others) == ["web"]
    assert left_out([of_group("100.00", "a", "b", "c")], small, *others) == ["web"]


@given(st.integers(0, 100), _STATUSES, st.lists(st.tuples(st.integers(0, 100), _STATUSES), max_size=4))
def test_what_counts_is_the_side_with_more_to_approve_and_else_the_larger(
    group: int, status: Status, members: list[tuple[int, Status]]
) -> None:
    theirs = [advice(INSTANCE, f"i-{at}", str(one), state) for at, (one, state) in enumerate(members)]
    whole = of_group(str(group), *(one.id for one in theirs), status=status)
    out = set(left_out([whole], *theirs))
    left = [one for one in (whole.best, *theirs) if one.id not in out]
    counted, approvable = (
        sum(one.monthly_savings or 0 for one in left if one.status in wanted)
        for wanted in (set(Status), {Status.ACTIONABLE})
    )
    ready = group if status is Status.ACTIONABLE else 0
    theirs_ready = sum(one for one, state in members if state is Status.ACTIONABLE)
    together = sum(one for one, _ in members)
    assert approvable == max(ready, theirs_ready)
    if not group or not together or ready == theirs_ready:
        assert counted == max(group, together)
    else:
        assert counted == (group if ready > theirs_ready else together)
