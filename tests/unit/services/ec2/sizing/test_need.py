"""What a workload needs: percentiles, headroom, unknowns, the busiest day, demand that credits hide."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.facts import FIVE_MINUTES, MEGABYTE, busy, flat, summarize

from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.plugins.sizing_policy import PRESETS, SizingPolicy
from finops_operator.pricing.instance_types import InstanceType, bundled_catalog
from finops_operator.services.ec2.sizing.need import hidden_demand, need_of, worst_day_percent
from finops_operator.services.ec2.sizing.volume_load import VolumeLoad, volume_load


def kind(name: str) -> InstanceType:
    found = bundled_catalog().get(name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("preset", "vcpus", "memory"),
    [("MaxSavings", 2.0, 9102), ("Balanced", 4.571, 11703), ("Default", 6.0, 10240), ("MaxPerformance", 6.857, 11703)],
)
def test_presets_take_their_percentile_and_leave_their_headroom(preset: str, vcpus: float, memory: float) -> None:
    cpu = summarize([25.0] * 900 + [40.0] * 70 + [60.0] * 30, period=FIVE_MINUTES)
    used = busy(cpu, memoryPercent=flat(25, period=FIVE_MINUTES))
    need = need_of(used, cpu, kind("m5.2xlarge"), PRESETS[preset])
    assert need.vcpus == pytest.approx(vcpus, abs=0.001)
    assert need.memory_mib == pytest.approx(memory, abs=1)


def test_network_counts_the_larger_direction_and_volumes_both() -> None:
    used = busy(
        flat(10, period=FIVE_MINUTES),
        networkInBytes=flat(300 * 125 * MEGABYTE, period=FIVE_MINUTES),
        networkOutBytes=flat(300 * MEGABYTE, period=FIVE_MINUTES),
        ebsReadOps=flat(30000, period=FIVE_MINUTES),
        ebsWriteOps=flat(60000, period=FIVE_MINUTES),
        ebsReadBytes=flat(300 * MEGABYTE, period=FIVE_MINUTES),
        ebsWriteBytes=flat(600 * MEGABYTE, period=FIVE_MINUTES),
    )
    need = need_of(used, used.fine["cpuPercent"], kind("m5.2xlarge"), PRESETS["Default"])
    assert need.network_gbps == pytest.approx(1.0)
    assert need.ebs_iops == pytest.approx(300)
    assert need.ebs_mbytes_per_second == pytest.approx(3)


def test_packets_count_in_the_busier_direction_and_are_unknown_when_one_is() -> None:
    cpu, sent = flat(10, period=FIVE_MINUTES), flat(600, period=FIVE_MINUTES)
    used = busy(cpu, networkPacketsIn=flat(300_000, period=FIVE_MINUTES), networkPacketsOut=sent)
    assert need_of(used, cpu, kind("m5.2xlarge"), PRESETS["Default"]).packets_per_second == pytest.approx(1000)
    one = busy(cpu, networkPacketsOut=sent)
    assert need_of(one, cpu, kind("m5.2xlarge"), PRESETS["Default"]).packets_per_second is None


def test_without_bytes_the_operations_bound_the_bandwidth() -> None:
    used = busy(flat(10, period=FIVE_MINUTES))
    fine = {name: value for name, value in used.fine.items() if not name.endswith("Bytes")}
    need = need_of(Utilization("i", fine=fine), fine["cpuPercent"], kind("m5.2xlarge"), PRESETS["Default"])
    assert need.ebs_iops == pytest.approx(2)
    assert need.ebs_mbytes_per_second == pytest.approx(2.097152)
    assert need.network_gbps is None


def test_what_was_not_measured_in_detail_is_unknown_not_zero() -> None:
    cpu = flat(10, period=FIVE_MINUTES)
    hourly = Utilization("i", metrics={"networkInBytes": flat(1), "networkOutBytes": flat(1)}, fine={"cpuPercent": cpu})
    need = need_of(hourly, cpu, kind("m5.2xlarge"), PRESETS["Default"])
    assert (need.memory_mib, need.network_gbps, need.ebs_iops, need.ebs_mbytes_per_second) == (None,) * 4
    assert need.scaled(2).memory_mib is None
    assert need.scaled(2).vcpus == pytest.approx(need.vcpus * 2)


def test_the_busiest_day_is_not_smoothed_away_by_the_other_thirteen() -> None:
    cpu = summarize([5.0] * (13 * 288) + [80.0] * 288, period=FIVE_MINUTES)
    assert cpu.average < 11
    assert worst_day_percent(cpu) >= 80


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(1, 500)), min_size=1, max_size=12))
def test_the_bound_of_the_busiest_day_holds_for_every_day(runs: list[tuple[float, int]]) -> None:
    points = [level for level, length in runs for _ in range(length)]
    bound = worst_day_percent(summarize(points, period=FIVE_MINUTES))
    size = min(288, len(points))
    days = [points[start : start + size] for start in range(0, len(points) - size + 1, 24)]
    # Nearest rank lets at most one point per tier lie above its level.
    assert all(sum(day) / size <= bound + 100 * 5 / size for day in days)


def test_a_short_series_is_averaged_over_the_hours_it_has() -> None:
    assert worst_day_percent(flat(30, days=0.5, period=FIVE_MINUTES)) == pytest.approx(30)


def test_a_peak_at_the_baseline_may_be_a_throttled_instance() -> None:
    held = flat(30, period=FIVE_MINUTES)
    free = flat(20, period=FIVE_MINUTES)
    t3, default = kind("t3.large"), PRESETS["Default"]
    assert "credits" in hidden_demand(busy(held), held, t3, default)
    assert hidden_demand(busy(free), free, t3, default) == ""
    assert hidden_demand(busy(held), held, kind("m5.large"), default) == ""


@pytest.mark.parametrize("preset", ["MaxSavings", "Balanced"])
def test_the_peak_that_is_sized_by_is_the_one_that_may_be_throttled(preset: str) -> None:
    bursts = summarize([30.0] * 990 + [100.0] * 10, period=FIVE_MINUTES)
    t3 = kind("t3.large")
    assert hidden_demand(busy(bursts), bursts, t3, PRESETS[preset]) != ""
    assert hidden_demand(busy(bursts), bursts, t3, PRESETS["Default"]) == ""


def test_credits_that_were_never_short_prove_that_nothing_was_held_back() -> None:
    held = flat(30, period=FIVE_MINUTES)
    t3, default = kind("t3.large"), PRESETS["Default"]
    assert hidden_demand(busy(held, cpuCreditBalance=flat(36)), held, t3, default) == ""
    assert hidden_demand(busy(held, cpuCreditBalance=flat(35)), held, t3, default) != ""


def test_credits_that_ran_out_once_prove_nothing_whatever_their_mean() -> None:
    held = flat(30, period=FIVE_MINUTES)
    spent = summarize([576.0] * 24 + [0.0] * 312)
    assert spent.average > 36
    assert hidden_demand(busy(held, cpuCreditBalance=spent), held, kind("t3.large"), PRESETS["Default"]) != ""


def test_a_denied_family_stays_denied_even_when_allowed() -> None:
    policy = SizingPolicy(allow_families=frozenset({"m5", "t3"}), deny_families=frozenset({"t3"}))
    assert [policy.allows(family) for family in ("m5", "t3", "c5")] == [True, False, False]
    assert SizingPolicy().allows("c5")


def on_xen(**changes: MetricSummary) -> Utilization:
    """Return a 5-minute picture of an instance on Xen: nothing of its volumes but what these measured themselves."""
    own = busy(flat(10, period=FIVE_MINUTES))
    fine = {name: one for name, one in own.fine.items() if not name.startswith("ebs")}
    volumes = {
        "volumeReadOps": flat(30_000, period=FIVE_MINUTES),
        "volumeWriteOps": flat(60_000, period=FIVE_MINUTES),
        "volumeReadBytes": flat(300 * MEGABYTE, period=FIVE_MINUTES),
        "volumeWriteBytes": flat(600 * MEGABYTE, period=FIVE_MINUTES),
    }
    return Utilization("i", fine={**fine, **volumes, **changes})


def test_what_the_volumes_of_an_instance_on_xen_measured_is_its_need_towards_them() -> None:
    used = on_xen()
    need = need_of(used, used.fine["cpuPercent"], kind("m4.2xlarge"), PRESETS["Default"])
    assert need.ebs_iops == pytest.approx(300)
    assert need.ebs_mbytes_per_second == pytest.approx(3)
    load = volume_load(used)
    assert load.iops == pytest.approx(300)
    assert load.mbytes_per_second == pytest.approx(3)


def test_bytes_of_volumes_whose_operations_are_unknown_prove_nothing() -> None:
    """Bytes are published only where something was read or written, so that their absence alone says nothing."""
    seen = on_xen()
    used = replace(seen, fine={name: one for name, one in seen.fine.items() if name != "volumeWriteOps"})
    need = need_of(used, used.fine["cpuPercent"], kind("m4.2xlarge"), PRESETS["Default"])
    assert (need.ebs_iops, need.ebs_mbytes_per_second) == (None, None)
    assert volume_load(used) == VolumeLoad(None, None, None, None)
