"""What the last scan of a policy could not list still belongs to it, and takes the exactness of the month away."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from tests.support.history_parts import flat

from finops.domain.report import Savings, ScanSummary
from finops.domain.resource import Gap, Shard
from finops.store.recommendations import PolicyHead
from finops_web.readings.expected import may_say
from finops_web.readings.history import outlook
from finops_web.readings.policies import ScannedPolicy, lacks_some

NOW, TODAY = datetime(2026, 11, 20, 12, tzinfo=UTC), date(2026, 11, 20)
NEAR, FAR = Shard("1", "us-east-1", "ec2-instance"), Shard("1", "eu-west-1", "ec2-instance")
DENIED = Gap("1", "eu-west-1", "ec2", "DescribeInstances", "AccessDenied", "the role may not list them")
ALARMS = Gap("1", "eu-west-1", "cloudwatch", "DescribeAlarms", "AccessDenied", "the role may not list them")
SERIES = Gap("1", "eu-west-1", "cloudwatch", "ListMetrics", "TooManyMetrics", "more than it counts")
UNPRICED = Gap("1", "us-east-1", "pricing", "GetProducts", "AccessDenied", "the role may not ask")
UNMEASURED = Gap("1", "eu-west-1", "cloudwatch", "GetMetricData", "Throttling", "slow down")


def scanned(*gaps: Gap, unlisted: tuple[Shard, ...] = ()) -> ScannedPolicy:
    summary = ScanSummary("team-a/all", NOW, NOW, 1, Decimal(0), 0, 0, Savings(), gaps)
    return ScannedPolicy("team-a", "all", PolicyHead("g1", summary, ((NEAR, "g1"),), unlisted=unlisted))


def test_whoever_may_change_a_policy_may_expect_a_change_of_what_its_last_scan_could_not_list() -> None:
    assert may_say([scanned(unlisted=(FAR,))], FAR, lambda _: True) == {"team-a"}
    assert may_say([scanned()], FAR, lambda _: True) == frozenset()


@pytest.mark.parametrize(
    ("gaps", "lacks"),
    [
        ((), False),
        ((DENIED,), True),
        ((UNMEASURED,), False),
        ((UNPRICED,), False),
        ((UNMEASURED, DENIED), True),
        ((ALARMS,), True),
        ((SERIES,), True),
    ],
)
def test_a_gap_lacks_resources_unless_only_their_measures_lack(gaps: tuple[Gap, ...], lacks: bool) -> None:
    assert lacks_some([scanned(), scanned(*gaps)]) is lacks


def test_a_month_of_which_something_could_not_be_listed_is_at_least_what_was() -> None:
    part = flat(TODAY - timedelta(days=80), TODAY)

    whole, lacking = outlook([part], TODAY), outlook([part], TODAY, lacks_some=True)

    assert (whole.at_least, lacking.at_least) == (False, True)
    assert lacking.month_end == whole.month_end


def test_a_history_that_a_new_part_cuts_short_names_it() -> None:
    new = flat(TODAY - timedelta(days=4), TODAY, region="eu-west-1")

    found = outlook([flat(TODAY - timedelta(days=80), TODAY), new], TODAY)

    assert found.reason == (
        "not enough history: 5 of 28 days, since ec2-instance in eu-west-1 of account 1 is known from 2026-11-16 on"
    )
    assert outlook([new], TODAY).reason == "not enough history: 5 of 28 days"
