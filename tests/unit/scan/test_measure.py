"""Measuring: rings filled once and continued daily, candidates in 5 minutes, silence proven, failures never zero."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.scan.measuring import NOW, CloudWatch, instance, measure, volume

from finops.domain.utilization import Utilization
from finops.errors import AwsDenied, AwsError, AwsThrottled
from finops.store.connection import Store
from finops_operator.scan.metrics.measure import REQUESTS_AHEAD
from finops_operator.services.ec2.instance import KIND as INSTANCE


def test_the_first_fill_is_hourly_and_covers_the_lookback(store: Store) -> None:
    reader = CloudWatch(lambda _metric, statistic, _at: 80.0 if statistic == "Maximum" else 20.0)
    found, _ = measure(store, reader, instance())
    cpu = found["i-1"].metrics["cpuPercent"]
    assert (cpu.maximum, cpu.average, cpu.points, cpu.expected, cpu.period_seconds) == (80.0, 20.0, 336, 336, 3600)
    assert cpu.end == NOW.replace(minute=0)
    assert found["i-1"].asked_from["cpuPercent"] == cpu.start
    assert reader.periods == [3600]
    assert reader.requests[0][2] == 4


def test_the_next_day_asks_for_the_missing_hours_and_two_days_before_them_and_the_window_moves_on(store: Store) -> None:
    measure(store, CloudWatch(lambda *_: 90.0), instance())
    later = CloudWatch(lambda *_: 5.0)
    found, _ = measure(store, later, instance(), now=NOW + timedelta(hours=26))
    start, period, _ = later.requests[0]
    assert (start, period) == (int((NOW.replace(minute=0) - timedelta(days=2)).timestamp()), 3600)
    cpu = found["i-1"].metrics["cpuPercent"]
    assert (cpu.points, cpu.expected, cpu.maximum) == (336, 336, 90.0)
    assert cpu.end == NOW.replace(minute=0) + timedelta(hours=26)
    assert cpu.p90 == 90.0
    assert cpu.average == pytest.approx((262 * 90 + 74 * 5) / 336, rel=1e-6)


def test_an_hour_that_was_published_late_is_in_the_next_days_picture_and_one_that_went_stays(store: Store) -> None:
    newest = NOW.replace(minute=0).timestamp() - 3600
    measure(store, CloudWatch(lambda _metric, _statistic, at: None if at >= newest else 90.0), instance())
    later = CloudWatch(lambda _metric, _statistic, at: None if at < newest else 5.0)
    found, measurer = measure(store, later, instance(), now=NOW + timedelta(days=1))
    cpu = found["i-1"].metrics["cpuPercent"]
    assert (cpu.points, cpu.expected) == (336, 336)
    assert cpu.average == pytest.approx((311 * 90 + 25 * 5) / 336, rel=1e-6)
    assert len(later.requests) == 1
    assert measurer.gaps() == ()


def test_hours_that_were_kept_without_a_statistic_are_asked_for_anew_as_a_whole(store: Store) -> None:
    (cpu,) = (spec for spec in INSTANCE.metrics if spec.name == "cpuPercent")
    before = replace(INSTANCE, metrics=(cpu,))
    after = replace(INSTANCE, metrics=(replace(cpu, statistics=("Average", "Maximum", "Minimum")),))
    measure(store, CloudWatch(), instance(), kind=before)
    for later in (timedelta(0), timedelta(hours=26)):
        reader = CloudWatch(lambda _metric, statistic, _at: 2.0 if statistic == "Minimum" else 20.0)
        found, _ = measure(store, reader, instance(), kind=after, now=NOW + later)
        summary = found["i-1"].metrics["cpuPercent"]
        assert (summary.lowest, summary.average, summary.points) == (2.0, 20.0, 336)


def test_a_machine_that_was_started_yesterday_is_judged_by_what_it_did_since(store: Store) -> None:
    reader = CloudWatch(lambda _m, _s, at: 99.0 if at < (NOW - timedelta(hours=20)).timestamp() else 3.0)
    found, _ = measure(store, reader, instance(created=NOW - timedelta(hours=20)))
    cpu = found["i-1"].metrics["cpuPercent"]
    assert (cpu.maximum, cpu.expected) == (3.0, 19)


def test_a_stopped_machine_is_not_asked_about(store: Store) -> None:
    reader = CloudWatch()
    found, measurer = measure(store, reader, instance(state="stopped"))
    assert reader.requests == []
    assert found["i-1"].metrics == {}
    assert found["i-1"].unknown["cpuPercent"] == "NotApplicable"
    assert measurer.gaps() == ()


@pytest.mark.parametrize("kind", [AwsThrottled, AwsDenied])
def test_a_refused_request_is_unknown_and_a_gap_never_zero(store: Store, kind: type[AwsError]) -> None:
    error = kind("no", operation="cloudwatch:GetMetricData", code="Refused")
    found, measurer = measure(store, CloudWatch(broken=error), instance(1), instance(2))
    for one in found.values():
        assert one.metrics == {}
        assert one.unknown["cpuPercent"] == "Refused"
    gaps = {gap.operation: gap for gap in measurer.gaps()}
    assert gaps["GetMetricData"].resources == 2
    assert gaps["GetMetricData"].code == "Refused"


def test_cloudwatch_that_serves_nothing_is_not_asked_for_hours(store: Store) -> None:
    error = AwsThrottled("no", operation="cloudwatch:GetMetricData", code="Throttling")
    reader = CloudWatch(broken=error)
    found, measurer = measure(store, reader, *[instance(number) for number in range(800)])
    # Two refusals are believed; those that were under way by then had been asked already.
    assert len(reader.requests) <= 2 + REQUESTS_AHEAD - 1
    assert all(one.unknown["networkInBytes"] == "Throttling" for one in found.values())
    assert {gap.code: gap.resources for gap in measurer.gaps()} == {"Throttling": 800}


def test_a_shard_waits_for_a_few_requests_at_a_time_and_never_for_more(store: Store) -> None:
    together = threading.Barrier(REQUESTS_AHEAD, timeout=10)
    waiting, most = [0], [0]
    lock = threading.Lock()

    class Slow(CloudWatch):
        def once(self, operation: str, parameters: Mapping[str, Any], **counts: int) -> Mapping[str, Any]:
            with lock:
                waiting[0] += 1
                most[0] = max(most[0], waiting[0])
            together.wait()
            with lock:
                waiting[0] -= 1
            return super().once(operation, parameters, **counts)

    # Four rounds of the barrier, which only as many as may be out together can pass; 75 instances fill a request.
    requests = 4 * REQUESTS_AHEAD
    reader = Slow(lambda _metric, _statistic, at: float(at % 97))
    found, _ = measure(store, reader, *[instance(number) for number in range(requests * 75)], threads=8)
    assert len(reader.requests) == requests
    assert most[0] == REQUESTS_AHEAD
    assert {one.metrics["cpuPercent"].points for one in found.values()} == {336}


def test_one_broken_metric_leaves_the_others_known(store: Store) -> None:
    reader = CloudWatch(refused=frozenset({"NetworkIn"}))
    found, measurer = measure(store, reader, instance())
    assert set(found["i-1"].metrics) == {"cpuPercent", "networkOutBytes"}
    assert found["i-1"].unknown["networkInBytes"] == "InternalError"
    assert [(gap.code, gap.resources) for gap in measurer.gaps()] == [("InternalError", 1)]


def test_what_failed_is_asked_again_by_the_next_scan(store: Store) -> None:
    measure(store, CloudWatch(refused=frozenset({"NetworkIn"})), instance())
    reader = CloudWatch()
    found, _ = measure(store, reader, instance())
    assert [series for _, _, series in reader.requests] == [1]
    assert "networkInBytes" in found["i-1"].metrics


def test_memory_is_asked_for_under_the_agents_own_dimensions(store: Store) -> None:
    pairs = [{"Name": "ImageId", "Value": "ami-1"}, {"Name": "InstanceId", "Value": "i-1"}]
    reader = CloudWatch(agents=[pairs, [{"Name": "host", "Value": "other"}]])
    found, _ = measure(store, reader, instance(1), instance(2))
    assert found["i-1"].metrics["memoryPercent"].maximum == 10.0
    assert found["i-2"].unknown["memoryPercent"] == "NotPublished"


def test_memory_whose_dimensions_cannot_be_listed_is_unknown_and_a_gap(store: Store) -> None:
    error = AwsDenied("no", operation="cloudwatch:ListMetrics", code="AccessDenied")
    found, measurer = measure(store, CloudWatch(broken=error), instance())
    assert found["i-1"].unknown["memoryPercent"] == "AccessDenied"
    assert "ListMetrics" in {gap.operation for gap in measurer.gaps()}


def test_candidates_get_five_minute_peaks_and_keep_the_hours_mean(store: Store) -> None:
    def value(metric: str, statistic: str, _at: int) -> float:
        return 30.0 if statistic == "Maximum" else 7.0

    reader = CloudWatch(value)
    found, measurer = measure(store, reader, instance(), fine=True)
    cpu = found["i-1"].fine["cpuPercent"]
    assert (cpu.period_seconds, cpu.points, cpu.maximum, cpu.average) == (300, 4032, 30.0, 7.0)
    assert {"ebsReadOps", "ebsWriteBytes", "networkInBytes"} <= set(found["i-1"].fine)
    assert reader.periods == [3600, 300]
    assert (measurer.failures.asked.hourly_series, measurer.failures.asked.fine_series) == (4, 9)


def test_a_five_minute_picture_holds_for_a_day(store: Store) -> None:
    first, _ = measure(store, CloudWatch(), instance(), fine=True)
    again = CloudWatch()
    second, _ = measure(store, again, instance(), fine=True, now=NOW + timedelta(hours=12))
    assert again.requests == []
    assert second["i-1"].fine == first["i-1"].fine
    later = CloudWatch()
    measure(store, later, instance(), fine=True, now=NOW + timedelta(hours=25))
    assert 300 in later.periods


def test_the_five_minute_picture_gives_the_lowest_level_of_the_hours(store: Store) -> None:
    reader = CloudWatch(lambda _metric, statistic, _at: 30.0 if statistic == "Maximum" else 7.0)
    found, _ = measure(store, reader, instance(), fine=True)
    assert (found["i-1"].fine["cpuPercent"].lowest, found["i-1"].metrics["cpuPercent"].lowest) == (7.0, 7.0)


def test_a_machine_that_was_restarted_gets_a_new_five_minute_picture(store: Store) -> None:
    measure(store, CloudWatch(), instance(), fine=True)
    reader = CloudWatch()
    found, _ = measure(store, reader, instance(created=NOW - timedelta(days=2)), fine=True)
    assert reader.periods == [300]
    assert found["i-1"].fine["cpuPercent"].expected < 2 * 288


def test_five_minute_points_that_cannot_be_had_leave_the_hours_in_place(store: Store) -> None:
    measure(store, CloudWatch(), instance())
    error = AwsThrottled("no", operation="cloudwatch:GetMetricData", code="Throttling")
    found, measurer = measure(store, CloudWatch(broken=error), instance(), fine=True)
    assert "cpuPercent" in found["i-1"].metrics
    assert found["i-1"].fine == {}
    assert found["i-1"].unknown["ebsReadOps"] == "Throttling"
    assert [gap.code for gap in measurer.gaps()] == ["Throttling"]


def test_the_idleness_of_a_detached_volume_is_proven_day_by_day(store: Store) -> None:
    reader = CloudWatch(lambda *_: None)
    found, _ = measure(store, reader, volume("available"))
    assert found["vol-1"].unknown["volumeReadOps"] == "NotPublished"
    assert found["vol-1"].asked_from["volumeReadOps"] <= NOW - timedelta(days=32)
    assert reader.periods == [86_400]
    again = CloudWatch(lambda *_: None)
    assert measure(store, again, volume("available"), now=NOW + timedelta(hours=3))[0] == found
    assert again.requests == []
    tomorrow = CloudWatch(lambda *_: None)
    measure(store, tomorrow, volume("available"), now=NOW + timedelta(hours=13))
    assert tomorrow.periods == [86_400]


def test_a_volume_that_worked_within_the_window_is_not_idle(store: Store) -> None:
    worked = (NOW - timedelta(days=20)).timestamp()
    reader = CloudWatch(lambda _m, _s, at: 7.0 if abs(at - worked) < 86_400 else None)
    found, _ = measure(store, reader, volume("available"))
    assert found["vol-1"].metrics["volumeReadOps"].total == 14.0
    assert "volumeReadOps" not in found["vol-1"].unknown


def test_a_volume_detached_today_is_asked_about_though_its_hours_are_known(store: Store) -> None:
    measure(store, CloudWatch(), volume("in-use"))
    reader = CloudWatch(lambda *_: None)
    found, _ = measure(store, reader, volume("available"))
    assert reader.periods == [86_400]
    assert found["vol-1"].unknown["volumeReadOps"] == "NotPublished"


def test_idleness_that_could_not_be_read_proves_nothing(store: Store) -> None:
    error = AwsThrottled("no", operation="cloudwatch:GetMetricData", code="Throttling")
    found, measurer = measure(store, CloudWatch(broken=error), volume("available"))
    assert found["vol-1"].unknown["volumeReadOps"] == "Throttling"
    assert found["vol-1"].asked_from == {}
    assert measurer.gaps()


def test_five_minute_idleness_of_single_metrics_holds_for_a_day_too(store: Store) -> None:
    def value(metric: str, _statistic: str, _at: int) -> float | None:
        return None if metric.startswith("EBS") else 10.0

    first, _ = measure(store, CloudWatch(value), instance(), fine=True)
    assert first["i-1"].unknown["ebsReadOps"] == "NotPublished"
    again = CloudWatch(value)
    second, _ = measure(store, again, instance(), fine=True, now=NOW + timedelta(hours=3))
    assert again.requests == []
    assert second == first


def test_a_five_minute_picture_with_a_failure_in_it_is_completed_by_the_next_scan(store: Store) -> None:
    measure(store, CloudWatch(), instance())
    broken = CloudWatch(refused=frozenset({"EBSReadOps"}))
    first, _ = measure(store, broken, instance(), fine=True)
    assert first["i-1"].unknown["ebsReadOps"] == "InternalError"
    whole = CloudWatch()
    second, _ = measure(store, whole, instance(), fine=True)
    assert whole.periods == [300]
    assert "ebsReadOps" in second["i-1"].fine


def of_volumes(store: Store, reader: CloudWatch, instance_type: str, *ids: str) -> Utilization:
    one = instance(attributes={"instance_type": instance_type, "volume_ids": list(ids)})
    return measure(store, reader, one, fine=True)[0]["i-1"]


def test_of_an_instance_on_xen_each_volume_is_asked_for_what_it_carried(store: Store) -> None:
    reader = CloudWatch(lambda metric, _statistic, _at: 7.0 if metric.startswith("Volume") else 10.0)
    found = of_volumes(store, reader, "m4.large", "vol-1", "vol-2")
    assert {one["VolumeId"] for one in reader.dimensions if "VolumeId" in one} == {"vol-1", "vol-2"}
    names = ("volumeReadOps", "volumeWriteOps", "volumeReadBytes", "volumeWriteBytes")
    assert [found.fine[name].maximum for name in names] == [14.0] * 4
    assert found.unknown["ebsReadOps"] == "NotApplicable"


def test_an_instance_on_nitro_measures_its_volumes_itself(store: Store) -> None:
    reader = CloudWatch()
    found = of_volumes(store, reader, "m5.large", "vol-1")
    assert not any("VolumeId" in one for one in reader.dimensions)
    assert found.unknown["volumeReadOps"] == "NotApplicable"
    assert "ebsReadOps" in found.fine


def test_operations_of_a_volume_on_xen_that_are_missing_are_unknown_and_bytes_are_none(store: Store) -> None:
    """Of bytes AWS publishes a point only where something was read or written."""

    def value(metric: str, _statistic: str, at: int) -> float | None:
        return None if metric.startswith("Volume") and at % 600 else 7.0

    found = of_volumes(store, CloudWatch(value), "m4.large", "vol-1")
    assert found.fine["volumeReadOps"].coverage_percent == pytest.approx(50, abs=0.1)
    assert found.fine["volumeReadBytes"].coverage_percent == 100
    assert (found.fine["volumeReadBytes"].lowest, found.fine["volumeReadBytes"].maximum) == (0.0, 7.0)
