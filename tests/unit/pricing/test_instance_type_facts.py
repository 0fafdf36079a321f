"""Facts about instance types as the sizing rules read them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from finops_operator.pricing.instance_types import bundled_catalog


def test_a_burstable_type_gives_its_baseline() -> None:
    kind = bundled_catalog().get("t3.large")
    assert kind is not None
    assert (kind.vcpus, kind.memory_mib, kind.baseline_percent) == (2, 8192, Decimal(30))
    assert (kind.family, kind.size, kind.generation, kind.nitro) == ("t3", "large", 3, True)


def test_a_type_without_volume_bandwidth_of_its_own_says_none_not_zero() -> None:
    kind = bundled_catalog().get("t2.large")
    assert kind is not None
    assert kind.ebs_baseline_mbytes_per_second is None
    assert kind.ebs_baseline_iops is None
    assert kind.network_baseline_gbps == Decimal("0.512")


def test_families_with_letters_after_the_generation_and_with_a_dash_are_understood() -> None:
    catalog = bundled_catalog()
    names = {"c7gn.large": 7, "x2iedn.xlarge": 2, "u-6tb1.112xlarge": 0, "m5.metal": 5}
    found = {name: kind.generation for name in names if (kind := catalog.get(name))}
    assert found == names


@pytest.mark.parametrize(
    ("name", "maker"),
    [
        ("m5.large", "Intel"),
        ("m7i-flex.large", "Intel"),
        ("r5a.xlarge", "AMD"),
        ("m5ad.large", "AMD"),
        ("c7gn.large", "AWS"),
        # Names of accelerated families do not say it: p5 and g5 have processors of AMD, g4dn of Intel.
        ("g5.xlarge", ""),
        ("u-6tb1.112xlarge", ""),
    ],
)
def test_the_maker_of_the_processor_is_read_from_the_name_where_it_says_so(name: str, maker: str) -> None:
    kind = bundled_catalog().get(name)
    assert kind is not None
    assert kind.processor_maker == maker


def test_retired_types_without_figures_are_not_in_the_catalog() -> None:
    assert all(kind.architectures and kind.vcpus > 0 and kind.memory_mib > 0 for kind in bundled_catalog())


@pytest.mark.parametrize("name", ["g6f.large", "gr6f.4xlarge"])
def test_a_share_of_a_gpu_that_has_a_name_counts_as_one(name: str) -> None:
    kind = bundled_catalog().get(name)
    assert kind is not None
    assert (kind.gpu_count, kind.gpu_name) == (1, "L4")


def test_an_unknown_type_is_none() -> None:
    assert bundled_catalog().get("m99.large") is None


def test_the_catalog_is_read_once() -> None:
    assert bundled_catalog() is bundled_catalog()
