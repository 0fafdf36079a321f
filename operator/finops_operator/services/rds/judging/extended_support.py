"""Databases and clusters whose version AWS supports for money, or soon will. Pure; shared by the two checks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from finops.domain.recommendation import EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Facts, Parameters, ParameterSpec
from finops_operator.services.rds.rules.lifecycles import ENROLLED, end_of_standard_support, major_version

NOTICE: Final = ParameterSpec(
    name="noticeDays",
    unit="days",
    default=Decimal(60),
    minimum=Decimal(0),
    maximum=Decimal(365),
    description="Advice begins this many days before the standard support of the version ends.",
)
PAGE: Final = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/extended-support.html"


@dataclass(frozen=True, slots=True)
class Version:
    """What runs, and what RDS does when its support ends; None: AWS did not say."""

    engine: str | None
    number: str | None
    lifecycle: str | None


def judge(check: str, facts: Facts[Any], version: Version, parameters: Parameters) -> Finding | NotRecommended:
    """Return the verdict of `check`; the price of extended support is in no table, so that its saving is unknown."""
    major = major_version(version.engine or "", version.number or "")
    end = end_of_standard_support(facts.answers)
    notice = parameters[NOTICE.name]
    remaining = None if end is None else (end - facts.now.date()).days
    reason = _not_judged(version, major, end)
    if not reason and remaining is not None and remaining >= notice:
        reason = f"its version has standard support until {end}, in {remaining} days"
    if reason or end is None or remaining is None:
        return NotRecommended(check, facts.resource.id, reason)
    return Finding(
        check=check,
        action="",
        parameters={},
        new_monthly_cost=None,
        evidence={
            "majorVersion": major,
            "standardSupportEnds": end.isoformat(),
            "daysUntilEnd": remaining,
            "thresholdNoticeDays": str(notice),
        },
        summary=_summary(version.engine or "", major, end, remaining),
        facts=tuple(_facts(version, end)),
    )


def _not_judged(version: Version, major: str, end: date | None) -> str:
    if version.lifecycle is None:
        return "whether it is enrolled in extended support is not known"
    if version.lifecycle != ENROLLED:
        return "it is not enrolled in extended support, so that RDS upgrades it instead of billing more"
    if not major:
        return f"AWS gives no lifecycle for engine {version.engine or 'that it did not name'}"
    return "when the standard support of its version ends is not known" if end is None else ""


def _summary(engine: str, major: str, end: date, remaining: int) -> str:
    if remaining < 0:
        return (
            f"{engine} {major} is past its standard support, which ended on {end}: AWS bills every vCPU for each hour."
        )
    return f"Standard support of {engine} {major} ends on {end}; from then on AWS bills every vCPU for each hour."


def _facts(version: Version, end: date) -> Iterator[EvidenceFact]:
    yield EvidenceFact("Version", f"{version.engine} {version.number}")
    yield EvidenceFact("Standard support ends", f"{end}")
    yield EvidenceFact("Extended support", "enrolled; its price rises after two years and is not in the cost")
    yield EvidenceFact("Before the upgrade", "test it on a copy; RDS can make one as a blue/green deployment")
