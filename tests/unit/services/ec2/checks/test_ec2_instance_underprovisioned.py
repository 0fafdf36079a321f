"""ec2_instance_underprovisioned: what its type is too small for, and what a larger one costs more."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.facts import FIVE_MINUTES, MEGABYTE, busy, facts_of, flat, instance, summarize

from finops.crds.policy_actions import Mode
from finops.domain.canonical import Json
from finops.domain.price import Cost
from finops.domain.recommendation import Finding, NotRecommended
from finops.domain.resource import Resource
from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.plugins.check import Facts, Pictures, Settled
from finops_operator.plugins.loaded import load_actions, load_checks
from finops_operator.plugins.sizing_policy import SizingPolicy
from finops_operator.pricing.instance_types import bundled_catalog
from finops_operator.rules.readiness import ActTerms
from finops_operator.scan.recommend import Declarations, Terms, recommend
from finops_operator.services.ec2.checks.ec2_instance_overprovisioned import CHECK as OVERPROVISIONED
from finops_operator.services.ec2.checks.ec2_instance_underprovisioned import CHECK
from finops_operator.services.ec2.instance import KIND, InstanceFacts

DEFAULTS = {spec.name: spec.default for spec in CHECK.parameters}
POINTS = 14 * 288
NOTHING = "nothing that was measured exceeds what its type has"


def used(cpu: float, memory: float | None = None, network: float = 1.0) -> Utilization:
    """Return 14 days of 5-minute levels: percent, percent, megabytes a second."""
    more = {} if memory is None else {"memoryPercent": flat(memory, period=FIVE_MINUTES)}
    traffic = flat(network * MEGABYTE * FIVE_MINUTES, period=FIVE_MINUTES)
    return busy(flat(cpu, period=FIVE_MINUTES), networkInBytes=traffic, **more)


def judged(
    seen: Utilization, *, sizing: SizingPolicy | None = None, mean: int = 30, volumes: int = 1, **changes: Json
) -> Finding | NotRecommended:
    facts = facts_of(instance("running", tags=None, **changes), seen, sizing=sizing)
    return CHECK.evaluate(facts, {**DEFAULTS, "minimumMeanPercent": Decimal(mean), "judgeVolumes": Decimal(volumes)})


def found(seen: Utilization, **changes: Json) -> Finding:
    one = judged(seen, **changes)  # type: ignore[arg-type]
    assert isinstance(one, Finding), one
    return one


def reason(seen: Utilization, **changes: Json) -> str:
    one = judged(seen, **changes)  # type: ignore[arg-type]
    assert isinstance(one, NotRecommended), one
    return one.reason


def test_cpu_above_the_limit_names_the_next_larger_type_and_its_extra_cost() -> None:
    one = found(used(85), instance_type="m5.large")
    # As much memory, and twice the vCPUs.
    assert (one.action, one.target) == ("", "c5.xlarge")
    assert one.summary == "It needs more CPU than its m5.large has."
    # 0.17 less 0.096 an hour.
    assert one.evidence["extraMonthlyCost"] == "54.02"
    said = {fact.label: fact.value for fact in one.facts}
    assert said["Extra cost"] == "54.02 USD a month more; nothing is saved"
    assert said["Next larger type"] == "c5.xlarge: 4 vCPUs, 8 GiB"


def test_at_the_limit_is_no_shortage() -> None:
    assert reason(used(80)) == NOTHING
    assert found(used(80.1)).check == CHECK.id


def test_one_point_more_makes_the_percentile() -> None:
    # Of 4,032 points 20 may lie above P99.5.
    def peaks(count: int) -> Utilization:
        return busy(summarize([50.0] * (POINTS - count) + [95.0] * count, period=FIVE_MINUTES))

    assert reason(peaks(20)) == NOTHING
    assert found(peaks(21)).target == "c5.4xlarge"


def test_a_job_that_takes_all_cpu_for_some_hours_a_night_needs_no_larger_type_unless_the_policy_says_so() -> None:
    nightly = busy(summarize([3.0] * (POINTS - 14 * 36) + [100.0] * 14 * 36, period=FIVE_MINUTES))
    assert reason(nightly) == NOTHING
    assert isinstance(judged(nightly, mean=0), Finding)


def test_memory_above_the_limit_takes_the_family_with_more_of_it() -> None:
    one = found(used(20, memory=85))
    assert one.target == "r5.2xlarge"
    assert one.summary == "It needs more memory than its m5.2xlarge has."
    assert reason(used(20, memory=80)) == NOTHING


def test_memory_that_nobody_measures_is_never_short() -> None:
    assert reason(used(20)) == NOTHING
    said = {fact.label: fact.value for fact in found(used(90)).facts}
    assert said["Memory"] == "not measured"


def test_network_above_what_the_type_sustains_takes_a_type_that_sustains_it() -> None:
    # 2.5 Gbit/s are 312 MB/s.
    one = found(used(20, network=320))
    assert one.summary == "It needs more network than its m5.2xlarge has."
    # The next generation sustains 3.1 Gbit/s for the same price.
    assert (one.target, one.evidence["extraMonthlyCost"]) == ("m6i.2xlarge", "0.00")
    assert reason(used(20, network=310)) == NOTHING


def to_volumes(
    megabytes: float = 1.0, operations: float = 10.0, *, cpu: float = 10, share: float = 1.0, **more: MetricSummary
) -> Utilization:
    """Return the same with what went to and from its volumes a second, half of it written, in a share of the time."""

    def half(rate: float) -> MetricSummary:
        busy_points = int(share * POINTS)
        points = [rate / 2 * FIVE_MINUTES] * busy_points + [0.0] * (POINTS - busy_points)
        return summarize(points, period=FIVE_MINUTES)

    volumes = {
        **{name: half(megabytes * MEGABYTE) for name in ("ebsReadBytes", "ebsWriteBytes")},
        **{name: half(operations) for name in ("ebsReadOps", "ebsWriteOps")},
    }
    return busy(flat(cpu, period=FIVE_MINUTES), **{**volumes, **more})


def test_volumes_at_the_bandwidth_of_the_type_take_a_type_that_carries_more() -> None:
    # An m5.2xlarge carries 287.5 MB/s, and five minutes count as full from 95 % of that.
    one = found(to_volumes(280))
    assert one.summary == "It needs more EBS bandwidth than its m5.2xlarge has."
    assert (one.action, one.evidence["ebsMegabytesPerSecond"], one.evidence["ebsLimitMegabytesPerSecond"]) == (
        "",
        "280",
        "287.5",
    )
    target = bundled_catalog().get(one.target)
    assert target is not None
    assert target.ebs_baseline_mbytes_per_second is not None
    assert target.ebs_baseline_mbytes_per_second > Decimal("287.5")
    said = {fact.label: fact.value for fact in one.facts}
    assert said["EBS bandwidth, 99 % of the time below"] == "280.0 MB/s; m5.2xlarge carries 287.5 MB/s"
    assert reason(to_volumes(273)) == NOTHING


def test_volumes_at_the_operations_of_the_type_take_a_type_that_carries_more() -> None:
    one = found(to_volumes(operations=11_500))
    assert one.summary == "It needs more EBS operations than its m5.2xlarge has."
    target = bundled_catalog().get(one.target)
    assert target is not None
    assert (target.ebs_baseline_iops or 0) > 12_000
    assert reason(to_volumes(operations=11_300)) == NOTHING


def test_a_backup_that_takes_all_bandwidth_for_some_hours_a_night_needs_no_larger_type() -> None:
    assert reason(to_volumes(280, share=0.3)) == NOTHING
    assert found(to_volumes(280, share=0.31)).target
    assert isinstance(judged(to_volumes(280, share=0.3), mean=0), Finding)


def test_volumes_alone_count_where_the_policy_says_so_and_beside_another_shortage_always() -> None:
    # Of an instance that lacks nothing else, nothing of its volumes is read without that.
    assert reason(to_volumes(280), volumes=0) == NOTHING
    both = found(to_volumes(280, cpu=90), volumes=0)
    assert both.summary == "It needs more CPU and EBS bandwidth than its m5.2xlarge has."


def test_where_the_policy_judges_volumes_their_days_and_five_minutes_are_asked_for() -> None:
    judging = {**DEFAULTS, "judgeVolumes": Decimal(1)}
    assert CHECK.settled_by_days(pictures(20, 60), judging) is Settled.BY_BOUNDS
    on_xen, without_limits = {"instance_type": "m4.2xlarge"}, {"instance_type": "t2.large"}
    assert CHECK.settled_by_days(pictures(20, 60, on_xen), judging) is Settled.BY_BOUNDS
    assert CHECK.settled_by_days(pictures(20, 60, without_limits), judging) is Settled.BY_DAYS
    hours = Utilization("i-0", metrics={"cpuPercent": flat(60)})
    assert CHECK.wants_fine(facts_of(instance(), hours), judging)
    assert not CHECK.wants_fine(facts_of(instance(), hours), DEFAULTS)
    assert CHECK.wants_fine(facts_of(instance(instance_type="m4.2xlarge"), hours), judging)
    assert not CHECK.wants_fine(facts_of(instance(instance_type="t2.large"), hours), judging)


def test_bandwidth_that_was_not_measured_or_has_no_limit_of_its_own_is_never_short() -> None:
    full = to_volumes(280)
    halves = replace(full, fine={name: one for name, one in full.fine.items() if name != "ebsReadBytes"})
    assert reason(halves) == NOTHING
    # What a t2 carries towards its volumes is published nowhere.
    assert reason(to_volumes(900), instance_type="t2.large") == NOTHING
    failed = replace(halves, unknown={"ebsReadBytes": "Throttled"})
    assert reason(failed) == "ebs read bytes could not be read (Throttled)"
    thin = summarize([140 * MEGABYTE * FIVE_MINUTES] * 40, period=FIVE_MINUTES, expected=POINTS)
    assert reason(to_volumes(280, ebsReadBytes=thin)) == NOTHING


def test_a_smaller_type_is_not_advised_where_its_volumes_would_use_all_that_it_carries() -> None:
    def smaller(megabytes: float, *families: str) -> Finding | NotRecommended:
        seen = to_volumes(megabytes, memoryPercent=flat(20, period=FIVE_MINUTES))
        facts = facts_of(instance("running"), seen, sizing=SizingPolicy(allow_families=frozenset(families)))
        return OVERPROVISIONED.evaluate(facts, {"minimumSavingPercent": Decimal(5)})

    # Both carry 287.5 MB/s; an m6in.xlarge carries more than twice as much.
    held = smaller(280, "c5")
    assert isinstance(held, NotRecommended)
    assert held.reason == "its volumes would use all the EBS bandwidth that c5.2xlarge carries"
    assert getattr(smaller(270, "c5"), "target", "") == "c5.2xlarge"
    assert getattr(smaller(280, "m6in"), "target", "") == "m6in.xlarge"


def test_points_of_five_minutes_that_could_not_be_had_are_not_called_enough() -> None:
    hours = Utilization("i-0", metrics={"cpuPercent": flat(90)})
    assert reason(hours) == "its 5-minute metrics are not known"
    assert reason(Utilization("i-0", metrics={"cpuPercent": flat(60)}), volumes=0) == NOTHING


def test_several_shortages_are_named_together() -> None:
    one = found(used(90, memory=90))
    assert one.summary == "It needs more CPU and memory than its m5.2xlarge has."
    assert one.evidence["targetVcpus"] == 16


def test_the_policy_s_preset_sets_the_limits() -> None:
    careful = SizingPolicy(preset="MaxPerformance")
    assert isinstance(judged(used(75), sizing=careful), Finding)
    saving = SizingPolicy(preset="MaxSavings")
    assert isinstance(judged(used(98), sizing=saving), NotRecommended)
    assert isinstance(judged(used(100), sizing=saving), Finding)


def test_the_largest_of_all_is_said_without_a_target_and_costs_what_it_costs() -> None:
    largest = judged(used(95), instance_type="m5.24xlarge", sizing=SizingPolicy(allow_families=frozenset({"m5"})))
    assert isinstance(largest, Finding)
    assert largest.target == ""
    assert largest.evidence["extraMonthlyCost"] == "unknown"
    assert largest.new_monthly_cost == facts_of(instance(instance_type="m5.24xlarge")).cost.unrounded_monthly


def test_absent_or_thin_data_is_no_shortage() -> None:
    assert "CPU is unknown" in reason(Utilization("i-0"))
    thin = busy(summarize([95.0] * 40, period=FIVE_MINUTES, expected=POINTS))
    assert "are needed" in reason(thin)
    unread = replace(used(20), unknown={"memoryPercent": "Throttled"})
    assert reason(unread) == "memory could not be read (Throttled)"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"instance_type": "m99.large"}, "nothing is known about its type"),
        ({"instance_type": "inf1.xlarge"}, "how much its accelerators are used is not measured"),
        ({"lifecycle": "spot"}, "it is not an on-demand instance"),
        ({"marketplace": True}, "its image is from the Marketplace, whose terms may fix the type"),
    ],
)
def test_what_cannot_be_sized_is_left_alone(changes: dict[str, Json], why: str) -> None:
    assert reason(used(95), **changes) == why
    assert CHECK.settled_by_days(pictures(95, 95, changes), DEFAULTS) is Settled.BY_DAYS


def test_a_stopped_instance_is_left_alone() -> None:
    one = CHECK.evaluate(facts_of(instance("stopped"), used(95)), DEFAULTS)
    assert isinstance(one, NotRecommended)
    assert one.reason == "it is stopped, not running"


def test_it_saves_nothing_whatever_it_costs_more() -> None:
    resource = instance(instance_type="m5.large")
    facts = facts_of(resource, used(95))
    one = CHECK.evaluate(facts, DEFAULTS)
    assert isinstance(one, Finding)
    declared = Declarations(KIND, load_checks(), load_actions())
    (made,) = recommend(
        resource, facts.cost, [one], declared, Terms("team-a/policy", ActTerms(Mode.RECOMMEND, frozenset(), Decimal(0)))
    )
    assert (made.monthly_savings, made.list_monthly_savings) == (Decimal(0), Decimal(0))
    assert made.status.value == "Advice"
    assert made.new_monthly_cost is not None
    assert made.current_monthly_cost is not None
    assert made.new_monthly_cost > made.current_monthly_cost


def pictures(least: float, most: float, changes: Mapping[str, Json] | None = None) -> Pictures[InstanceFacts]:
    def facts(seen: Utilization) -> Facts[InstanceFacts]:
        return facts_of(instance("running", tags=None, **(changes or {})), seen)

    shown = Utilization("i-0", metrics={"cpuPercent": flat(most)})
    return Pictures(facts(shown), facts(used(least)), facts(used(most)))


def test_days_decide_where_the_most_is_no_shortage_and_where_both_ends_name_one_type() -> None:
    assert CHECK.settled_by_days(pictures(20, 79), DEFAULTS) is Settled.BY_DAYS
    assert CHECK.settled_by_days(pictures(85, 95), DEFAULTS) is Settled.BY_BOUNDS
    assert CHECK.settled_by_days(pictures(70, 95), DEFAULTS) is Settled.OPEN


def test_five_minutes_are_asked_for_only_where_hours_leave_room_for_a_shortage() -> None:
    def hours(cpu: float, network: float = 1.0) -> Facts[InstanceFacts]:
        metrics = {"cpuPercent": flat(cpu), "networkInBytes": flat(network * MEGABYTE * 3600)}
        return facts_of(instance(), Utilization("i-0", metrics=metrics))

    assert not CHECK.wants_fine(hours(70), DEFAULTS)
    assert CHECK.wants_fine(hours(90), DEFAULTS)
    assert CHECK.wants_fine(hours(10, network=200), DEFAULTS)
    assert not CHECK.wants_fine(hours(10, network=10), DEFAULTS)
    assert not CHECK.wants_fine(facts_of(instance("stopped")), DEFAULTS)
    assert not CHECK.wants_fine(facts_of(instance()), DEFAULTS)


@given(cpu=st.floats(0, 100), memory=st.none() | st.floats(0, 100), network=st.floats(0, 900), more=st.floats(1, 2))
def test_more_work_never_takes_a_shortage_away_and_its_type_never_gets_smaller(
    cpu: float, memory: float | None, network: float, more: float
) -> None:
    one = judged(used(cpu, memory, network))
    grown = judged(used(min(100.0, cpu * more), memory, network * more))
    if isinstance(one, NotRecommended):
        return
    assert isinstance(grown, Finding)
    now = facts_of(instance()).cost.unrounded_monthly
    assert one.new_monthly_cost is not None
    assert now is not None
    assert not one.target or one.new_monthly_cost >= now
    if one.target and grown.target:
        assert int(str(grown.evidence["targetVcpus"])) >= 8
        assert int(str(one.evidence["targetMemoryMib"])) >= 32 * 1024


def test_the_types_to_choose_from_are_priced_once_for_instances_that_are_billed_alike() -> None:
    asked: list[str] = []
    shared: dict[Hashable, object] = {}

    def judge(number: int, seen: Utilization) -> Finding | NotRecommended:
        facts = facts_of(replace(instance("running", tags=None), id=f"i-{number}"), seen)

        def counted(changed: Resource) -> Cost:
            asked.append(str(changed.attributes["instance_type"]))
            return facts.cost_of(changed)

        return CHECK.evaluate(replace(facts, cost_of=counted, shared=shared), DEFAULTS)

    for number, seen in enumerate((used(85), used(90), used(85, 99), used(20, network=200))):
        assert judge(number, seen) == judged(seen, volumes=0) or number
    assert len(asked) == len(set(asked)) > 10
