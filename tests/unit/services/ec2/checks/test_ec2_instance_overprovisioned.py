"""ec2_instance_overprovisioned: true, near miss, absent data, one spike, and which resources deserve a closer look."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from tests.support.facts import FIVE_MINUTES, busy, facts_of, flat, instance, summarize

from finops.domain.recommendation import Finding, NotRecommended, PerformanceRisk
from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.plugins.check import Facts
from finops_operator.plugins.sizing_policy import SizingPolicy
from finops_operator.services.ec2.checks.ec2_instance_overprovisioned import CHECK
from finops_operator.services.ec2.instance import InstanceFacts

POINTS = 14 * 288
DEFAULTS = {spec.name: spec.default for spec in CHECK.parameters}
LOW_MEMORY = {"memoryPercent": flat(20, period=FIVE_MINUTES)}


def judge(facts: Facts[InstanceFacts]) -> Finding | NotRecommended:
    return CHECK.evaluate(facts, DEFAULTS)


def reason(facts: Facts[InstanceFacts]) -> str:
    verdict = judge(facts)
    assert isinstance(verdict, NotRecommended)
    return verdict.reason


def test_a_large_instance_with_little_work_gets_the_next_size_of_its_family() -> None:
    found = judge(facts_of(instance(), busy(flat(12, period=FIVE_MINUTES), **LOW_MEMORY)))
    assert isinstance(found, Finding)
    assert (found.action, found.parameters) == ("ec2_instance_resize", {"instanceType": "m5.xlarge"})
    assert found.new_monthly_cost == Decimal("140.160")
    assert found.evidence["cpuPercentile"] == "p99.5"
    assert found.evidence["neededVcpus"] == "1.2"
    assert found.evidence["zoneOffering"] == "not confirmed"
    assert len(found.alternatives) == 3
    assert found.alternatives[0]["instanceType"] != "m5.xlarge"


def test_the_percentile_and_the_true_maximum_are_distinguished_in_summary_evidence_and_facts() -> None:
    found = judge(facts_of(instance(), busy(summarize([2.9] * (POINTS - 3) + [94.0] * 3, period=FIVE_MINUTES))))
    assert isinstance(found, Finding)
    assert found.summary == (
        "99.5 % of the time CPU stayed below 2.9 %; the highest 5 minutes reached 94 % (3 of 4,032)."
    )
    assert (found.evidence["cpuP99_5Percent"], found.evidence["cpuMaximumPercent"]) == ("2.9", "94")
    facts = {fact.label: fact.value for fact in found.facts}
    assert facts["CPU, 99.5 % of the time below"] == "2.9 %"
    assert facts["CPU, highest 5 minutes"] == "94 % (3 of 4,032)"
    assert facts["Memory"] == "not measured: the new type has no less"


def test_a_network_that_was_not_measured_is_unknown_and_never_zero() -> None:
    measured = busy(flat(12, period=FIVE_MINUTES), **LOW_MEMORY)
    unknown = replace(measured, fine={key: one for key, one in measured.fine.items() if "network" not in key})
    shown = []
    for utilization in (measured, unknown):
        found = judge(facts_of(instance(), utilization))
        assert isinstance(found, Finding)
        shown += [fact.value for fact in found.facts if fact.label.startswith("Network")]
    assert shown == ["27 kbit/s; m5.xlarge sustains 1.25 Gbit/s", "not measured; m5n.xlarge sustains 4.1 Gbit/s"]


def test_the_use_of_the_new_type_is_projected_and_its_risk_named() -> None:
    calm = judge(facts_of(instance(), busy(flat(12, period=FIVE_MINUTES), **LOW_MEMORY)))
    burst = judge(
        facts_of(instance(), busy(summarize([12.0] * (POINTS - 3) + [94.0] * 3, period=FIVE_MINUTES), **LOW_MEMORY))
    )
    assert isinstance(calm, Finding)
    assert isinstance(burst, Finding)
    # m5.2xlarge → m5.xlarge: half the vCPUs, half the memory.
    assert calm.parameters == burst.parameters == {"instanceType": "m5.xlarge"}
    assert calm.expectation == "Expected CPU about 24 %, memory about 40 %."
    assert burst.expectation == f"{calm.expectation} The highest 5 minutes would use all of its CPU."
    assert (calm.performance_risk, burst.performance_risk) == (PerformanceRisk.LOW, PerformanceRisk.LOW)


def test_unknown_memory_is_shown_and_never_shrunk() -> None:
    found = judge(facts_of(instance(), busy(flat(12, period=FIVE_MINUTES))))
    assert isinstance(found, Finding)
    assert found.evidence["neededMemoryMib"] == "unknown"
    assert found.evidence["targetMemoryMib"] == found.evidence["currentMemoryMib"] == 32768


def test_memory_and_network_that_were_seen_for_a_part_of_the_window_are_unknown() -> None:
    """An agent of yesterday says nothing of the days before it."""
    whole = busy(flat(12, period=FIVE_MINUTES), **LOW_MEMORY)
    partly = {name: replace(whole.fine[name], points=POINTS // 7) for name in ("memoryPercent", "networkInBytes")}
    never = {name: one for name, one in whole.fine.items() if name not in partly}
    found = judge(facts_of(instance(), replace(whole, fine={**whole.fine, **partly})))
    assert isinstance(found, Finding)
    other = judge(facts_of(instance(), replace(whole, fine=never)))
    assert isinstance(other, Finding)
    assert (found.parameters, found.evidence) == (other.parameters, other.evidence)
    assert found.evidence["neededMemoryMib"] == found.evidence["neededNetworkGbps"] == "unknown"
    shown = {fact.label: fact.value for fact in found.facts}
    assert shown["Memory"] == "measured for too short a time: the new type has no less"


def test_memory_that_could_not_be_read_today_is_no_memory_that_is_not_measured() -> None:
    seen = busy(flat(12, period=FIVE_MINUTES))
    throttled = replace(seen, unknown={**seen.unknown, "memoryPercent": "Throttling"})
    assert reason(facts_of(instance(), throttled)) == "memory could not be read (Throttling)"
    silent = replace(seen, unknown={**seen.unknown, "memoryPercent": "NotPublished"})
    assert isinstance(judge(facts_of(instance(), silent)), Finding)


def test_a_zone_that_was_asked_is_confirmed() -> None:
    facts = facts_of(
        instance(), busy(flat(12, period=FIVE_MINUTES), **LOW_MEMORY), offered_types=frozenset({"m5a.xlarge"})
    )
    found = judge(facts)
    assert isinstance(found, Finding)
    assert found.target == "m5a.xlarge"
    assert found.evidence["zoneOffering"] == "confirmed"


def test_a_target_that_the_policy_does_not_allow_is_advice_that_says_why() -> None:
    work, only = busy(flat(12, period=FIVE_MINUTES), **LOW_MEMORY), frozenset({"m5a.xlarge"})
    kept = judge(facts_of(instance(), work, offered_types=only))
    assert isinstance(kept, Finding)
    assert (kept.action, kept.parameters, kept.target) == ("", {}, "m5a.xlarge")
    assert kept.advice == (
        "It is not offered to be carried out: "
        "the maker of the processor changes (Intel → AMD; sizing.allow.vendorChange)."
    )
    allowed = judge(facts_of(instance(), work, sizing=SizingPolicy(vendor_change=True), offered_types=only))
    assert isinstance(allowed, Finding)
    assert (allowed.action, allowed.advice) == ("ec2_instance_resize", "")
    assert allowed.parameters == {"instanceType": "m5a.xlarge"}


def test_a_target_of_another_maker_is_named_in_the_evidence_and_one_of_the_same_is_not() -> None:
    measured = busy(flat(12, period=FIVE_MINUTES), **LOW_MEMORY)
    shown = []
    for offered in ("m5a.xlarge", "m5.xlarge"):
        found = judge(facts_of(instance(), measured, offered_types=frozenset({offered})))
        assert isinstance(found, Finding)
        shown.append({fact.label: fact.value for fact in found.facts}.get("Processor"))
    assert shown == ["Intel → AMD", None]


def test_each_alternative_says_what_a_person_weighs_it_by() -> None:
    offered = frozenset({"m5.xlarge", "m5a.xlarge"})
    found = judge(facts_of(instance(), busy(flat(12, period=FIVE_MINUTES), **LOW_MEMORY), offered_types=offered))
    assert isinstance(found, Finding)
    assert found.alternatives == (
        {
            "instanceType": "m5a.xlarge",
            "newMonthlyCost": "125.56",
            "monthlySavings": "154.76",
            "performanceRisk": "Low",
            "migrationEffort": "Low",
            "platformDifferences": ["Processor: Intel → AMD"],
            "notAllowed": "the maker of the processor changes (Intel → AMD; sizing.allow.vendorChange)",
        },
    )


def test_why_the_target_was_chosen_and_what_the_change_takes_are_said() -> None:
    work = busy(flat(12, period=FIVE_MINUTES), **LOW_MEMORY)
    found = judge(facts_of(instance(), work))
    assert isinstance(found, Finding)
    shown = {fact.label: fact.value for fact in found.facts}
    assert shown["Why m5.xlarge"] == "it stays in the family m5, and no other saves clearly more"
    assert shown["Migration effort"] == "very low: the same maker of the processor and the same drivers"
    assert found.evidence["migrationEffort"] == "VeryLow"
    again = judge(facts_of(instance(), work, previous_target="m6i.xlarge"))
    assert isinstance(again, Finding)
    kept = {fact.label: fact.value for fact in again.facts}["Why m6i.xlarge"]
    assert kept == "it was advised before and still fits, and none saves clearly more"


def test_the_final_target_is_said_with_the_next_step_until_the_data_allow_it_at_once() -> None:
    def judged(days: int) -> Finding:
        little = {"memoryPercent": flat(10, days=days, period=FIVE_MINUTES)}
        only = SizingPolicy(allow_families=frozenset({"m5"}))
        found = judge(facts_of(instance(), busy(flat(5, days=days, period=FIVE_MINUTES), **little), sizing=only))
        assert isinstance(found, Finding)
        return found

    step, whole = judged(14), judged(32)
    assert (step.target, step.evidence["finalType"]) == ("m5.xlarge", "m5.large")
    shown = {fact.label: fact.value for fact in step.facts}
    assert shown["Final target"] == "m5.large; m5.xlarge is the next step: more than one takes 32 days of data"
    assert (whole.target, whole.evidence["finalType"]) == ("m5.large", "m5.large")
    assert "Final target" not in {fact.label for fact in whole.facts}


def test_an_instance_that_fills_its_size_is_left_alone() -> None:
    facts = facts_of(instance(), busy(flat(50, period=FIVE_MINUTES)))
    assert reason(facts) == "no smaller type has room for its peaks"


def test_a_few_high_points_beyond_the_percentile_break_it() -> None:
    rare = summarize([10.0] * (POINTS - 20) + [95.0] * 20, period=FIVE_MINUTES)
    one_more = summarize([10.0] * (POINTS - 21) + [95.0] * 21, period=FIVE_MINUTES)
    assert isinstance(judge(facts_of(instance(), busy(rare, **LOW_MEMORY))), Finding)
    assert reason(facts_of(instance(), busy(one_more, **LOW_MEMORY))) == "no smaller type has room for its peaks"


def test_a_single_point_of_memory_breaks_it() -> None:
    spike = summarize([20.0] * (POINTS - 1) + [95.0], period=FIVE_MINUTES)
    facts = facts_of(instance(), busy(flat(12, period=FIVE_MINUTES), memoryPercent=spike))
    assert reason(facts) == "no smaller type with a known price saves enough"


def test_without_the_five_minute_picture_nothing_is_judged() -> None:
    hourly = Utilization("i", metrics={"cpuPercent": flat(3)})
    assert reason(facts_of(instance(), hourly)) == "its 5-minute metrics are not known"
    assert reason(facts_of(instance())) == "CPU is unknown (not measured)"


def test_too_little_data_is_said() -> None:
    short = busy(flat(3, days=1, period=FIVE_MINUTES))
    assert reason(facts_of(instance(), short)) == "only 24 hours of CPU, 30 are needed"


def test_a_stopped_instance_is_not_judged() -> None:
    assert reason(facts_of(instance("stopped"), busy(flat(3, period=FIVE_MINUTES)))) == "it is stopped, not running"


def test_only_resources_that_could_shrink_ask_for_the_five_minute_picture() -> None:
    def wants(cpu: float, preset: str = "Default", state: str = "running", **metrics: MetricSummary) -> bool:
        hourly = Utilization("i", metrics={"cpuPercent": flat(cpu), **metrics})
        facts = facts_of(instance(state), hourly, sizing=SizingPolicy(preset=preset))
        return CHECK.wants_fine(facts, DEFAULTS)

    # Half the vCPUs and, with unknown memory, as much of it; a new target needs a twentieth more than that.
    assert wants(38)
    assert not wants(39)
    assert wants(47, "MaxSavings")
    assert not wants(34, "Balanced")
    assert not wants(10, state="stopped")
    # All the vCPUs and half the memory: the memory that is known makes room for CPU-bound work.
    assert wants(70, memoryPercent=flat(20))
    assert not wants(70, memoryPercent=flat(60))
    assert not CHECK.wants_fine(facts_of(instance()), DEFAULTS)


def test_what_the_hours_rule_out_is_named_as_the_reason() -> None:
    hourly = Utilization("i", metrics={"cpuPercent": flat(70)})
    assert reason(facts_of(instance(), hourly)) == "no smaller type has room for its peaks"


def test_the_preset_of_the_policy_decides_how_much_must_fit() -> None:
    work = busy(flat(36, period=FIVE_MINUTES), **LOW_MEMORY)
    default = judge(facts_of(instance(), work))
    careful = facts_of(instance(), work, sizing=SizingPolicy(preset="MaxPerformance", allow_families=frozenset({"m5"})))
    assert isinstance(default, Finding)
    assert default.parameters == {"instanceType": "m5.xlarge"}
    assert reason(careful) == "no smaller type has room for its peaks"
