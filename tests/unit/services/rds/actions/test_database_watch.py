"""The hours after a database got another class: its state, its CPU and its queue, judged against those before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import pytest
from tests.unit.services.test_watches_of_settings import Aws, act, signs

from finops.domain.execution import Observation
from finops.domain.watching import Health, verdict
from finops_operator.services.rds.actions.rds_instance_resize import ACTION

_NEW: Final = "db.m5.large"
_ACT: Final = act("reports", {"dbInstanceClass": _NEW, "apply": "now"}, before={"state": "available"})
_DAY: Final = [1.0] * 285


def database(
    cpu: Sequence[float] = _DAY, queue: Sequence[float] = _DAY, before: Sequence[float] = _DAY, **described: Any
) -> Aws:
    shown = {"DBInstanceIdentifier": "reports", "DBInstanceStatus": "available", "DBInstanceClass": _NEW} | described
    metrics = {"CPUUtilization": (before, cpu), "DiskQueueDepth": (before, queue)}
    return Aws({"rds:DescribeDBInstances": {"DBInstances": [shown]}}, metrics=metrics)


@pytest.mark.parametrize(
    ("aws", "expected", "words"),
    [
        (database(), Health.WELL, "It is available."),
        (database(DBInstanceStatus="storage-full"), Health.WORSE, "It is storage-full."),
        (database(DBInstanceStatus="stopped"), Health.UNKNOWN, "It is stopped."),
        (database(cpu=[95.0] * 9), Health.WORSE, "Its CPU was above 90 % in 9 periods of 5 minutes, in 0 before"),
        (database(queue=[2.0] * 9), Health.WORSE, "More than 1.5 requests waited for its storage in 9 periods"),
        (database(queue=[2.0] * 9, before=[]), Health.UNKNOWN, "no reading of DiskQueueDepth from before"),
        (database(cpu=[]), Health.UNKNOWN, "0 of 285 readings of CPUUtilization"),
        (database(DBInstanceClass="db.m5.xlarge"), Health.UNKNOWN, "Its class is db.m5.xlarge now, not the"),
        (
            database(DBInstanceClass="db.m5.xlarge", PendingModifiedValues={"DBInstanceClass": _NEW}),
            Health.UNKNOWN,
            "waits for its maintenance window",
        ),
        (Aws({"rds:DescribeDBInstances": {"DBInstances": []}}), Health.UNKNOWN, "The database is gone"),
    ],
)
def test_a_database_is_worse_only_where_aws_shows_it(aws: Aws, expected: Health, words: str) -> None:
    found = signs(ACTION, _ACT, aws)
    assert verdict(found) is expected
    assert words in " ".join(one.sentence for one in found)


def test_what_was_bad_before_was_not_made_worse_by_another_class() -> None:
    full = database(DBInstanceStatus="storage-full")
    for before, words in (({"state": "storage-full"}, "It was so before the act."), ({}, "is not known")):
        found = signs(ACTION, act("reports", dict(_ACT.parameters), before=before), full)
        assert found[0].health is Health.UNKNOWN
        assert words in found[0].sentence


@pytest.mark.parametrize(
    ("parameters", "before", "hours"),
    [
        ({"apply": "window"}, {"window": "mon:03:00-mon:03:30"}, 15.5),
        ({}, {"window": "mon:03:00-mon:03:30"}, 15.5),
        ({"apply": "window"}, {}, 0),
        ({"apply": "now"}, {"window": "mon:03:00-mon:03:30"}, 0),
    ],
)
def test_the_hours_count_from_the_end_of_the_window_in_which_the_class_is_applied(
    parameters: dict[str, Any], before: dict[str, str], hours: float
) -> None:
    assert ACTION.watch is not None
    verified = _ACT.since
    assert ACTION.watch.begins(parameters, before, verified) == verified + timedelta(hours=hours)


def test_the_window_is_kept_with_the_state_before_the_act() -> None:
    assert ACTION.watch is not None
    shown = {"PreferredMaintenanceWindow": "mon:03:00-mon:03:30"}
    now = Observation(exists=True, facts={"state": "available", "instance": shown})
    assert ACTION.watch.before(now) == {"state": "available", "window": "mon:03:00-mon:03:30"}
