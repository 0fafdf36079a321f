"""Since when an instance counts as what it is, and what it is billed for the hours that it ran."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from tests.support.facts import NOW, cost, instance

from finops.domain.resource import Resource
from finops.domain.utilization import HoursRan, Utilization
from finops_operator.services.ec2.instance import KIND
from finops_operator.services.ec2.rules.running import PAUSES, TYPE_SINCE, creation, running_share, type_known_since

CREATED = datetime(2026, 3, 1, 9, 0, 3, tzinfo=UTC)
STARTED = datetime(2026, 11, 24, 8, tzinfo=UTC)


def described(**changes: object) -> dict[str, object]:
    volumes = [
        {"DeviceName": "/dev/sdf", "Ebs": {"VolumeId": "vol-2", "AttachTime": "2025-01-01T00:00:00+00:00"}},
        {"DeviceName": "/dev/xvda", "Ebs": {"VolumeId": "vol-1", "AttachTime": CREATED.isoformat()}},
    ]
    made = {"LaunchTime": STARTED.isoformat(), "RootDeviceName": "/dev/xvda", "BlockDeviceMappings": volumes}
    return {**made, **changes}


def seen(type_name: str = "m5.large", *, launched: datetime = STARTED, state: str = "running") -> Resource:
    return replace(instance(state, instance_type=type_name, launched=launched.isoformat()), created=CREATED)


def carried(now: Resource, before: Resource | None = None, at: datetime = NOW) -> Resource:
    return TYPE_SINCE.carry_over(now, before, at) if TYPE_SINCE.applies(now) else now


def test_an_instance_was_made_when_its_root_volume_was_attached_and_not_at_its_last_start() -> None:
    assert creation(described()) == CREATED
    assert creation(described(LaunchTime="2026-03-01T09:00:00+00:00")) == CREATED - timedelta(seconds=3)
    assert creation(described(BlockDeviceMappings=[])) == STARTED
    assert creation(described(RootDeviceName=None)) == STARTED
    assert creation({}) is None


def test_of_an_instance_that_never_stopped_nothing_is_kept() -> None:
    one = seen(launched=CREATED)
    assert not TYPE_SINCE.applies(one)
    assert type_known_since(one) is None
    assert PAUSES.since(one) == CREATED


def test_at_first_sight_its_type_is_known_since_its_last_start_and_its_data_counts_since_its_creation() -> None:
    one = carried(seen())
    assert type_known_since(one) == STARTED
    assert PAUSES.since(one) == CREATED


def test_a_type_that_is_seen_again_after_a_start_is_known_since_the_start_of_its_first_sight() -> None:
    first = carried(seen())
    again = carried(seen(launched=STARTED + timedelta(days=1)), first)
    assert type_known_since(again) == STARTED
    # What ran without a stop at first was of its type since its creation.
    assert type_known_since(carried(seen(), carried(seen(launched=CREATED)))) == CREATED


def test_a_record_of_a_version_that_knew_no_launch_has_it_as_its_creation() -> None:
    old = instance(instance_type="m5.large")
    assert type_known_since(carried(seen(), old)) == old.created


def test_a_type_that_changed_counts_since_the_start_with_it_and_goes_on_to() -> None:
    before = carried(seen("m5.2xlarge"))
    next_day = STARTED + timedelta(days=1)
    changed = carried(seen("m5.large", launched=next_day), before)
    assert (type_known_since(changed), PAUSES.since(changed)) == (next_day, next_day)
    again = carried(seen("m5.large", launched=next_day + timedelta(days=1)), changed)
    assert (type_known_since(again), PAUSES.since(again)) == (next_day, next_day)


def test_a_type_that_changed_while_it_is_stopped_counts_since_it_was_seen() -> None:
    stopped = carried(seen("m5.large", launched=CREATED, state="stopped"), seen("m5.2xlarge", launched=CREATED))
    assert PAUSES.since(stopped) == NOW
    started = carried(seen("m5.large", launched=NOW + timedelta(hours=2)), stopped, NOW + timedelta(hours=3))
    assert PAUSES.since(started) == NOW


def test_what_runs_a_part_of_its_hours_is_billed_them_and_its_elastic_address_all_of_them() -> None:
    addresses = {"public_ipv4": ["203.0.113.1", "203.0.113.2"], "elastic": [True, False]}
    one = instance(detailed_monitoring=True, **addresses)  # type: ignore[arg-type]
    half = cost(PAUSES.billed(one, 0.5))
    by_name = {part.dimension: part.quantity for part in KIND.billed_parts(PAUSES.billed(one, 0.5))}
    assert by_name == {
        "instance_hour": Decimal("0.5000"),
        "metric_first_10k": Decimal("3.5000"),
        "public_ipv4_hour": Decimal("1.5000"),
    }
    whole = cost(one)
    assert half.unrounded_monthly is not None
    assert whole.unrounded_monthly is not None
    assert half.unrounded_monthly < whole.unrounded_monthly


def test_a_share_of_hours_is_billed_only_where_it_is_known_that_stops_recur() -> None:
    one = instance()
    assert KIND.as_it_ran(one, None) is one
    assert KIND.as_it_ran(one, Utilization("i-1")) is one
    assert KIND.as_it_ran(one, Utilization("i-1", ran=HoursRan(140 / 336, 14))).text("billed_share") == "0.4167"


@pytest.mark.parametrize("text", [None, "", "0", "-0.5", "1.01", "NaN", "sNaN", "Infinity", "events"])
def test_what_is_no_share_of_hours_leaves_the_month_whole(text: str | None) -> None:
    assert running_share(text) == 1
    assert running_share("0.4167") == Decimal("0.4167")
