"""What people are told: what a change of type needs that AWS cannot tell, and what is there when an act has ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.support.action_cases import INSTANCE, VOLUME, instance_with
from tests.unit.services.ec2.actions.test_action_reading import ScriptedReader

from finops.domain.audit import GENESIS_HASH, Entry, Record, RecordKind
from finops.domain.canonical import Json
from finops.domain.execution import Observation
from finops_operator.acts.journal import journal_of
from finops_operator.plugins.action import Action, Target
from finops_operator.services.ec2.actions.ebs_volume_delete import ACTION as DELETE
from finops_operator.services.ec2.actions.ebs_volume_modify import ACTION as MODIFY
from finops_operator.services.ec2.actions.ec2_instance_resize import ACTION as RESIZE
from finops_operator.services.ec2.actions.ec2_instance_stop import ACTION as STOP

_TO_SMALL: dict[str, Any] = {"instanceType": "m5.large"}
_SHORTEST_CUT = 250
"""A card shows so many characters of a warning."""


@pytest.mark.parametrize(
    ("present", "target", "warned"),
    [
        ({"Hypervisor": "xen"}, {"Hypervisor": "nitro"}, True),
        ({"Hypervisor": "xen"}, {"BareMetal": True}, True),
        ({"Hypervisor": "nitro"}, {"Hypervisor": "nitro"}, False),
        ({"BareMetal": True}, {"Hypervisor": "nitro"}, False),
        ({"Hypervisor": "xen"}, {"Hypervisor": "xen"}, False),
        # AWS names no hypervisor: a type that requires ENA is built on Nitro, any other is not known to be.
        ({"NetworkInfo": {"EnaSupport": "supported"}}, {"NetworkInfo": {"EnaSupport": "required"}}, True),
        ({"NetworkInfo": {"EnaSupport": "required"}}, {"Hypervisor": "nitro"}, False),
    ],
)
def test_a_change_to_nitro_warns_of_drivers_and_device_names(
    present: dict[str, Any], target: dict[str, Any], warned: bool
) -> None:
    told = RESIZE.warnings(instance_with({"type": present, "target": target}), _TO_SMALL)
    about = [one for one in told if "NVMe" in one]
    assert bool(about) == warned
    assert all(len(one) <= _SHORTEST_CUT and "/etc/fstab" in one for one in about)


def volume(**facts: Json) -> Observation:
    return Observation(exists=True, fingerprint={}, facts=facts)


_NOTHING = Observation(exists=False)


@pytest.mark.parametrize(
    ("action", "seen", "sentence"),
    [
        (STOP, volume(state="running", instanceType="m5.large"), "The instance is running with type m5.large."),
        (
            RESIZE,
            volume(state="stopped", instanceType="m5.large", stateReason="Client.InternalError"),
            "The instance is stopped (Client.InternalError) with type m5.large.",
        ),
        (
            RESIZE,
            volume(state="stopped", instanceType="m5.large", stateReason="Client.UserInitiatedShutdown"),
            "The instance is stopped with type m5.large.",
        ),
        (STOP, _NOTHING, "The instance does not exist any more."),
        (MODIFY, _NOTHING, "The volume does not exist any more."),
        (MODIFY, volume(volumeType="gp2", iops="300"), "The volume has type gp2 with 300 IOPS."),
        (
            MODIFY,
            volume(volumeType="gp3", iops="3000", throughput="125", modification="failed"),
            "The volume has type gp3 with 3000 IOPS, 125 MiB/s; its last modification is failed.",
        ),
        (
            DELETE,
            volume(state="in-use", snapshot="pending", created="snap-1"),
            "The volume is in-use; snapshot snap-1 (pending) stays and is billed.",
        ),
        (
            DELETE,
            volume(state="available", snapshot="", created="snap-1"),
            "The volume is available; snapshot snap-1 is not shown by AWS now.",
        ),
        (
            DELETE,
            Observation(exists=False, facts={"snapshot": "", "created": ""}),
            "The volume does not exist any more; AWS shows no snapshot made by this act.",
        ),
    ],
)
def test_the_end_of_an_act_says_what_is_there(action: Action, seen: Observation, sentence: str) -> None:
    resource = INSTANCE if action in (STOP, RESIZE) else VOLUME
    parameters: dict[str, Any] = {**_TO_SMALL, "volumeType": "gp3", "iops": 3000, "throughput": 125}
    plan = action.plan(resource, parameters, {"state": "running", "instanceType": "m5.xlarge", "launchTime": "t0"})
    assert action.procedure.found(plan, seen) == sentence


def test_a_recorded_snapshot_is_named_while_aws_does_not_show_it_yet() -> None:
    reader = ScriptedReader({"ec2:DescribeVolumes": {"Volumes": [{"State": "available"}]}})
    seen = DELETE.observe(reader, Target(VOLUME, {}, "u1", made={"create_snapshot": "snap-1"}))
    assert (seen.text("snapshot"), seen.text("created")) == ("", "snap-1")


def told(kind: RecordKind, step: str, attempt: int, result: str, number: int, **detail: Json) -> Record:
    time = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=number)
    entry = Entry(f"o{number}", "operator", kind, "n/r/u1", step, attempt, "", result, detail)
    return Record(number, GENESIS_HASH, time, 1, entry)


def test_the_journal_remembers_what_was_seen_before_each_call_and_when_a_person_was_first_called() -> None:
    records = [
        told(RecordKind.INTENT, "stop", 1, "", 1, observed={"launchTime": "t0"}),
        told(RecordKind.OUTCOME, "stop", 1, "unknown", 2),
        told(RecordKind.OUTCOME, "stop", 1, "recovered", 3, observed={"launchTime": "t9"}),
        told(RecordKind.OUTCOME, "gone", 0, "NeedsHuman", 4),
        told(RecordKind.OUTCOME, "gone", 0, "NeedsHuman", 5),
    ]
    journal = journal_of(records)
    assert [entry.observed for entry in journal.entries] == [{"launchTime": "t0"}] * 3
    assert journal.alarms == {"gone": records[3].time}
