"""Memory as agents publish it: under names, namespaces and dimensions of their configuration, some as what is left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.scan.measuring import NOW, CloudWatch, instance, measure

from finops.domain.resource import Resource
from finops.store.connection import Store

LINUX, LEFT, COMMITTED = "mem_used_percent", "Memory Available MBytes", "Memory % Committed Bytes In Use"
OWN = (("InstanceId", "i-1"),)


def dimensions(instance_type: str) -> tuple[tuple[str, str], ...]:
    return (("AutoScalingGroupName", "web"), ("ImageId", "ami-1"), *OWN, ("InstanceType", instance_type))


class Agents(CloudWatch):
    """Lists what agents publish; `series` holds the value of each, by namespace, name and dimensions."""

    def __init__(self, *series: tuple[str, str, tuple[tuple[str, str], ...], float]) -> None:
        super().__init__()
        self.series = {(namespace, name, frozenset(pairs)): value for namespace, name, pairs, value in series}
        self.listings: list[Mapping[str, Any]] = []

    def pages(self, operation: str, parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        self.listings.append(parameters)
        for namespace, name, pairs in self.series:
            if name == parameters["MetricName"] and parameters.get("Namespace") in {None, namespace}:
                named = [{"Name": key, "Value": value} for key, value in sorted(pairs)]
                yield {"Metrics": [{"Namespace": namespace, "MetricName": name, "Dimensions": named}]}

    def _series(self, query: Mapping[str, Any], start: int, end: int) -> dict[str, Any]:
        asked = query["MetricStat"]["Metric"]
        pairs = frozenset((one["Name"], one["Value"]) for one in asked["Dimensions"])
        known = self.series.get((asked["Namespace"], asked["MetricName"], pairs))
        if asked["Namespace"] == "AWS/EC2":
            return super()._series(query, start, end)
        period = query["MetricStat"]["Period"]
        stamps = [] if known is None else [float(at) for at in range(start, end, period)]
        # What is lowest in a period is half of its mean.
        value = None if known is None else known / 2 if query["MetricStat"]["Stat"] == "Minimum" else known
        return {"Id": query["Id"], "StatusCode": "Complete", "Timestamps": stamps, "Values": [value] * len(stamps)}


def highest(store: Store, reader: Agents, resource: Resource | None = None, **given: Any) -> float | str:
    found = measure(store, reader, resource or instance(), **given)[0]["i-1"]
    summary = found.metrics.get("memoryPercent")
    return found.unknown["memoryPercent"] if summary is None else summary.maximum


@pytest.mark.parametrize(
    ("namespace", "name"),
    [("CWAgent", LINUX), ("Shop/Servers", LINUX), ("System/Linux", "MemoryUtilization"), ("CWAgent", COMMITTED)],
)
def test_memory_is_found_under_the_names_and_namespaces_that_agents_use(
    store: Store, namespace: str, name: str
) -> None:
    assert highest(store, Agents((namespace, name, OWN, 40.0))) == 40.0


@pytest.mark.parametrize(("namespace", "name"), [("AWS/ECS", LINUX), ("Shop", "MemoryUtilization")])
def test_a_name_that_another_service_or_somebodys_own_program_uses_is_no_memory_of_the_instance(
    store: Store, namespace: str, name: str
) -> None:
    assert highest(store, Agents((namespace, name, OWN, 40.0))) == "NotPublished"


def test_the_agents_own_namespace_comes_before_another(store: Store) -> None:
    assert highest(store, Agents(("Shop", LINUX, OWN, 90.0), ("CWAgent", LINUX, OWN, 40.0))) == 40.0


def test_what_windows_has_left_is_taken_before_committed_bytes_whose_limit_has_the_page_file_in_it(
    store: Store,
) -> None:
    # An m5.large has 8,192 MiB: a mean of 4,096 are left, and 2,048 at the worst moment.
    both = Agents(("CWAgent", COMMITTED, OWN, 20.0), ("CWAgent", LEFT, (*OWN, ("objectname", "Memory")), 4096.0))
    found = measure(store, both, instance())[0]["i-1"].metrics["memoryPercent"]
    assert (found.maximum, found.average) == (75.0, 50.0)


def test_what_is_left_of_an_unknown_whole_says_nothing(store: Store) -> None:
    unheard = instance(attributes={"instance_type": "m99.large"})
    assert highest(store, Agents(("CWAgent", LEFT, OWN, 4096.0)), unheard) == "WholeUnknown"


def test_only_what_was_active_lately_is_listed(store: Store) -> None:
    reader = Agents()
    highest(store, reader)
    assert {one.get("RecentlyActive") for one in reader.listings} == {"PT3H"}


@pytest.mark.parametrize("first", [True, False])
def test_dimensions_of_the_type_that_it_had_before_never_win(store: Store, *, first: bool) -> None:
    series = [("CWAgent", LINUX, dimensions("m5.xlarge"), 90.0), ("CWAgent", LINUX, dimensions("m5.large"), 40.0)]
    assert highest(store, Agents(*(series if first else reversed(series)))) == 40.0


def test_after_a_change_of_type_memory_is_known_at_the_next_scan(store: Store) -> None:
    before = instance(attributes={"instance_type": "m5.xlarge"})
    assert highest(store, Agents(("CWAgent", LINUX, dimensions("m5.xlarge"), 20.0)), before) == 20.0
    old, new = (("CWAgent", LINUX, dimensions(kind), 40.0) for kind in ("m5.xlarge", "m5.large"))
    after = replace(instance(), created=NOW)
    assert highest(store, Agents(old, new), after, now=NOW + timedelta(hours=30)) == 40.0


def test_an_agent_that_publishes_under_an_old_type_alone_is_searched_for_once_a_scan(store: Store) -> None:
    reader = Agents(("CWAgent", LINUX, dimensions("m5.xlarge"), 20.0))
    assert highest(store, reader) == "NotPublished"
    searched = len(reader.listings)
    assert highest(store, reader) == "NotPublished"
    assert len(reader.listings) == 2 * searched


GPU = "nvidia_smi_utilization_gpu"


def of_gpu(index: int | None, value: float) -> tuple[str, str, tuple[tuple[str, str], ...], float]:
    named = () if index is None else (("index", str(index)),)
    return "CWAgent", GPU, (*OWN, ("arch", "Turing"), *named, ("name", "NVIDIA T4G")), value


def gpu(store: Store, reader: Agents, instance_type: str = "g5g.16xlarge") -> float | str:
    one = instance(attributes={"instance_type": instance_type})
    found = measure(store, reader, one)[0]["i-1"]
    summary = found.metrics.get("gpuPercent")
    return found.unknown["gpuPercent"] if summary is None else summary.maximum


@pytest.mark.parametrize("busiest", [0, 1])
def test_of_several_gpus_the_busiest_counts_whichever_is_listed_first(store: Store, busiest: int) -> None:
    both = [of_gpu(index, 90.0 if index == busiest else 1.0) for index in (0, 1)]
    assert gpu(store, Agents(*both)) == 90.0
    assert gpu(store, Agents(*reversed(both))) == 90.0


def test_of_several_gpus_of_which_one_is_not_published_nothing_is_known(store: Store) -> None:
    assert isinstance(gpu(store, Agents(of_gpu(0, 1.0))), str)
    assert isinstance(gpu(store, Agents(of_gpu(1, 1.0))), str)


def test_a_series_of_no_single_gpu_is_that_of_an_instance_with_one_and_says_nothing_of_several(store: Store) -> None:
    assert gpu(store, Agents(of_gpu(None, 3.0))) == "NotPublished"
    assert gpu(store, Agents(of_gpu(None, 3.0)), "g5g.xlarge") == 3.0
