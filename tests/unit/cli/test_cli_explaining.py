"""`finops explain` says from what to what, and its levels and figures, in words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.support.scan_samples import recommendation

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, PerformanceRisk
from finops.store.recommendations import recommendation_to_json
from finops_operator.cli.explaining import evidence_lines, head_of, other_types

RESIZE: dict[str, Any] = {
    "check": "ec2_instance_overprovisioned",
    "action": "ec2_instance_resize",
    "action_type": ActionType.RIGHTSIZE,
    "parameters": {"instanceType": "r5a.xlarge"},
    "target": "r5a.xlarge",
    "effort": Effort.VERY_LOW,
    "performance_risk": PerformanceRisk.VERY_LOW,
    "evidence": {
        "currentType": "m5.2xlarge",
        "currentVcpus": 8,
        "targetVcpus": 4,
        "currentMemoryMib": 32768,
        "targetMemoryMib": 32768,
    },
    "facts": (EvidenceFact("Processor", "Intel → AMD"),),
}


def head(**changes: Any) -> dict[str, str]:
    return dict(head_of(recommendation_to_json(recommendation(**changes))))


def test_a_resize_names_the_type_that_the_resource_has_now() -> None:
    assert head(**RESIZE)["what"] == "resize m5.2xlarge → r5a.xlarge"


def test_advice_of_which_no_type_is_known_names_what_it_leads_to() -> None:
    assert head(**{**RESIZE, "evidence": {}})["what"] == "resize → r5a.xlarge"
    assert head()["what"] == "stop"


def test_a_figure_that_stays_is_said_once() -> None:
    shown = head(**RESIZE)

    assert shown["vcpus"] == "8 → 4"
    assert shown["memory"] == "32 GiB"


def test_what_is_said_of_another_type_stands_in_one_column_and_what_is_not_allowed_is_no_rival() -> None:
    other = {
        "instanceType": "m5a.xlarge",
        "newMonthlyCost": "125.56",
        "monthlySavings": "900",
        "performanceRisk": "VeryLow",
        "migrationEffort": "Low",
        "platformDifferences": ["Processor: Intel → AMD"],
        "notAllowed": "the maker of the processor changes",
    }
    plain = {"instanceType": "db.t3.small", "monthlySavings": "1"}
    record = recommendation_to_json(
        recommendation(**RESIZE, alternatives=(other, plain), attributes={"listMonthlySavings": "2"})
    )
    assert list(other_types(record)) == [
        {
            "instanceType": "m5a.xlarge",
            "newMonthlyCost": "125.56",
            "monthlySavings": "900",
            "risk": "very low",
            "differences": "effort low; Processor: Intel → AMD; not allowed: the maker of the processor changes",
        },
        plain,
    ]
    assert dict(head_of(record))["preferred"] == "It saves most of 2 targets that fit."


def test_levels_are_in_words() -> None:
    shown = head(**RESIZE)

    assert shown["performance risk"] == "very low"
    assert shown["effort"] == "very low"


def test_what_changes_of_the_platform_stands_in_the_evidence() -> None:
    lines = evidence_lines(recommendation_to_json(recommendation(**RESIZE)))

    assert lines == [{"evidence": "Processor", "value": "Intel → AMD"}]


def test_what_is_saved_once_is_not_said_to_be_saved_every_month() -> None:
    once = head(lasts_days=7)["saves"]

    assert once.endswith("USD once, in at most 7 days: then AWS undoes it by itself")
    assert head()["saves"].endswith("USD a month")


def test_list_and_net_stand_side_by_side_with_what_pays() -> None:
    covered = "a Reserved Instance until 2027-03-01 covers it"
    money = {"monthly_savings": Decimal("0.00"), "net_monthly_savings": Decimal("0.00")}
    shown = head(**money, list_monthly_savings=Decimal("70.08"), net_note=covered)
    assert shown["saves"] == "0.00 USD a month"
    assert shown["net of commitments"] == f"70.08 at list price; 0.00 net: {covered}"


def test_a_discount_alone_is_not_said_to_be_what_commitments_keep() -> None:
    attributes = {"listMonthlySavings": "70.00", "discountPercent": "10"}
    alone = head(monthly_savings=Decimal("63.00"), attributes=attributes)["saves"]
    assert alone == "63.00 USD a month (70.00 at list prices, less the policy's discount of 10 %)"
    both = head(monthly_savings=Decimal("31.50"), attributes=attributes)["saves"]
    assert both.endswith("(70.00 at list prices, less what commitments keep and the policy's discount of 10 %)")
