"""Of what a group and its members would both save only the better advice counts, whatever the order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from tests.support.scan_samples import recommendation

from finops.crds.policy_actions import Mode
from finops.domain.price import Attributed, Cost, GroupOf
from finops.domain.recommendation import BlockCode, Finding, Recommendation, ResourceRef, Status
from finops_operator.rules.readiness import ActTerms
from finops_operator.scan.overlapping import GroupAdvice, Settled, advice_of_group, counted_once

ANY = ActTerms(
    Mode.APPROVE,
    frozenset({"ebs_volume_delete"}),
    Decimal(10),
    account="main",
    granted=frozenset({"ebs_volume_delete"}),
    has_executor_role=True,
)
"""What a policy allows with a minimum of 10 US dollars."""
INSTANCE, GROUP, NODES = "ec2-instance", "auto-scaling-group", "eks-nodegroup"


def advice(kind: str, name: str, saving: str | None, status: Status = Status.ADVICE) -> Recommendation:
    place = ResourceRef(kind, name, f"arn:{kind}:{name}", "111122223333", "us-east-1")
    money = None if saving is None else Decimal(saving)
    made = replace(recommendation(1), id=name, resource=place, group=place.arn, status=status)
    return replace(made, monthly_savings=money, list_monthly_savings=money)


def of_group(saving: str | None, *members: str, status: Status = Status.ADVICE, name: str = "web") -> GroupAdvice:
    return GroupAdvice(advice(GROUP, name, saving, status), frozenset((INSTANCE, one) for one in members))


def left_out(groups: list[GroupAdvice], *others: Recommendation) -> list[str]:
    settled = counted_once(groups, [*(one.best for one in groups), *others], lambda _: ANY)
    assert not any(one.after.counted for one in settled)
    return sorted(one.before.id for one in settled)


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


_STATUSES = st.sampled_from([Status.ADVICE, Status.ACTIONABLE])
_SHARES = st.integers(0, 100)


@dataclass(frozen=True)
class Cluster:
    """A cluster that is billed itself, with advice for it and its members."""

    best: Recommendation
    advice: GroupAdvice
    theirs: list[Recommendation]
    own: Decimal
    members: Decimal
    stake: Decimal

    def settled(self) -> tuple[Settled, ...]:
        return counted_once([self.advice], [self.best, *self.theirs], lambda _: ANY)

    def counted(self) -> list[Recommendation]:
        after = {one.before.id: one.after for one in self.settled()}
        return [one for one in (after.get(each.id, each) for each in (self.best, *self.theirs)) if one.counted]


@st.composite
def clusters(draw: st.DrawFn, *, known: bool) -> Cluster:
    """`known`: whether the check of the cluster says which part of the saving is its own."""
    own, costs = draw(_SHARES), draw(st.lists(_SHARES, min_size=1, max_size=4))
    named = tuple((f"i-{at}", billed(one)) for at, one in enumerate(costs))
    of = GroupOf(INSTANCE, tuple(name for name, _ in named))
    cost = replace(billed(own), group=of, attributed=Attributed(named))
    own_saving, rest = (Decimal(part * draw(_SHARES)) / 100 for part in (own, sum(costs)))
    money = str(own_saving + rest)
    best = replace(advice("rds-cluster", "orders", money, draw(_STATUSES)), current_monthly_cost=cost.at_stake)
    said = Decimal(own) - own_saving if known else None
    found = replace(finding(best.check), own_new_cost=said)
    theirs = [
        advice(INSTANCE, f"i-{at}", str(Decimal(one * draw(_SHARES)) / 100), draw(_STATUSES))
        for at, one in enumerate(costs)
        if one
    ]
    stake = Decimal(own + sum(costs))
    return Cluster(best, advice_of_group(best, cost, [found]), theirs, own_saving, rest, stake)


def finding(check: str) -> Finding:
    return Finding(check=check, action="", parameters={}, new_monthly_cost=None, evidence={}, summary="")


def saved(those: Iterable[Recommendation]) -> Decimal:
    return sum((one.list_monthly_savings or Decimal(0) for one in those), Decimal(0))


@given(clusters(known=True))
def test_a_clusters_own_part_of_a_saving_counts_whichever_side_has_the_rest(cluster: Cluster) -> None:
    """Storage and requests are the cluster's own: what its stop saves of them no advice for a member saves too."""
    counted = saved(cluster.counted())
    assert counted in {cluster.own + cluster.members, cluster.own + saved(cluster.theirs)}
    acts = [one for one in (cluster.best, *cluster.theirs) if one.status is Status.ACTIONABLE]
    if not acts or len(acts) == 1 + len(cluster.theirs):
        assert counted == cluster.own + max(cluster.members, saved(cluster.theirs))
    assert counted <= cluster.stake


@given(clusters(known=False))
def test_where_a_check_does_not_say_it_what_exceeds_the_cost_of_all_members_is_surely_the_clusters_own(
    cluster: Cluster,
) -> None:
    counted, surely = saved(cluster.counted()), cluster.advice.own
    assert surely <= cluster.own
    whole, theirs = saved([cluster.best]), saved(cluster.theirs)
    assert counted in {whole, theirs + surely}
    assert counted <= cluster.stake


@given(st.one_of(clusters(known=True), clusters(known=False)))
def test_what_counts_of_a_cluster_adds_up_and_is_never_more_than_was_advised(cluster: Cluster) -> None:
    for one in cluster.settled():
        before, after = one.before, one.after
        assert (after.id, after.resource, after.action) == (before.id, before.resource, before.action)
        assert (after.list_monthly_savings or 0) <= (before.list_monthly_savings or 0)
        assert (after.monthly_savings or 0) <= (after.list_monthly_savings or 0)
        if after.counted:
            assert after.current_monthly_cost is not None
            assert after.new_monthly_cost == after.current_monthly_cost - saved([after])


def stopped(own_new_cost: str, status: Status = Status.ACTIONABLE) -> Cluster:
    """A cluster of 40.00 with a member of 100.00, whose stop saves 30.00, and a member's advice of 50.00."""
    cost = replace(billed(40), group=GroupOf(INSTANCE, ("a",)), attributed=Attributed((("a", billed(100)),)))
    best = replace(
        advice("rds-cluster", "orders", "30.00", status),
        action="ebs_volume_delete",
        advice="",
        current_monthly_cost=Decimal(140),
        new_monthly_cost=Decimal(110),
        attributes={"discountPercent": "10", "listMonthlySavings": "30.00"},
        monthly_savings=Decimal("27.00"),
    )
    found = replace(finding(best.check), own_new_cost=Decimal(own_new_cost))
    theirs = [advice(INSTANCE, "a", "50.00", status)]
    return Cluster(best, advice_of_group(best, cost, [found]), theirs, Decimal(0), Decimal(0), Decimal(140))


def test_the_part_that_stays_with_a_cluster_says_so_and_has_the_policys_discount_and_minimum() -> None:
    (one,) = stopped("35.00").settled()
    assert (one.after.list_monthly_savings, one.after.monthly_savings) == (Decimal("5.00"), Decimal("4.50"))
    assert (one.after.new_monthly_cost, one.after.attributes["listMonthlySavings"]) == (Decimal("135.00"), "5.00")
    assert one.after.facts[-1].value == ("5.00 USD; the other 25.00 are its members', whose own advice counts instead")
    assert [block.code for block in one.after.blocked_by] == [BlockCode.BELOW_MINIMUM]


def test_advice_that_saves_nothing_of_its_members_counts_in_full_beside_theirs() -> None:
    assert stopped("10.00").settled() == ()


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
