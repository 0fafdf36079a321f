"""A type that came after the tables is judged by what AWS says of it, and has no price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tests.support.facts import FIVE_MINUTES, MEGABYTE, busy, facts_of, flat, instance
from tests.support.judging import Pages

from finops.domain.recommendation import Finding, NotRecommended
from finops.domain.utilization import Utilization
from finops_operator.pricing.instance_types import bundled_catalog
from finops_operator.services.ec2.checks.ec2_instance_idle import CHECK as IDLE
from finops_operator.services.ec2.checks.ec2_instance_overprovisioned import CHECK as OVER
from finops_operator.services.ec2.rules.new_types import DESCRIBE_TYPES, NEW_TYPES, QUESTION, catalog_of, own_type

NEW = "m99g.2xlarge"


def described(name: str = NEW, **changes: Any) -> dict[str, Any]:
    made = {
        "InstanceType": name,
        "CurrentGeneration": True,
        "BareMetal": False,
        "Hypervisor": "nitro",
        "BurstablePerformanceSupported": False,
        "HibernationSupported": True,
        "ProcessorInfo": {"SupportedArchitectures": ["arm64"], "SustainedClockSpeedInGhz": 2.8},
        "VCpuInfo": {"DefaultVCpus": 8, "DefaultThreadsPerCore": 1},
        "MemoryInfo": {"SizeInMiB": 32768},
        "NetworkInfo": {"EnaSupport": "required", "NetworkCards": [{"BaselineBandwidthInGbps": 3.75}]},
        "EbsInfo": {
            "NvmeSupport": "required",
            "EbsOptimizedInfo": {"BaselineThroughputInMBps": 312.5, "BaselineIops": 12000},
        },
        "SupportedVirtualizationTypes": ["hvm"],
        "SupportedUsageClasses": ["on-demand", "spot"],
        "SupportedBootModes": ["uefi"],
    }
    return {**made, **changes}


def answer(*types: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    reader = Pages({DESCRIBE_TYPES: [{"InstanceTypes": [one]} for one in types]})
    return {name: frozenset(figures) for name, figures in QUESTION.ask(reader).items()}


def judged_with(figures: frozenset[str] | None, seen: Utilization) -> Any:
    one = instance(instance_type=NEW, architecture="arm64", boot_mode="uefi")
    made = facts_of(one, seen)
    return replace(made, answers={} if figures is None else {NEW_TYPES: figures})


def test_all_pages_are_read_and_only_what_the_tables_lack_is_kept() -> None:
    assert set(answer(described("m5.large"), described(), described("c99.metal"))) == {NEW, "c99.metal"}


def test_a_type_is_asked_about_where_the_tables_lack_it_and_its_instance_runs() -> None:
    assert QUESTION.place(instance()) == ""
    assert QUESTION.place(instance(instance_type=NEW)) == NEW
    assert QUESTION.needed(instance(instance_type=NEW), Utilization("i"))
    assert not QUESTION.needed(instance("stopped", instance_type=NEW), Utilization("i"))


def test_what_aws_says_of_a_type_is_what_the_tables_would_say() -> None:
    kind = own_type(judged_with(answer(described())[NEW], Utilization("i")))
    assert kind is not None
    like = bundled_catalog().get("m7g.2xlarge")
    assert like is not None
    same = ("vcpus", "memory_mib", "threads_per_core", "architectures", "hypervisor", "ena_support", "nvme_support")
    assert [getattr(kind, name) for name in same] == [getattr(like, name) for name in same]
    assert (float(kind.network_baseline_gbps or 0), kind.ebs_baseline_iops) == (3.75, 12000)
    assert (kind.on_demand, kind.gpu_count, kind.instance_storage_gb, kind.nitro) == (True, 0, 0, True)


def test_a_new_burstable_type_stays_unknown_as_aws_does_not_say_its_baseline() -> None:
    assert answer(described("t99.large", BurstablePerformanceSupported=True)) == {}


def test_an_accelerator_of_any_kind_counts_and_its_instance_is_not_called_idle() -> None:
    chips = described(NeuronInfo={"NeuronDevices": [{"Count": 2, "Name": "Trainium 9"}]})
    made = judged_with(answer(chips)[NEW], quiet())
    kind = own_type(made)
    assert kind is not None
    assert (kind.gpu_count, kind.gpu_name) == (2, "Trainium 9")
    verdict = IDLE.evaluate(made, defaults(IDLE))
    assert isinstance(verdict, NotRecommended)
    assert verdict.reason == "it has accelerators whose use is not measured"


def quiet() -> Utilization:
    names = ("networkInBytes", "networkOutBytes")
    return Utilization("i", {"cpuPercent": flat(1), **dict.fromkeys(names, flat(0.01 * MEGABYTE))})


def defaults(check: Any) -> dict[str, Any]:
    return {one.name: one.default for one in check.parameters}


def test_an_idle_instance_of_a_new_type_is_found_and_its_cost_is_unknown() -> None:
    made = judged_with(answer(described())[NEW], quiet())
    assert isinstance(IDLE.evaluate(made, defaults(IDLE)), Finding)
    assert made.cost.monthly is None
    assert f"no price for {NEW}" in made.cost.missing[0]
    unknown = IDLE.evaluate(judged_with(None, quiet()), defaults(IDLE))
    assert isinstance(unknown, NotRecommended)
    assert unknown.reason == "nothing is known about its type"


def test_without_a_price_a_new_type_is_not_shrunk_and_it_is_no_target() -> None:
    made = judged_with(answer(described())[NEW], busy(flat(2, period=FIVE_MINUTES)))
    verdict = OVER.evaluate(made, defaults(OVER))
    assert isinstance(verdict, NotRecommended)
    assert verdict.reason.startswith("no price for what it is now")
    assert bundled_catalog().get(NEW) is None
    assert catalog_of(made) is catalog_of(made)
