"""ec2_instance_idle: true, near misses, absent data, and one point that breaks it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.support.facts import MEGABYTE, cost, facts_of, flat, instance, summarize

from finops.domain.recommendation import Finding, NotRecommended
from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.services.ec2.checks.ec2_instance_idle import CHECK

HOURS = 14 * 24
DEFAULTS = {spec.name: spec.default for spec in CHECK.parameters}


def used(**changes: MetricSummary) -> Utilization:
    quiet = {"cpuPercent": flat(2), "networkInBytes": flat(0.05 * MEGABYTE), "networkOutBytes": flat(0.05 * MEGABYTE)}
    return Utilization("i-0123456789abcdef0", metrics={**quiet, **changes})


def judge(utilization: Utilization | None = None, **attributes: Any) -> Finding | NotRecommended:
    return CHECK.evaluate(facts_of(instance(**attributes), utilization or used()), DEFAULTS)


def reason(verdict: Finding | NotRecommended) -> str:
    assert isinstance(verdict, NotRecommended)
    return verdict.reason


def test_an_instance_without_work_is_to_be_stopped_and_keeps_what_its_address_costs() -> None:
    found = judge(public_ipv4=["203.0.113.1"], elastic=[True])
    assert isinstance(found, Finding)
    assert (found.action, found.parameters) == ("ec2_instance_stop", {})
    assert found.new_monthly_cost == Decimal("3.65")
    assert found.evidence["maximumCpuPercent"] == "2"
    assert found.evidence["busiestDayNetworkMegabytes"] == "2.4"
    assert found.evidence["coveragePercent"] == "100"


def test_what_is_still_billed_after_the_stop_is_named_and_the_figures_are_the_instances_own() -> None:
    kept = facts_of(instance(volume_ids=["vol-1", "vol-2"], public_ipv4=["203.0.113.1"], elastic=[True]), used())
    found = CHECK.evaluate(kept, DEFAULTS)
    assert isinstance(found, Finding)
    assert (found.evidence["volumesStillBilled"], found.evidence["elasticAddressesStillBilled"]) == (2, 1)
    assert found.summary.endswith(
        "Its 2 volumes are still billed (not included). Its Elastic IP address is still billed: the cost that remains."
    )
    before, hours_alone = cost(kept.resource).monthly, cost(instance(volume_ids=[])).monthly
    assert before is not None
    assert found.new_monthly_cost is not None
    assert before - found.new_monthly_cost == hours_alone


def test_a_lent_address_goes_with_the_stop_and_what_aws_did_not_give_is_unknown() -> None:
    lent = judge(public_ipv4=["203.0.113.1"], elastic=[False])
    untold = judge(volume_ids=None)
    assert isinstance(lent, Finding)
    assert isinstance(untold, Finding)
    assert lent.new_monthly_cost == Decimal(0)
    assert lent.evidence["elasticAddressesStillBilled"] == 0
    assert "elastic" not in lent.summary
    assert untold.evidence["volumesStillBilled"] is None


def test_an_idle_instance_without_a_price_is_still_found_and_what_remains_is_known() -> None:
    found = judge(instance_type="m5.2xlarge", usage_operation="RunInstances:0800")
    assert isinstance(found, Finding)
    assert found.new_monthly_cost == Decimal(0)


def test_cpu_at_the_threshold_is_not_idle() -> None:
    assert reason(judge(used(cpuPercent=flat(5)))) == "CPU reached 5 %, the limit is 5 %"
    assert isinstance(judge(used(cpuPercent=flat(4.99))), Finding)


def test_a_single_point_of_cpu_breaks_it() -> None:
    spike = summarize([2.0] * (HOURS - 1) + [60.0])
    assert reason(judge(used(cpuPercent=spike))) == "CPU reached 60 %, the limit is 5 %"


def test_a_single_hour_of_network_breaks_it_even_where_the_mean_is_small() -> None:
    spike = summarize([0.0] * (HOURS - 1) + [6.0 * MEGABYTE])
    assert reason(judge(used(networkOutBytes=spike))) == "network carried 7.2 MB on its busiest day, the limit is 5 MB"


def test_a_single_day_of_work_breaks_it_even_where_no_hour_stands_out() -> None:
    worked = summarize([0.0] * (HOURS - 48) + [2.4 * MEGABYTE] * 24 + [0.0] * 24)
    assert reason(judge(used(networkInBytes=worked))).startswith("network carried 58.8 MB on its busiest day")


def test_a_summary_without_its_busiest_day_is_judged_by_its_total() -> None:
    old = replace(flat(0.05 * MEGABYTE), busiest_day=None)
    assert reason(judge(used(networkInBytes=old))).startswith("network carried 18 MB")


def test_both_directions_of_the_network_count_together() -> None:
    half = flat(2.6 * MEGABYTE / 24)
    assert reason(judge(used(networkInBytes=half, networkOutBytes=half))).startswith("network carried 5.2 MB")
    assert isinstance(judge(used(networkInBytes=half)), Finding)


def test_unknown_metrics_are_never_idle() -> None:
    unknown = Utilization("i", unknown={"cpuPercent": "Throttled"})
    assert reason(judge(unknown)) == "CPU is unknown (Throttled)"
    only_cpu = Utilization("i", metrics={"cpuPercent": flat(1)}, unknown={"networkInBytes": "NotPublished"})
    assert reason(judge(only_cpu)) == "network in bytes is unknown (NotPublished)"


def test_thirty_hours_of_data_are_enough_and_less_are_not() -> None:
    young = {name: flat(1, days=1.25) for name in ("cpuPercent", "networkInBytes", "networkOutBytes")}
    younger = {**young, "cpuPercent": flat(1, days=1.2)}
    assert isinstance(judge(used(**young)), Finding)
    assert reason(judge(used(**younger))) == "only 28 hours of CPU, 30 are needed"


def test_holes_in_the_data_are_not_taken_for_idleness() -> None:
    holes = summarize([1.0] * 310, expected=HOURS)
    assert reason(judge(used(cpuPercent=holes))) == "CPU covers 92.2 % of its window, 95 % are needed"


@pytest.mark.parametrize(
    ("attributes", "why"),
    [
        ({"root_device_type": "instance-store"}, "its root device is not known"),
        ({"lifecycle": "spot"}, "it is not an on-demand instance"),
        ({"instance_type": "m99.large"}, "nothing is known about its type"),
        ({"instance_type": "g4dn.xlarge"}, "a stop would erase the local disks of its g4dn.xlarge"),
        ({"instance_type": "g5g.16xlarge"}, "GPU is unknown (not measured)"),
        ({"instance_type": "inf2.xlarge"}, "it has accelerators whose use is not measured"),
        ({"instance_type": "i3.large"}, "a stop would erase the local disks of its i3.large"),
    ],
)
def test_instances_that_cannot_be_judged_or_stopped_say_why(attributes: dict[str, Any], why: str) -> None:
    assert reason(judge(**attributes)).startswith(why)


def test_an_instance_with_a_gpu_is_idle_when_its_agent_says_so_and_unknown_without() -> None:
    assert reason(judge(instance_type="g5g.xlarge")) == "GPU is unknown (not measured)"
    found = judge(used(gpuPercent=flat(0.5)), instance_type="g5g.xlarge")
    assert isinstance(found, Finding)
    assert found.evidence["maximumGpuPercent"] == "0.5"
    working = judge(used(gpuPercent=flat(5)), instance_type="g5g.xlarge")
    assert reason(working) == "its GPU reached 5 %, the limit is 5 %"
    # What an agent says of a GPU that the type does not have decides nothing.
    assert isinstance(judge(used(gpuPercent=flat(90))), Finding)


def test_a_stopped_instance_is_not_idle_again() -> None:
    assert reason(CHECK.evaluate(facts_of(instance("stopped"), used()), DEFAULTS)) == "it is stopped, not running"


def test_the_thresholds_are_parameters() -> None:
    strict = {**DEFAULTS, "maximumCpuPercent": Decimal(1)}
    assert reason(CHECK.evaluate(facts_of(instance(), used()), strict)) == "CPU reached 2 %, the limit is 1 %"


def test_an_instance_of_whose_last_hours_nothing_is_known_is_not_judged_however_much_is_known_before() -> None:
    """Invariant I9, missing data is never idle: 16 hours are less than a twentieth of the window."""
    unseen = replace(flat(2), points=HOURS - 16, missing_at_end=16)
    assert unseen.coverage_percent > 95
    why = "nothing is known of CPU in the last 16 hours of its window"
    assert reason(judge(used(cpuPercent=unseen))) == why
    assert isinstance(judge(used(cpuPercent=replace(flat(2), points=HOURS - 3, missing_at_end=3))), Finding)


def test_a_day_that_is_missing_of_a_long_window_may_be_the_one_on_which_it_worked() -> None:
    month = {name: flat(2.0, days=29) for name in ("cpuPercent", "networkInBytes", "networkOutBytes")}
    lost = {name: replace(one, expected=one.points + 24) for name, one in month.items()}
    found = judge(Utilization("i-0123456789abcdef0", metrics=lost))
    assert reason(found) == "nothing is known of CPU in 24 of its hours"
    nearly = {name: replace(one, expected=one.points + 23) for name, one in month.items()}
    assert isinstance(judge(Utilization("i-0123456789abcdef0", metrics=nearly)), Finding)
