"""msk_cluster_graviton: as much memory for less, and what has no such type or price."""

from __future__ import annotations

import pytest
from tests.unit.services.msk.brokers import KAFKA, kafka

from finops.domain.canonical import Json
from finops_operator.services.msk.checks.msk_cluster_graviton import CHECK


def test_an_m5_broker_is_found_with_the_graviton_type_of_its_size() -> None:
    one = KAFKA.found(CHECK, kafka())
    assert (one.action, one.target, one.new_monthly_cost) == ("", "kafka.m7g.large", None)
    assert (one.evidence["hourlyPrice"], one.evidence["targetHourlyPrice"]) == ("0.21", "0.204")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"broker_type": "kafka.m7g.large"}, "no Graviton type takes the place of kafka.m7g.large"),
        ({"broker_type": "kafka.t3.small"}, "no Graviton type takes the place of kafka.t3.small"),
        ({"broker_type": ""}, "it has no brokers of a known type"),
        ({"broker_type": "kafka.m5.24xlarge"}, "no price in us-east-1 for what could take the place"),
    ],
)
def test_what_has_no_such_type_is_left_alone(changes: dict[str, Json], why: str) -> None:
    assert KAFKA.reason(CHECK, kafka(**changes)).startswith(why)


def test_without_a_price_nothing_is_proposed_and_one_at_work_is_not_judged() -> None:
    assert KAFKA.reason(CHECK, kafka("active", "nowhere-1")) == "no price for kafka.m5.large in nowhere-1"
    assert KAFKA.reason(CHECK, kafka("healing")) == "it is healing, not active"
