"""rds_instance_extended_support: past the day that AWS gives, near it, and who pays nothing more."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from tests.support.facts import NOW
from tests.support.judging import Bench
from tests.unit.services.rds.databases import database

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops_operator.services.rds.checks.rds_instance_extended_support import CHECK
from finops_operator.services.rds.instance import KIND
from finops_operator.services.rds.rules.lifecycles import ENROLLED, SUPPORT_ENDS


def enrolled(**changes: Json) -> Resource:
    return database(**{"engine_version": "5.7.44", "engine_lifecycle_support": ENROLLED, **changes})


def ending(days: int) -> Bench:
    day = (NOW + timedelta(days=days)).date().isoformat()
    return Bench(KIND, answers={SUPPORT_ENDS: frozenset({day})})


def test_a_version_past_its_standard_support_is_found_with_the_day_that_aws_gives() -> None:
    one = ending(-1).found(CHECK, enrolled())
    assert (one.action, one.new_monthly_cost) == ("", None)
    assert (one.evidence["majorVersion"], one.evidence["daysUntilEnd"]) == ("5.7", -1)
    assert one.summary.startswith("mysql 5.7 is past its standard support, which ended on 2026-11-23")


def test_the_advice_begins_two_months_before() -> None:
    assert ending(59).found(CHECK, enrolled()).summary.startswith("Standard support of mysql 5.7 ends on")
    assert "in 60 days" in ending(60).reason(CHECK, enrolled())
    ending(60).found(CHECK, enrolled(), noticeDays=Decimal(61))
    assert "in 0 days" in ending(0).reason(CHECK, enrolled(), noticeDays=Decimal(0))


def test_without_aws_s_answer_nothing_is_said() -> None:
    unknown = Bench(KIND).reason(CHECK, enrolled())
    assert unknown == "when the standard support of its version ends is not known"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"engine_lifecycle_support": None}, "whether it is enrolled in extended support is not known"),
        ({"engine_lifecycle_support": "open-source-rds-extended-support-disabled"}, "it is not enrolled"),
        ({"engine": "oracle-ee"}, "AWS gives no lifecycle for engine oracle-ee"),
        ({"db_cluster_id": "c"}, "it is a member of a cluster, which is judged as a whole"),
    ],
)
def test_a_database_that_pays_nothing_more_is_left_alone(changes: dict[str, Json], why: str) -> None:
    assert ending(-1).reason(CHECK, enrolled(**changes)).startswith(why)
