"""rds_cluster_extended_support: a cluster past the day that AWS gives, near it, and who pays nothing more."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.support.facts import NOW
from tests.support.judging import Bench
from tests.unit.services.rds.clusters import cluster

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops_operator.services.rds.checks.rds_cluster_extended_support import CHECK
from finops_operator.services.rds.cluster import KIND
from finops_operator.services.rds.rules.lifecycles import ENROLLED, SUPPORT_ENDS


def enrolled(**changes: Json) -> Resource:
    return cluster(**{"engine_version": "5.7.mysql_aurora.2.11.3", "engine_lifecycle_support": ENROLLED, **changes})


def ending(days: int) -> Bench:
    day = (NOW + timedelta(days=days)).date().isoformat()
    return Bench(KIND, answers={SUPPORT_ENDS: frozenset({day})})


def test_a_cluster_past_its_standard_support_is_found() -> None:
    one = ending(-200).found(CHECK, enrolled())
    assert (one.new_monthly_cost, one.evidence["majorVersion"]) == (None, "5.7")
    assert one.summary.startswith("aurora-mysql 5.7 is past its standard support")


def test_a_version_with_months_to_go_is_left_alone_and_one_day_later_it_is_not() -> None:
    assert "in 60 days" in ending(60).reason(CHECK, enrolled())
    ending(59).found(CHECK, enrolled())


def test_without_aws_s_answer_nothing_is_said() -> None:
    assert "is not known" in Bench(KIND).reason(CHECK, enrolled())


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"engine_lifecycle_support": None}, "whether it is enrolled in extended support is not known"),
        ({"engine": "neptune"}, "AWS gives no lifecycle for engine neptune"),
    ],
)
def test_a_cluster_that_pays_nothing_more_is_left_alone(changes: dict[str, Json], why: str) -> None:
    assert ending(-1).reason(CHECK, enrolled(**changes)) == why
