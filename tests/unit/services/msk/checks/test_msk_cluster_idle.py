"""msk_cluster_idle: two weeks without a byte on any broker, and what is no proof of it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.support.facts import day_lost, flat, summarize
from tests.unit.services.msk.brokers import KAFKA, kafka, measured, without

from finops.domain.canonical import Json
from finops_operator.plugins.sufficiency import metric_words
from finops_operator.services.msk.checks.msk_cluster_idle import CHECK

HOURS = 14 * 24
ONCE = summarize([0.0] * (HOURS - 1) + [2.0])


def test_a_cluster_without_a_byte_of_clients_for_two_weeks_is_idle() -> None:
    idle = KAFKA.found(CHECK, kafka(), measured())
    assert (idle.action, idle.new_monthly_cost, idle.evidence["brokers"]) == ("", Decimal(0), 3)


@pytest.mark.parametrize("name", ["brokerSentBytesPerSecond", "brokerReceivedBytesPerSecond"])
def test_a_few_bytes_on_any_broker_break_it(name: str) -> None:
    assert KAFKA.reason(CHECK, kafka(), measured(**{name: ONCE})) == "a broker received or sent up to 2 bytes a second"


def test_a_client_that_is_connected_and_waits_breaks_it() -> None:
    waiting = measured(brokerClientConnections=ONCE)
    assert KAFKA.reason(CHECK, kafka(), waiting) == "up to 2 clients were connected to a broker"


def test_connections_that_are_counted_and_missing_are_unknown() -> None:
    name = "brokerClientConnections"
    assert KAFKA.reason(CHECK, kafka(), without(name)) == f"{metric_words(name)} is unknown (NotPublished)"
    assert KAFKA.reason(CHECK, kafka(client_authentications=None), measured()) == (
        "whether clients are connected is not known"
    )


def test_where_cloudwatch_counts_no_connections_bytes_alone_decide_and_it_says_so() -> None:
    idle = KAFKA.found(CHECK, kafka(client_authentications=[]), without("brokerClientConnections"))
    said = {fact.label: fact.value for fact in idle.facts}
    assert said["Connections of clients"] == "CloudWatch counts none of this cluster's"


def test_a_broker_whose_bytes_are_missing_is_never_quiet() -> None:
    name = "brokerReceivedBytesPerSecond"
    assert KAFKA.reason(CHECK, kafka(), without(name)) == f"{metric_words(name)} is unknown (NotPublished)"
    short = measured(brokerSentBytesPerSecond=flat(0, days=13))
    assert "only 13 days" in KAFKA.reason(CHECK, kafka(), short)


def test_a_cluster_of_ninety_brokers_is_judged_like_one_of_three() -> None:
    assert KAFKA.found(CHECK, kafka(brokers=90), measured()).evidence["brokers"] == 90


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"brokers": None}, "how many brokers it has is not known"),
        ({"cluster_type": "SERVERLESS"}, "it is serverless and has no brokers to measure"),
    ],
)
def test_a_cluster_that_is_not_measured_is_not_judged(changes: dict[str, Json], why: str) -> None:
    assert KAFKA.reason(CHECK, kafka(**changes), measured()) == why


def test_a_young_one_and_one_at_work_are_not_judged() -> None:
    assert KAFKA.reason(CHECK, kafka("active", "us-east-1", 13), measured()) == "it is younger than 14 days"
    assert KAFKA.reason(CHECK, kafka("updating"), measured()) == "it is updating, not active"


@pytest.mark.parametrize(
    "name", ["brokerReceivedBytesPerSecond", "brokerSentBytesPerSecond", "brokerClientConnections"]
)
def test_a_lost_day_may_have_been_the_one_with_clients(name: str) -> None:
    lost = measured(**{name: day_lost()})
    assert KAFKA.reason(CHECK, kafka(), lost) == f"nothing is known of {metric_words(name)} in 24 of its hours"
