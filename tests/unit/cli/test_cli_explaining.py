"""`finops explain` says from what to what, and its levels and figures, in words."""

from __future__ import annotations

from typing import Any

from tests.support.scan_samples import recommendation

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, PerformanceRisk
from finops.store.recommendations import recommendation_to_json
from finops_operator.cli.explaining import evidence_lines, head_of

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
