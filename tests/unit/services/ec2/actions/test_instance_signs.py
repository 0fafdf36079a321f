"""What the readings of an instance say after a resize: the judge as a table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from finops.domain.execution import Observation
from finops.domain.recommendation import ResourceRef
from finops.domain.watching import Health, verdict
from finops_operator.plugins.action import WatchedAct
from finops_operator.plugins.watched import PROMISED_CPU, SETTLES, Alarm
from finops_operator.services.ec2.rules.instance_signs import InstanceReadings, instance_before, instance_signs

_SINCE = datetime(2026, 3, 1, 12, tzinfo=UTC)
_ARN = "arn:aws:ec2:us-east-1:111111111111:instance/i-1"
_DAY = 285
"""Periods of 5 minutes in a day, without those in which a start settles."""
ACT = WatchedAct(
    resource=ResourceRef("ec2-instance", "i-1", _ARN, "111111111111", "us-east-1"),
    parameters={"instanceType": "t3.medium"},
    promised={PROMISED_CPU: "42.00"},
    started=_SINCE - timedelta(minutes=5),
    since=_SINCE,
    until=_SINCE + timedelta(hours=24),
    now=_SINCE + timedelta(hours=2),
    before={"status checks": "ok", "Target group shop": "healthy"},
)
ILL_BEFORE = replace(ACT, before={"status checks": "impaired,ok", "Target group shop": "unhealthy"})
NOT_KNOWN_BEFORE = replace(ACT, before={"status checks": "initializing"})
AT_THE_END = replace(ACT, now=ACT.until)
LATER = replace(ACT, started=_SINCE - timedelta(days=5), effect=_SINCE)
AT_ONCE = replace(ACT, now=_SINCE + timedelta(minutes=1))
PASSED = {"system": "ok", "instance": "ok"}
RUNS = InstanceReadings("running", "t3.medium", checks=PASSED)
NEW_TYPE = replace(ACT, parameters={"instanceType": "t9.big"})
NO_CREDITS = replace(RUNS, cpu=[20.0] * 20, credits=[0.0] * 20, surplus=[0.0] * 20, credit_mode="standard")


def _serves(state: str, **more: Any) -> dict[str, Any]:
    return {"places": [{"kind": "target group", "name": "shop", "state": state, "others": 1}], **more}


def _alarm(state: str, minutes: float) -> Alarm:
    return Alarm("shop-slow", state, _SINCE + timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("act", "readings", "expected", "words"),
    [
        (ACT, RUNS, Health.WELL, "Its status checks pass."),
        (ACT, replace(RUNS, checks={"system": "ok", "instance": "impaired"}), Health.WORSE, "instance check fails"),
        (
            ACT,
            replace(RUNS, checks={"system": "impaired", "instance": "impaired"}),
            Health.WORSE,
            "system and instance",
        ),
        (ILL_BEFORE, replace(RUNS, checks={"instance": "impaired"}), Health.UNKNOWN, "It was so before the act."),
        (NOT_KNOWN_BEFORE, replace(RUNS, checks={"instance": "impaired"}), Health.UNKNOWN, "before the act is not"),
        (ACT, replace(RUNS, checks={"system": "ok", "instance": "initializing"}), Health.UNKNOWN, "no result"),
        (ACT, replace(RUNS, checks={}), Health.UNKNOWN, "no result"),
        (ACT, replace(RUNS, cpu=[40.0] * 20), Health.WELL, "keeps to the promise of about 42 %"),
        (ACT, replace(RUNS, cpu=[50.0] * 20), Health.WELL, "keeps to the promise"),
        (ACT, replace(RUNS, cpu=[99.0, 99.0, *[10.0] * 20]), Health.WELL, "keeps to the promise"),
        (ACT, replace(RUNS, cpu=[99.0] * 3 + [10.0] * 20), Health.WORSE, "above 52 % in 3 of 23 periods"),
        (ACT, replace(RUNS, cpu=[]), Health.UNKNOWN, "0 of 285 readings of its CPU"),
        (AT_THE_END, replace(RUNS, cpu=[10.0] * 100), Health.UNKNOWN, "100 of 285 readings of its CPU"),
        (AT_THE_END, replace(RUNS, cpu=[10.0] * _DAY), Health.WELL, "keeps to the promise"),
        (replace(ACT, promised={}), replace(RUNS, cpu=[99.0] * 9), Health.WELL, "status checks pass"),
        (replace(ACT, promised={PROMISED_CPU: "97"}), replace(RUNS, cpu=[98.9] * 9), Health.WELL, "about 97 %"),
        (replace(ACT, promised={PROMISED_CPU: "97"}), replace(RUNS, cpu=[99.9] * 9), Health.WORSE, "above 99 %"),
        (ACT, replace(RUNS, credits=[80.0, 3.0, 0.0], surplus=[]), Health.WORSE, "used up its CPU credits"),
        (ACT, replace(RUNS, credits=[9.0, 8.0], surplus=[0.0]), Health.WELL, "credits left or is charged for none"),
        (ACT, replace(NO_CREDITS, credit_mode="unlimited"), Health.WELL, "credits left or is charged for none"),
        (ACT, NO_CREDITS, Health.WORSE, "at its baseline of 20 % in 20 of 20 periods of 5 minutes: AWS holds it there"),
        (AT_THE_END, replace(NO_CREDITS, cpu=[20.0] * _DAY), Health.WORSE, "no CPU credits in standard mode"),
        (ACT, replace(NO_CREDITS, cpu=[20.0, 20.0, *[4.0] * 18]), Health.WELL, "its CPU stays below 20 %"),
        (ACT, replace(NO_CREDITS, cpu=[]), Health.UNKNOWN, "too few readings of its CPU"),
        (ACT, replace(NO_CREDITS, credit_mode=""), Health.UNKNOWN, "does not say whether it may go beyond them"),
        (NEW_TYPE, replace(NO_CREDITS, instance_type="t9.big"), Health.UNKNOWN, "the baseline of t9.big is not known"),
        (ACT, replace(RUNS, credits=[5.0], surplus=[0.0, 7.4]), Health.WORSE, "7 CPU credits beyond"),
        (ACT, replace(RUNS, credits=[], surplus=[]), Health.UNKNOWN, "no reading of its CPU credits"),
        (ACT, replace(RUNS, serves=_serves("unhealthy")), Health.WORSE, "Target group shop finds it unhealthy."),
        (
            ILL_BEFORE,
            replace(RUNS, serves=_serves("unhealthy")),
            Health.UNKNOWN,
            "It was so before the act.",
        ),
        (NOT_KNOWN_BEFORE, replace(RUNS, serves=_serves("unhealthy")), Health.UNKNOWN, "before the act is not known"),
        (AT_ONCE, replace(RUNS, serves=_serves("unhealthy")), Health.WELL, "status checks pass"),
        (ACT, replace(RUNS, serves=_serves("healthy")), Health.WELL, "find it healthy"),
        (ACT, replace(RUNS, serves=_serves("draining")), Health.UNKNOWN, "says of it: draining"),
        (
            ACT,
            replace(RUNS, serves={"places": [], "denied": "elasticloadbalancing:X"}),
            Health.UNKNOWN,
            "allow elastic",
        ),
        (ACT, replace(RUNS, serves={"places": [], "unasked": 50}), Health.UNKNOWN, "50 target groups"),
        (ACT, replace(RUNS, alarm=_alarm("OK", 1)), Health.WELL, "Alarm shop-slow is quiet."),
        (AT_ONCE, replace(RUNS, alarm=_alarm("ALARM", 0.5)), Health.WORSE, "Alarm shop-slow is on."),
        (AT_ONCE, replace(RUNS, alarm=_alarm("ALARM", -1)), Health.WELL, "status checks pass"),
        (ACT, replace(RUNS, alarm=_alarm("ALARM", -1)), Health.WORSE, "Alarm shop-slow is on."),
        (ACT, replace(RUNS, alarm=_alarm("ALARM", -60)), Health.UNKNOWN, "was on before the act"),
        (LATER, replace(RUNS, alarm=_alarm("ALARM", -1)), Health.UNKNOWN, "before the act had an effect"),
        (LATER, replace(RUNS, alarm=_alarm("ALARM", 0.5)), Health.WORSE, "Alarm shop-slow is on."),
        (ACT, replace(RUNS, alarm=_alarm("INSUFFICIENT_DATA", 1)), Health.UNKNOWN, "has no data"),
        (ACT, replace(RUNS, unread={"alarm": "There is no alarm x."}), Health.UNKNOWN, "There is no alarm x."),
        (ACT, InstanceReadings("stopped", "t3.medium"), Health.UNKNOWN, "It is stopped"),
        (ACT, InstanceReadings(), Health.UNKNOWN, "It is gone"),
        (ACT, replace(RUNS, instance_type="m5.large"), Health.UNKNOWN, "Its type is m5.large now, not the t3.medium"),
    ],
)
def test_readings_are_judged_against_what_was_promised(
    act: WatchedAct, readings: InstanceReadings, expected: Health, words: str
) -> None:
    signs = instance_signs(act, readings)
    assert verdict(signs) is expected
    assert any(words in sign.sentence for sign in signs if sign.health is expected)


def test_a_start_has_time_to_settle_before_its_load_counts() -> None:
    assert timedelta(minutes=5) < SETTLES < timedelta(hours=1)


def test_one_place_that_was_healthy_before_the_act_makes_it_worse_beside_another_that_was_not() -> None:
    places = [{"kind": "target group", "name": name, "state": "unhealthy", "others": 1} for name in ("old", "shop")]
    act = replace(ACT, before={**ACT.before, "Target group old": "unhealthy"})
    (sign,) = [one for one in instance_signs(act, replace(RUNS, serves={"places": places})) if "finds" in one.sentence]
    assert (sign.health, sign.sentence) == (Health.WORSE, "Target group shop finds it unhealthy.")


@pytest.mark.parametrize(
    ("facts", "kept"),
    [
        (
            {"state": "running", "checks": "ok", "serves": _serves("unhealthy")},
            {"status checks": "ok", "Target group shop": "unhealthy"},
        ),
        ({"state": "running", "checks": "unknown", "serves": None}, {"status checks": "unknown"}),
        ({"state": "stopped", "checks": "not-applicable", "serves": None}, {"status checks": "stopped"}),
    ],
)
def test_what_is_kept_of_an_instance_before_its_act_is_what_was_read(facts: dict[str, Any], kept: Any) -> None:
    assert instance_before(Observation(exists=True, facts=facts)) == kept
