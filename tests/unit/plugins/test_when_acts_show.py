"""When what an act changes shows in what its resource costs: never later than the act is said never to have shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from finops.domain.resource import Resource
from finops_operator.plugins.action import Action
from finops_operator.plugins.kind import MetricSpec, ResourceKind
from finops_operator.plugins.loaded import plugins
from finops_operator.scan.metrics.windows import DAY, daily_window

_LOADED = plugins()
_SAVING = {name: one for name, one in _LOADED.actions.items() if one.saves}
_SHOWN = [(name, kind) for name, one in sorted(_SAVING.items()) for kind in sorted(one.kinds) if one.shown_by]


def spec_of(kind: str, metric: str) -> MetricSpec:
    return next(one for one in _LOADED.kinds[kind].metrics if one.name == metric)


def seen_after(spec: MetricSpec, came: datetime) -> timedelta:
    """How long after a change the first scan of any hour reads a newest day in which it was there all day."""
    for hour in range(24 * 30):
        now = came.replace(minute=0) + timedelta(hours=hour + 1)
        if datetime.fromtimestamp(daily_window(now, 30, spec.lag_days).end - DAY, tz=UTC) >= came:
            return now - came
    raise AssertionError("it never shows")


@pytest.mark.parametrize(("action", "kind"), _SHOWN)
def test_an_effect_that_a_daily_metric_shows_has_the_days_in_which_aws_publishes_it(action: str, kind: str) -> None:
    one = _SAVING[action]
    for spec in {spec.lag_days: spec for spec in (spec_of(kind, metric) for metric in one.shown_by)}.values():
        for hour in range(24):
            came = datetime(2026, 11, 2, hour, 5, tzinfo=UTC) + one.brought_within
            # Scans are asked for by the hour here: one in between might have shown it.
            seen = seen_after(spec, came) - timedelta(hours=1)
            assert seen <= spec.shown_within
            assert one.brought_within + seen <= one.shows.within


@pytest.mark.parametrize("name", sorted(_SAVING))
def test_an_effect_has_the_time_in_which_aws_brings_it_about(name: str) -> None:
    one = _SAVING[name]
    assert one.shows.within >= one.brought_within
    assert not one.shown_by or one.shows.within > timedelta(0)


_SET = {name: one for name, one in sorted(_LOADED.actions.items()) if one.shows.setting or one.shows.parameter}


def test_acts_of_which_a_cost_alone_cannot_say_whether_they_last_declare_the_setting_that_does() -> None:
    assert set(_SET) >= {
        "dynamodb_table_set_mode",
        "lambda_function_set_memory",
        "log_group_set_retention",
        "rds_instance_resize",
        "s3_bucket_set_lifecycle",
    }


@pytest.mark.parametrize("name", _SET)
def test_the_setting_that_says_whether_an_act_lasts_is_one_that_its_kind_lists_and_its_parameter_gives(
    name: str,
) -> None:
    one = _SET[name]
    for kind in one.kinds:
        facts = _LOADED.kinds[kind].facts
        assert facts is not None
        assert one.shows.setting in {field.name for field in fields(facts)}
    assert one.shows.parameter in one.sample.parameters


@pytest.mark.parametrize("name", sorted(_SET.keys() - {"s3_bucket_set_lifecycle"}))
def test_the_setting_before_an_act_is_a_fact_that_its_plan_is_bound_to(name: str) -> None:
    """The rules of a bucket are one fact, and the undo of an act on them is known by what it undoes."""
    one = _SET[name]
    assert one.shows.fact in one.sample.assumed


def _levels_alone(kind: ResourceKind[Any]) -> bool:
    """Whether all that such a resource costs is read from levels of its metrics, so that nothing listed can show."""
    sample = kind.sample
    resource = Resource(kind.id, sample.id, sample.arn, sample.id, "111111111111", "us-east-1", "", {}, None)
    counters = {spec.name for spec in kind.metrics if spec.counter}
    parts = kind.billed_parts(resource)
    return bool(parts) and all(part.metric and part.metric not in counters for part in parts)


def _of_levels() -> Iterator[tuple[str, str]]:
    for name, one in sorted(_SAVING.items()):
        removes = any(rules.destroys for rules in one.procedure.steps.values())
        yield from ((name, kind) for kind in sorted(one.kinds) if not removes and _levels_alone(_LOADED.kinds[kind]))


@pytest.mark.parametrize(("name", "kind"), list(_of_levels()))
def test_an_act_on_what_costs_by_its_levels_alone_names_the_metrics_that_show_it(name: str, kind: str) -> None:
    one: Action = _SAVING[name]
    assert one.shown_by
    for metric in one.shown_by:
        assert spec_of(kind, metric).daily


def test_rules_of_a_bucket_show_in_what_it_stores_by_the_day() -> None:
    assert ("s3_bucket_set_lifecycle", "s3-bucket") in _SHOWN
