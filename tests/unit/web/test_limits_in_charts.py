"""A chart has the limits that checks compare its metric with, on an axis from 0 to a figure that it names."""

from __future__ import annotations

from array import array
from dataclasses import replace
from decimal import Decimal

import pytest
from tests.support.facts import flat
from tests.support.facts import instance as real_instance
from tests.support.scan_samples import policy

from finops.domain.days import DayPoints
from finops.domain.price import Cost
from finops.domain.utilization import Utilization
from finops.store.connection import Store
from finops.store.utilization import UtilizationStore
from finops.store.what_if import KnownCheck
from finops_operator.plugins.loaded import load_checks, load_kinds
from finops_web.formats import measure, read_every, sentence
from finops_web.readings.limits import Limit, limits_of
from finops_web.readings.metrics import charts_of, scale_of
from finops_web.readings.resources import ResourceRow

CHECKS = tuple(KnownCheck(one.id, one.title, one.kinds, one.parameters) for one in load_checks().values())
IDLE, OFF_HOURS = "Idle EC2 instance", load_checks()["ec2_instance_off_hours"].title


def test_every_declared_metric_is_one_of_the_checks_kinds_and_has_the_parameters_unit() -> None:
    kinds, declared = load_kinds(), 0
    for check in load_checks().values():
        units = {metric.name: metric.unit for kind in check.kinds for metric in kinds[kind].metrics}
        for parameter in check.parameters:
            assert {units.get(name) for name in parameter.metrics} <= {parameter.unit}, (check.id, parameter.name)
            declared += len(parameter.metrics)
    assert declared > 10


def test_limits_are_those_of_the_policies_and_each_figure_stands_once() -> None:
    found = limits_of("ec2-instance", CHECKS, [policy()])
    assert Limit("cpuPercent", Decimal(5), f"{IDLE}, {OFF_HOURS}") in found
    own = policy(checks=[{"id": "ec2_instance_idle", "parameters": {"maximumCpuPercent": 12}}])
    assert [
        (one.value, one.check) for one in limits_of("ec2-instance", CHECKS, [own]) if one.metric == "cpuPercent"
    ] == [
        (Decimal(5), OFF_HOURS),
        (Decimal(12), IDLE),
    ]
    off = policy(checks=[{"id": "ec2_instance_idle", "enabled": False}])
    assert all(IDLE not in one.check for one in limits_of("ec2-instance", CHECKS, [off]))
    assert limits_of("kms-key", CHECKS, [policy()]) == ()


def test_without_a_policy_the_limits_are_said_to_be_the_releases() -> None:
    assert {one.default for one in limits_of("ec2-instance", CHECKS, [])} == {True}


@pytest.mark.parametrize(
    ("name", "top", "limits", "scale"),
    [
        ("cpuPercent", 2.83, (), 100),
        ("cpuPercent", 2.83, (5,), 10),
        ("cpuPercent", 62.0, (5,), 100),
        ("cpuPercent", 240.0, (), 300),
        ("networkInBytes", 873_730.5, (), 1_000_000),
        ("cacheConnections", 0.0, (6,), 7.5),
        ("cacheConnections", 0.0, (), 1),
        ("requests", 10.0, (), 10),
    ],
)
def test_an_axis_ends_at_100_percent_at_10_beside_a_small_limit_or_at_a_round_figure(
    name: str, top: float, limits: tuple[int, ...], scale: float
) -> None:
    assert scale_of(name, top, [Limit(name, Decimal(one), "") for one in limits]) == scale


def test_a_chart_of_days_draws_the_limit_and_has_an_axis_that_begins_at_zero(store: Store) -> None:
    machine = real_instance()
    points = DayPoints(
        20_418 * 86_400, 20_416, (array("f", [1.0, 2.0]), array("f", [2.5, 2.0]), array("f", [1440.0] * 2))
    )
    UtilizationStore(store).days.put(machine.shard, {(machine.id, "cpuPercent"): points})
    row = ResourceRow.of(
        machine, Cost(None, None), Utilization(machine.id, {"cpuPercent": replace(flat(2), total=None)})
    )

    (chart,) = charts_of(store, row, [Limit("cpuPercent", Decimal(5), IDLE)])

    assert (chart.top, chart.scale, chart.by_day) == (2.5, 10, True)
    assert chart.lines == ("0.00,75.00 100.00,80.00",)
    assert [(height, limit.check) for height, limit in chart.limits] == [(50, IDLE)]


@pytest.mark.parametrize(
    ("value", "name", "text"),
    [
        (2.83, "cpuPercent", "2.83 %"),
        (100.0, "cpuPercent", "100 %"),
        (873_730.5, "networkInBytes", "873.73 kB"),
        (2e9, "freeableMemory", "2 GB"),
        (12.5, "durationMilliseconds", "12.5 ms"),
        (5_000_000.0, "brokerSentBytesPerSecond", "5 MB/s"),
        (12_345.6, "requests", "12,346"),
        (0.0, "networkInBytes", "0 bytes"),
    ],
)
def test_a_figure_carries_the_unit_of_its_metric(value: float, name: str, text: str) -> None:
    assert measure(value, name) == text


def test_periods_and_sentences_in_words() -> None:
    assert [read_every(one) for one in (60, 300, 3600, 86400)] == ["minute", "5 minutes", "hour", "day"]
    assert read_every(10) == "10 seconds"
    assert sentence("no ScanPolicy of that name") == "No ScanPolicy of that name."
    assert sentence("Ask again!") == "Ask again!"
    assert sentence("") == ""
