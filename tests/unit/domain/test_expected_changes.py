"""What people expect alerts nobody until its day; whatever else changes does, and broken texts keep nothing back."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.domain.analytics.causes import ALERT_GATES
from finops.domain.analytics.expected import LONGEST_REASON, Expected, Way, from_text, problem_of, to_text, unexpected
from finops.domain.analytics.series import Part

TODAY = date(2026, 3, 10)
ACCOUNT = "111122223333"
SAID = Expected(
    account=ACCOUNT,
    region="us-east-1",
    service="ec2-instance",
    way=Way.MORE,
    reason="load test",
    until=TODAY + timedelta(days=7),
    by="alice",
    at=datetime(2026, 3, 10, 9, tzinfo=UTC),
    extra=Decimal("200.00"),
)


def part(kind: str, usual: float, now: float, region: str = "us-east-1") -> Part:
    """Sixty days at a usual cost, the last of them at another."""
    costs = {TODAY - timedelta(days=ago): usual if ago else now for ago in range(60)}
    return Part(ACCOUNT, region, kind, costs, dict.fromkeys(costs, 4))


def alarm(parts: list[Part], *expected: Expected) -> list[tuple[float, bool]]:
    """Cost of the day and whether something was left out, of each anomaly that alerts."""
    return [(one.one.anomaly.cost, bool(one.without)) for one in unexpected(parts, TODAY, ALERT_GATES, expected)]


def test_what_is_expected_alerts_nobody_and_a_different_cause_on_the_same_day_does() -> None:
    rise, other = part("ec2-instance", 100, 300), part("rds-instance", 100, 400)

    assert alarm([rise]) == [(300.0, False)]
    assert alarm([rise], SAID) == []
    assert alarm([rise, part("rds-instance", 100, 100)], SAID) == []
    assert alarm([rise, other], SAID) == [(400.0, True)]
    assert alarm([rise, part("ec2-instance", 100, 300, "eu-west-1")], SAID) == [(300.0, True)]


def test_it_alerts_nobody_through_its_last_day_and_only_in_its_direction() -> None:
    rise = [part("ec2-instance", 100, 300)]

    assert alarm(rise, replace(SAID, until=TODAY)) == []
    assert alarm(rise, replace(SAID, until=TODAY - timedelta(days=1))) == [(300.0, False)]
    assert alarm(rise, replace(SAID, way=Way.LESS)) == [(300.0, False)]
    assert alarm([part("ec2-instance", 300, 100)], SAID) == [(100.0, False)]


def test_more_than_twice_of_what_it_was_when_it_was_said_alerts_all_the_same() -> None:
    assert alarm([part("ec2-instance", 100, 500)], SAID) == []
    assert alarm([part("ec2-instance", 100, 501)], SAID) == [(501.0, False)]
    assert alarm([part("ec2-instance", 100, 501)], SAID, replace(SAID, extra=Decimal(300))) == []
    assert alarm([part("ec2-instance", 900, 100)], replace(SAID, way=Way.LESS)) == [(100.0, False)]
    assert alarm([part("ec2-instance", 400, 100)], replace(SAID, way=Way.LESS)) == []


@given(st.integers(1, 3), st.floats(450, 10**6))
def test_a_change_that_lasts_alerts_from_the_day_on_which_it_is_more_than_twice(days: int, now: float) -> None:
    rise = part("ec2-instance", 100, 300)
    costs = {day: 300.0 if TODAY - day <= timedelta(days=days) else cost for day, cost in rise.costs.items()}
    whole = replace(rise, costs={**costs, TODAY: 100 + now})

    (found,) = unexpected([whole], TODAY, ALERT_GATES, [SAID])

    assert found.one.anomaly.first == TODAY
    assert found.one.anomaly.expected == pytest.approx(100)
    assert found.without == (SAID.mark,)


@given(st.dates(date(2000, 1, 1), date(9000, 1, 1)), st.integers(-800, 800))
def test_it_is_in_force_through_its_last_day_which_is_at_most_366_days_ahead(today: date, ahead: int) -> None:
    one = replace(SAID, until=today + timedelta(days=ahead))

    assert one.is_in_force(today) is (0 <= ahead <= 366)


def test_a_reason_too_long_for_a_page_is_none_of_ours() -> None:
    assert from_text(to_text(replace(SAID, reason="x" * LONGEST_REASON))) is not None
    assert from_text(to_text(replace(SAID, reason="x" * (LONGEST_REASON + 1)))) is None


WORDS = st.text(max_size=40)


MONEY = st.decimals(0, 10**9, allow_nan=False, places=2)


@given(WORDS, WORDS, WORDS, st.sampled_from(Way), WORDS, st.dates(), WORDS, st.datetimes(timezones=st.just(UTC)), MONEY)
def test_what_was_said_is_read_as_it_was_said(
    account: str, region: str, service: str, way: Way, reason: str, until: date, by: str, at: datetime, extra: Decimal
) -> None:
    one = Expected(account, region, service, way, reason, until, by, at, extra)

    assert from_text(to_text(one)) == one
    assert problem_of(to_text(one)) == ""


FIELDS = sorted(SAID.to_json())


@given(st.lists(st.sampled_from(FIELDS), min_size=1, unique=True))
def test_each_field_that_is_missing_is_named(lacking: list[str]) -> None:
    text = json.dumps({name: value for name, value in SAID.to_json().items() if name not in lacking})

    assert from_text(text) is None
    assert all(name in problem_of(text) for name in lacking)


@given(st.sampled_from(FIELDS), st.sampled_from([3, None, [], "x" * 301, "no\u0000 such thing" * 30]))
def test_a_field_that_is_wrong_is_named(field: str, value: object) -> None:
    assert problem_of(json.dumps({**SAID.to_json(), field: value})) == f"has a wrong {field}"


@given(st.text() | st.recursive(st.none() | st.booleans() | st.integers(), st.lists).map(json.dumps))
def test_there_is_a_problem_exactly_where_nothing_can_be_taken(text: str) -> None:
    assert bool(problem_of(text)) is (from_text(text) is None)


@given(
    st.one_of(
        st.text(),
        st.recursive(st.none() | st.integers() | st.text(max_size=5), st.lists, max_leaves=5).map(str),
        st.sampled_from(list(SAID.to_json())).map(lambda key: to_text(SAID).replace(f'"{key}":"', f'"{key}":"x')),
        st.sampled_from(list(SAID.to_json())).map(lambda key: to_text(SAID).replace(f'"{key}"', '"another"')),
    )
)
def test_a_text_that_is_none_of_ours_keeps_back_at_most_what_it_names(text: str) -> None:
    read = from_text(text)

    assert read is None or to_text(read) == text
