"""fsx_file_system_throughput: a peak below a quarter, and what is used more, cannot be less or is not known."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.support.facts import flat, summarize
from tests.unit.services.fsx.shares import SYSTEMS, file_system, measured, without

from finops.domain.canonical import Json
from finops_operator.services.fsx.checks.fsx_file_system_throughput import CHECK

HOURS = 14 * 24


def test_a_file_system_that_uses_little_of_its_throughput_is_found() -> None:
    one = SYSTEMS.found(CHECK, file_system(), measured())
    assert (one.action, one.new_monthly_cost, one.evidence["peakPercent"]) == ("", None, "10")
    assert one.summary == "Its throughput never exceeded 10 %; half of it would do."


def test_a_single_hour_at_the_limit_breaks_it() -> None:
    peak = measured(networkThroughputPercent=summarize([10.0] * (HOURS - 1) + [25.0]))
    assert SYSTEMS.reason(CHECK, file_system(), peak) == "its throughput reached 25 %"
    SYSTEMS.found(CHECK, file_system(), measured(networkThroughputPercent=summarize([10.0] * (HOURS - 1) + [24.9])))
    SYSTEMS.found(CHECK, file_system(), peak, maximumPeakPercent=Decimal(30))


@pytest.mark.parametrize(("name", "least"), [("WINDOWS", 32), ("ONTAP", 128), ("OPENZFS", 160)])
def test_one_whose_half_its_type_does_not_offer_stays(name: str, least: int) -> None:
    SYSTEMS.found(CHECK, file_system(file_system_type=name, throughput_mbps=2 * least), measured())
    smaller = file_system(file_system_type=name, throughput_mbps=2 * least - 1)
    assert SYSTEMS.reason(CHECK, smaller, measured()) == f"half of {2 * least - 1} MB/s is less than its type offers"


@pytest.mark.parametrize("deployment", ["MULTI_AZ_2", "SINGLE_AZ_2", None])
def test_ontap_of_the_second_generation_is_not_judged(deployment: str | None) -> None:
    newer = file_system(file_system_type="ONTAP", throughput_mbps=384, deployment=deployment)
    assert "second generation of ONTAP" in SYSTEMS.reason(CHECK, newer, measured())


@pytest.mark.parametrize(
    "changes", [{"file_system_type": "LUSTRE"}, {"throughput_mbps": None}, {"file_system_type": None}]
)
def test_throughput_that_is_not_known_or_comes_with_the_storage_is_not_judged(changes: dict[str, Json]) -> None:
    why = "its throughput is not ordered by itself, or not known"
    assert SYSTEMS.reason(CHECK, file_system(**changes), measured()) == why


def test_missing_data_is_never_zero() -> None:
    why = "network throughput is unknown (Throttled)"
    assert SYSTEMS.reason(CHECK, file_system(), without("networkThroughputPercent")) == why
    short = measured(networkThroughputPercent=flat(10, days=13))
    assert "only 13 days" in SYSTEMS.reason(CHECK, file_system(), short)
    assert SYSTEMS.reason(CHECK, file_system("updating"), measured()) == "it is updating, not available"
