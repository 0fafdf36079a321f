"""An alarm after a database got another class in its maintenance window: ours from the moment the window opened."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from tests.unit.services.test_watches_of_settings import Aws

from finops.domain.audit import GENESIS_HASH, Entry, Record, RecordKind
from finops.domain.recommendation import ResourceRef
from finops.domain.watching import BEFORE, Health, Sign
from finops_operator.plugins.action import WatchedAct
from finops_operator.plugins.watched import SETTLES
from finops_operator.rules.watching import watched_time
from finops_operator.services.rds.actions.rds_instance_resize import ACTION

_FRIDAY: Final = datetime(2026, 11, 27, 12, tzinfo=UTC)
"""When the act was verified; it began five minutes before."""
_WINDOW: Final = {"dbInstanceClass": "db.m5.large", "apply": "window"}


def _record(kind: RecordKind, at: datetime, detail: Mapping[str, Any], result: str = "") -> Record:
    return Record(
        1, GENESIS_HASH, at, 1, Entry(f"{kind}", "operator", kind, "team-a/r/u", result=result, detail=detail)
    )


def _watched(window: str, parameters: Mapping[str, Any], now: datetime) -> WatchedAct:
    assert ACTION.watch is not None
    watch = ACTION.watch
    kept = {"state": "available", "window": window}
    records = [
        _record(RecordKind.INTENT, _FRIDAY - timedelta(minutes=5), {BEFORE: kept}),
        _record(RecordKind.VERIFIED, _FRIDAY, {}, "Succeeded"),
    ]
    time = watched_time(
        records,
        24,
        lambda before, verified: watch.begins(parameters, before, verified),
        lambda before, verified: watch.effective(parameters, before, verified),
    )
    assert time is not None
    arn = "arn:aws:rds:us-east-1:111111111111:db:reports"
    return WatchedAct(
        resource=ResourceRef("rds-instance", "reports", arn, "111111111111", "us-east-1"),
        parameters=parameters,
        promised={},
        started=time.started,
        since=time.since,
        until=time.until,
        now=now,
        before=time.before,
        alarm="orders-slow",
        effect=time.effect,
    )


def _alarm(window: str, changed: datetime, now: datetime, parameters: Mapping[str, Any] = _WINDOW) -> Sign | None:
    alarm = {"AlarmName": "orders-slow", "StateValue": "ALARM", "StateTransitionedTimestamp": changed.isoformat()}
    database = {"DBInstanceIdentifier": "reports", "DBInstanceStatus": "available", "DBInstanceClass": "db.m5.large"}
    aws = Aws(
        {
            "rds:DescribeDBInstances": {"DBInstances": [database]},
            "cloudwatch:DescribeAlarms": {"MetricAlarms": [alarm]},
        }
    )
    assert ACTION.watch is not None
    found = ACTION.watch.signs(aws, _watched(window, parameters, now))
    return next((one for one in found if one.name == "alarm"), None)


@pytest.mark.parametrize("window", ["sun:05:00-sun:05:30", "sun:05:00-mon:04:00"])
@pytest.mark.parametrize("minutes", [1, 10, 29, 60])
def test_an_alarm_that_goes_on_in_the_window_or_after_it_is_worse(window: str, minutes: float) -> None:
    changed = datetime(2026, 11, 29, 5, tzinfo=UTC) + timedelta(minutes=minutes)
    sign = _alarm(window, changed, changed + SETTLES)
    assert sign is not None
    assert (sign.health, sign.sentence) == (Health.WORSE, "Alarm orders-slow is on.")


def test_an_alarm_that_was_on_before_the_window_opened_is_not_ours() -> None:
    sign = _alarm("sun:05:00-sun:05:30", datetime(2026, 11, 29, 4, 59, tzinfo=UTC), datetime(2026, 11, 30, tzinfo=UTC))
    assert sign is not None
    assert sign.health is Health.UNKNOWN
    assert sign.sentence == "Alarm orders-slow was on before the act had an effect."


def test_what_the_change_itself_sets_off_may_pass_before_an_alarm_counts() -> None:
    changed = datetime(2026, 11, 29, 5, 10, tzinfo=UTC)
    assert _alarm("sun:05:00-mon:04:00", changed, changed + timedelta(minutes=14)) is None


@pytest.mark.parametrize("minutes", [-4, 1, 20])
def test_the_effect_of_an_act_within_an_open_window_begins_with_its_first_call(minutes: float) -> None:
    changed = _FRIDAY + timedelta(minutes=minutes)
    sign = _alarm("fri:11:00-fri:13:00", changed, changed + SETTLES)
    assert sign is not None
    assert sign.health is Health.WORSE
    before = _alarm("fri:11:00-fri:13:00", _FRIDAY - timedelta(minutes=6), changed + SETTLES)
    assert before is not None
    assert before.health is Health.UNKNOWN


@pytest.mark.parametrize(("window", "apply"), [("sun:05:00-sun:05:30", "now"), ("", "window")])
def test_a_class_that_is_applied_now_or_at_an_unknown_time_counts_from_its_first_call(window: str, apply: str) -> None:
    changed = _FRIDAY - timedelta(minutes=4)
    sign = _alarm(window, changed, _FRIDAY + SETTLES, {**_WINDOW, "apply": apply})
    assert sign is not None
    assert sign.health is Health.WORSE
