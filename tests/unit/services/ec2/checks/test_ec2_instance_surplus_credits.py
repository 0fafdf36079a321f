"""ec2_instance_surplus_credits: what unlimited mode adds to the bill, and what leads out of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, cast

import pytest
from tests.support.facts import flat, in_region, instance, summarize
from tests.support.judging import Bench, used, without

from finops.domain.canonical import Json
from finops.domain.recommendation import Finding, NotRecommended
from finops.domain.resource import Resource
from finops.domain.utilization import HoursRan, MetricSummary, Utilization
from finops.ports.aws_read import PageReader
from finops_operator.plugins.check import Pictures, Settled
from finops_operator.pricing.bundled import SOURCE
from finops_operator.services.ec2.checks.ec2_instance_surplus_credits import CHECK
from finops_operator.services.ec2.instance import KIND, InstanceFacts
from finops_operator.services.ec2.rules.burstable import surplus_query
from finops_operator.services.ec2.rules.credit_mode import CREDIT_MODE, DESCRIBE_CREDITS, credit_mode, credit_modes

JUDGED = Bench(KIND)
HOURS = 14 * 24


def burstable(state: str = "running", **changes: Json) -> Resource:
    return instance(state, tags=None, **{"instance_type": "t3.large", **changes})


def charged(billed: MetricSummary) -> Utilization:
    return used(burstable().id, cpuSurplusCreditsCharged=billed)


def test_credits_that_were_billed_are_found_with_what_they_cost_in_a_month() -> None:
    # 6 credits an hour are 0.1 vCPU-hours, at 0.05 USD for 730 hours.
    found = JUDGED.found(CHECK, burstable(), charged(flat(6)))
    assert (found.action, found.evidence["surplusMonthlyCost"]) == ("", "3.65")
    assert "3.65 USD a month" in found.summary
    # It is billed beside the hours, so it makes them no cheaper.
    assert found.new_monthly_cost == JUDGED.cost(burstable()).unrounded_monthly


@pytest.mark.parametrize(
    ("changes", "monthly"),
    [
        ({"instance_type": "t4g.large", "architecture": "arm64"}, "2.92"),
        ({"platform": "windows", "usage_operation": "RunInstances:0002"}, "7.01"),
    ],
)
def test_graviton_and_windows_have_prices_of_their_own(changes: dict[str, Json], monthly: str) -> None:
    found = JUDGED.found(CHECK, burstable("running", **changes), charged(flat(6)))
    assert found.evidence["surplusMonthlyCost"] == monthly


def test_the_ways_out_are_named() -> None:
    labels = [fact.label for fact in JUDGED.found(CHECK, burstable(), charged(flat(6))).facts]
    assert {"If its work may be slower", "If not"} <= set(labels)


def test_the_mode_and_the_source_of_the_price_are_named() -> None:
    found = JUDGED.found(CHECK, burstable(), charged(flat(6)))
    assert next(fact.value for fact in found.facts if fact.label == "Credit mode").startswith("unlimited")
    table = SOURCE.lookup(surplus_query("us-east-1", "t3.large", windows=False))
    assert table is not None
    named = [found.evidence[key] for key in ("surplusPrice", "surplusPriceSource", "surplusPriceDate")]
    assert named == [str(table.amount), table.source, table.as_of.isoformat()]


def test_a_region_without_a_price_of_surplus_credits_gets_none_of_another() -> None:
    assert JUDGED.reason(CHECK, in_region(burstable(), "cn-north-1"), charged(flat(6))) == (
        "no price for surplus credits in cn-north-1"
    )


def test_less_than_the_least_cost_is_left_alone_and_a_single_hour_can_pass_it() -> None:
    # 552.33 credits of a window of 336 hours cost just below one USD in a month.
    quiet = [0.0] * (HOURS - 1)
    assert JUDGED.reason(CHECK, burstable(), charged(summarize([*quiet, 552.0]))) == (
        "its surplus credits cost 1.00 USD a month"
    )
    assert JUDGED.found(CHECK, burstable(), charged(summarize([*quiet, 553.0]))).check == CHECK.id


def stopped_nights(ran: HoursRan | None) -> Utilization:
    """Return 6 credits in each of the ten hours a day that it ran, over 14 days."""
    by_hour = replace(summarize([6.0] * 140), not_running=HOURS - 140)
    return replace(charged(by_hour), ran=ran)


def test_what_is_stopped_every_night_is_billed_for_the_hours_of_a_month_that_it_runs() -> None:
    found = JUDGED.found(CHECK, burstable(), stopped_nights(HoursRan(140 / HOURS, 14)))
    # 0.1 vCPU-hours at 0.05 USD in each of 304 hours, not of 730.
    assert found.evidence["surplusMonthlyCost"] == "1.52"


def test_where_the_share_of_a_month_that_it_runs_is_not_known_no_money_is_named() -> None:
    unknown = "how much of a month it runs is not known, and so is what its surplus credits cost"
    assert JUDGED.reason(CHECK, burstable(), stopped_nights(None)) == unknown
    # Two hours of one stop are no other month.
    once = replace(summarize([6.0] * (HOURS - 2)), not_running=2)
    assert JUDGED.found(CHECK, burstable(), charged(once)).evidence["surplusMonthlyCost"] == "3.65"
    one = JUDGED.facts(burstable(), stopped_nights(None))
    defaults = {spec.name: spec.default for spec in CHECK.parameters}
    assert CHECK.settled_by_days(Pictures(one, one, one), defaults) is Settled.OPEN


def test_an_instance_that_earns_what_it_uses_is_left_alone() -> None:
    assert JUDGED.reason(CHECK, burstable(), charged(flat(0))) == "its surplus credits cost 0.00 USD a month"


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (burstable(instance_type="m5.large"), "its type has no credits"),
        (burstable(instance_type=None), "its type is not known"),
        (burstable("stopped"), "it is stopped, not running"),
    ],
)
def test_what_has_no_credits_or_does_not_run_is_left_alone(one: Resource, why: str) -> None:
    assert JUDGED.reason(CHECK, one, charged(flat(6))) == why


def test_absent_or_thin_figures_are_no_surplus_and_no_proof_of_none() -> None:
    known = charged(flat(6))
    assert JUDGED.reason(CHECK, burstable(), without(known, "cpuSurplusCreditsCharged")) == (
        "its surplus credits are not known"
    )
    thin = charged(summarize([6.0] * 40, expected=HOURS))
    assert "are needed" in JUDGED.reason(CHECK, burstable(), thin)


def test_days_decide_unless_the_bounds_of_finer_points_differ() -> None:
    defaults = {spec.name: spec.default for spec in CHECK.parameters}

    def picture(days: float, least: float, most: float) -> Pictures[InstanceFacts]:
        one, two, three = (JUDGED.facts(burstable(), charged(flat(level))) for level in (days, least, most))
        return Pictures(one, two, three)

    assert CHECK.settled_by_days(picture(6, 6, 6), defaults) is Settled.BY_DAYS
    assert CHECK.settled_by_days(picture(0, 0, 0), defaults) is Settled.BY_DAYS
    assert CHECK.settled_by_days(picture(6, 0, 6), defaults) is Settled.OPEN


def test_the_cost_follows_the_hours_that_a_policy_gives_a_month() -> None:
    facts = JUDGED.facts(burstable(), charged(flat(6)))
    shorter = replace(facts, settings=replace(facts.settings, hours_per_month=Decimal(720)))
    found = CHECK.evaluate(shorter, {spec.name: spec.default for spec in CHECK.parameters})
    assert getattr(found, "evidence", {})["surplusMonthlyCost"] == "3.60"


def judged_in(mode: frozenset[str]) -> Finding | NotRecommended:
    facts = JUDGED.facts(burstable(), charged(flat(6)))
    parameters = {spec.name: spec.default for spec in CHECK.parameters}
    return CHECK.evaluate(replace(facts, answers={CREDIT_MODE: mode}), parameters)


def test_an_instance_that_was_changed_to_standard_mode_is_left_alone() -> None:
    standard = judged_in(frozenset({"read"}))
    assert isinstance(standard, NotRecommended)
    assert standard.reason == "it is in standard mode by now, in which AWS bills no surplus"
    unlimited = judged_in(frozenset({"read", burstable().id}))
    assert isinstance(unlimited, Finding)
    assert "not known" not in next(fact.value for fact in unlimited.facts if fact.label == "Credit mode")


@pytest.mark.parametrize("age", [None, timedelta(hours=23)])
def test_an_instance_that_may_be_younger_than_the_answer_of_the_day_is_not_called_standard(
    age: timedelta | None,
) -> None:
    facts = JUDGED.facts(burstable(), charged(flat(6)))
    young = replace(facts.resource, created=None if age is None else facts.now - age)
    assert credit_mode(replace(facts, resource=young, answers={CREDIT_MODE: frozenset({"read"})})) == ""
    listed = frozenset({"read", young.id})
    assert credit_mode(replace(facts, resource=young, answers={CREDIT_MODE: listed})) == "unlimited"
    old = replace(young, created=facts.now - timedelta(hours=25))
    assert credit_mode(replace(facts, resource=old, answers={CREDIT_MODE: frozenset({"read"})})) == "standard"


def test_a_mode_that_nobody_could_read_is_said_to_be_unknown() -> None:
    found = JUDGED.found(CHECK, burstable(), charged(flat(6)))
    assert next(fact.value for fact in found.facts if fact.label == "Credit mode").endswith("is not known")


def test_all_pages_are_read_and_only_those_in_unlimited_mode_are_kept() -> None:
    class Region:
        region, account = "us-east-1", "111122223333"

        def pages(self, operation: str, parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
            assert operation == DESCRIBE_CREDITS
            yield {"InstanceCreditSpecifications": [{"InstanceId": "i-1", "CpuCredits": "unlimited"}]}
            yield {"InstanceCreditSpecifications": [{"InstanceId": "i-2", "CpuCredits": "standard"}]}

    assert credit_modes(cast("PageReader", Region())) == {"us-east-1": {"read", "i-1"}}


def test_aws_is_asked_for_the_mode_only_where_a_surplus_was_billed() -> None:
    (question,) = [one for one in KIND.listing.questions if one.id == CREDIT_MODE]
    assert question.needed(burstable(), charged(flat(6)))
    assert not question.needed(burstable(), charged(flat(0)))
    assert not question.needed(burstable(), used(burstable().id))
