"""What actions read, how answers to calls are classified, and how the journal is read back from records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, Final, cast

import pytest
from tests.support.action_cases import INSTANCE, VOLUME

from finops.domain.audit import GENESIS_HASH, Entry, Record, RecordKind
from finops.domain.canonical import Json
from finops.domain.decision import State
from finops.domain.execution import Observation, Result
from finops.errors import (
    AwsCredentialsInvalid,
    AwsDenied,
    AwsError,
    AwsOutcomeUnknown,
    AwsRejected,
    AwsThrottled,
    AwsUnreachable,
)
from finops.ports.ledger import Ledger
from finops_operator.acts.caller import call_once
from finops_operator.acts.journal import in_flight, journal_of
from finops_operator.plugins.action import Action, Attended, PolicyFacts, Target
from finops_operator.services.ec2.actions.ebs_volume_delete import ACTION as DELETE
from finops_operator.services.ec2.actions.ebs_volume_modify import ACTION as MODIFY
from finops_operator.services.ec2.actions.ec2_instance_resize import ACTION as RESIZE
from finops_operator.services.ec2.actions.ec2_instance_stop import ACTION as STOP
from finops_operator.services.ec2.rules.calls import CALLS

_INSTANCE = {"State": {"Name": "running"}, "InstanceType": "m5.xlarge", "LaunchTime": "t0"}
_VOLUME = {"State": "available", "VolumeType": "gp2", "Size": 100, "Iops": 300}
_PARAMETERS: dict[str, Any] = {"instanceType": "m5.large", "volumeType": "gp3", "iops": 3000, "throughput": 125}


def rejected(code: str) -> AwsRejected:
    return AwsRejected("no", operation="ec2:Describe", code=code)


@dataclass(slots=True)
class ScriptedReader:
    """Answers reads from a table; an exception in it is raised; what is not in it is empty."""

    answers: Mapping[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    parameters: list[Mapping[str, Any]] = field(default_factory=list)

    def read(self, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        self.asked.append(operation)
        self.parameters.append(parameters)
        answer = self.answers.get(operation, {})
        if isinstance(answer, Exception):
            raise answer
        found: Mapping[str, Any] = answer
        return found


def instances(*found: Mapping[str, Any]) -> dict[str, Any]:
    return {"ec2:DescribeInstances": {"Reservations": [{"Instances": list(found)}]}}


@pytest.mark.parametrize("action", [STOP, RESIZE])
@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"ec2:DescribeInstances": rejected("InvalidInstanceID.NotFound")},
        instances({**_INSTANCE, "State": {"Name": "terminated"}}),
    ],
)
def test_an_instance_that_aws_knows_no_more_does_not_exist(action: Action, answers: dict[str, Any]) -> None:
    assert not action.observe(ScriptedReader(answers), Target(INSTANCE, _PARAMETERS)).exists


@pytest.mark.parametrize("action", [MODIFY, DELETE])
@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"ec2:DescribeVolumes": rejected("InvalidVolume.NotFound")},
        {"ec2:DescribeVolumes": {"Volumes": [{**_VOLUME, "State": "deleting"}]}},
    ],
)
def test_a_volume_that_aws_knows_no_more_does_not_exist(action: Action, answers: dict[str, Any]) -> None:
    assert not action.observe(ScriptedReader(answers), Target(VOLUME, _PARAMETERS, "u1")).exists


@pytest.mark.parametrize(("action", "operation"), [(STOP, "ec2:DescribeInstances"), (DELETE, "ec2:DescribeVolumes")])
def test_any_other_refusal_of_a_read_is_no_absence(action: Action, operation: str) -> None:
    resource = INSTANCE if action is STOP else VOLUME
    with pytest.raises(AwsRejected):
        action.observe(ScriptedReader({operation: rejected("InvalidParameterValue")}), Target(resource, {}))


def test_what_was_not_read_is_unknown_and_refused() -> None:
    answers = instances(_INSTANCE) | {"ec2:DescribeInstanceTypes": rejected("InvalidInstanceType")}
    seen = RESIZE.observe(ScriptedReader(answers), Target(INSTANCE, _PARAMETERS))
    assert (seen.facts["stopProtection"], seen.facts["type"], seen.facts["target"]) == (None, None, None)
    assert seen.facts["offered"] is False
    assert seen.facts["checks"] == "unknown"


def test_status_checks_pass_only_when_both_do_and_finished_events_do_not_count() -> None:
    def status(instance: str, system: str) -> dict[str, Any]:
        events = [{"Code": "reboot", "Description": "[Completed] done"}, {"Code": "stop", "Description": "soon"}]
        told = {"InstanceStatus": {"Status": instance}, "SystemStatus": {"Status": system}, "Events": events}
        return instances(_INSTANCE) | {"ec2:DescribeInstanceStatus": {"InstanceStatuses": [told]}}

    good = STOP.observe(ScriptedReader(status("ok", "ok")), Target(INSTANCE, {}))
    assert (good.facts["checks"], good.facts["events"]) == ("ok", ["stop"])
    assert STOP.observe(ScriptedReader(status("ok", "impaired")), Target(INSTANCE, {})).facts["checks"] != "ok"


def test_once_something_changed_only_progress_is_read() -> None:
    reader = ScriptedReader(instances(_INSTANCE))
    RESIZE.observe(reader, Target(INSTANCE, _PARAMETERS, "u1", full=False))
    assert reader.asked == ["ec2:DescribeInstances", "ec2:DescribeInstanceStatus"]


@pytest.mark.parametrize("code", ["InvalidVolumeModification.NotFound", "InvalidVolume.NotFound"])
def test_a_volume_never_modified_has_no_modification(code: str) -> None:
    answers = {"ec2:DescribeVolumes": {"Volumes": [_VOLUME]}, "ec2:DescribeVolumesModifications": rejected(code)}
    assert MODIFY.observe(ScriptedReader(answers), Target(VOLUME, _PARAMETERS)).text("modification") == ""


def test_other_refusals_of_the_modifications_are_not_hidden() -> None:
    answers = {"ec2:DescribeVolumes": {"Volumes": [_VOLUME]}, "ec2:DescribeVolumesModifications": rejected("Other")}
    with pytest.raises(AwsRejected):
        MODIFY.observe(ScriptedReader(answers), Target(VOLUME, _PARAMETERS))


@pytest.mark.parametrize(
    ("states", "shown"),
    [([], ""), (["error"], "error"), (["error", "pending"], "pending"), (["pending", "completed"], "completed")],
)
def test_the_best_snapshot_of_the_request_is_the_one_that_counts(states: list[str], shown: str) -> None:
    found = [{"SnapshotId": f"snap-{n}", "State": state, "StartTime": str(n)} for n, state in enumerate(states)]
    answers = {"ec2:DescribeVolumes": {"Volumes": [_VOLUME]}, "ec2:DescribeSnapshots": {"Snapshots": found}}
    assert DELETE.observe(ScriptedReader(answers), Target(VOLUME, {}, "u1")).text("snapshot") == shown


def test_once_its_making_is_recorded_the_snapshot_is_found_by_its_id_alone() -> None:
    reader = ScriptedReader(
        {
            "ec2:DescribeVolumes": {"Volumes": [_VOLUME]},
            "ec2:DescribeSnapshots": {"Snapshots": [{"SnapshotId": "snap-1", "State": "completed"}]},
        }
    )
    seen = DELETE.observe(reader, Target(VOLUME, {}, "u1", made={"create_snapshot": "snap-1"}))
    assert (seen.text("snapshot"), seen.text("created")) == ("completed", "snap-1")
    wanted = [{"Name": "snapshot-id", "Values": ["snap-1"]}, {"Name": "volume-id", "Values": ["vol-1"]}]
    assert reader.parameters[1]["Filters"] == wanted


_BOTH_MADE = {"create_snapshot": "snap-1", "create_last_snapshot": "snap-2"}


def two_snapshots(answers: list[dict[str, Any]], **shown: str) -> ScriptedReader:
    snapshot = {"SnapshotId": "snap-1", "State": "completed", "StartTime": "2026-03-01T00:01:00+00:00", **shown}
    return ScriptedReader(
        {
            "ec2:DescribeVolumes": {"Volumes": [_VOLUME]},
            "ec2:DescribeSnapshots": {"Snapshots": [snapshot]},
            "cloudwatch:GetMetricData": {"MetricDataResults": answers},
        }
    )


@pytest.mark.parametrize(("values", "refused"), [([], False), ([0.0], True), ([12.0], True)])
def test_a_volume_that_reported_to_cloudwatch_after_its_first_snapshot_was_attached(
    values: list[float], *, refused: bool
) -> None:
    """A short use counts too: what was written in it may be in no snapshot."""
    answers: list[dict[str, Any]] = [
        {"Id": "q0", "Values": values, "StatusCode": "Complete"},
        {"Id": "q1", "StatusCode": "Complete"},
    ]
    reader = two_snapshots(answers)

    seen = DELETE.observe(reader, Target(VOLUME, {}, "u1", made=_BOTH_MADE))

    assert reader.parameters[-1]["StartTime"] == datetime(2026, 3, 1, 0, 0, tzinfo=UTC), "its whole period counts"
    codes = [refusal.code for refusal in DELETE.preflight(seen, {}, PolicyFacts())]
    assert ("UsedMeanwhile" in codes) is refused


@pytest.mark.parametrize(
    ("attended", "seen"),
    [
        (Attended(), False),
        (Attended(599.0), False),
        (Attended(600.0), True),
        (Attended(3.0, frozenset({"create_last_snapshot"})), True),
        (Attended(3.0, frozenset({"create_snapshot"})), False),
    ],
)
def test_a_use_since_the_last_snapshot_was_seen_or_shows_in_cloudwatch_by_now(
    attended: Attended, *, seen: bool
) -> None:
    reader = two_snapshots([{"Id": f"q{number}", "StatusCode": "Complete"} for number in range(2)])
    now = DELETE.observe(reader, Target(VOLUME, {}, "u1", made=_BOTH_MADE, attended=attended))
    assert now.facts["attended"] is seen


@pytest.mark.parametrize(
    "answers",
    [
        [],
        [{"Id": "q0", "Values": [], "StatusCode": "Complete"}],
        [{"Id": "q0", "StatusCode": "Complete"}, {"Id": "q1", "StatusCode": "InternalError"}],
        [{"Id": "q0", "StatusCode": "PartialData"}, {"Id": "q1", "StatusCode": "Complete"}],
    ],
    ids=["nothing", "one of two", "internal error", "partial"],
)
def test_no_figures_from_a_cloudwatch_that_did_not_answer_in_full_prove_nothing(answers: list[dict[str, Any]]) -> None:
    with pytest.raises(AwsUnreachable, match="does not say whether vol-1 was used"):
        DELETE.observe(two_snapshots(answers), Target(VOLUME, {}, "u1", made=_BOTH_MADE))


def test_figures_on_a_later_page_complete_those_of_an_earlier_one() -> None:
    pages = [{"Id": "q0", "StatusCode": word} for word in ("PartialData", "Complete")]
    seen = DELETE.observe(
        two_snapshots([*pages, {"Id": "q1", "StatusCode": "Complete"}]), Target(VOLUME, {}, "u1", made=_BOTH_MADE)
    )
    assert DELETE.preflight(seen, {}, PolicyFacts()) == ()


def test_a_first_snapshot_that_is_gone_leaves_open_whether_the_volume_was_used() -> None:
    seen = DELETE.observe(two_snapshots([], StartTime=""), Target(VOLUME, {}, "u1", made=_BOTH_MADE))
    assert [refusal.code for refusal in DELETE.preflight(seen, {}, PolicyFacts())] == ["UseUnknown"]


def test_without_a_request_no_snapshot_is_searched_for() -> None:
    reader = ScriptedReader({"ec2:DescribeVolumes": {"Volumes": [_VOLUME]}})
    DELETE.observe(reader, Target(VOLUME, {}))
    assert reader.asked == ["ec2:DescribeVolumes"]


@dataclass(frozen=True, slots=True)
class OneAnswer:
    """A step client with one answer."""

    answer: Callable[[], Mapping[str, Any]]
    seconds_left: float = 60.0

    def call(self, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        return self.answer()


def failing(error: AwsError) -> OneAnswer:
    def raise_it() -> Mapping[str, Any]:
        raise error

    return OneAnswer(raise_it)


@pytest.mark.parametrize(
    ("kind", "code", "result", "retryable"),
    [
        (AwsOutcomeUnknown, "ReadTimeoutError", Result.UNKNOWN, False),
        (AwsOutcomeUnknown, "InternalError", Result.UNKNOWN, False),
        (AwsOutcomeUnknown, "InsufficientInstanceCapacity", Result.REJECTED, False),
        (AwsThrottled, "RequestLimitExceeded", Result.REJECTED, True),
        (AwsUnreachable, "EndpointConnectionError", Result.REJECTED, True),
        (AwsCredentialsInvalid, "ExpiredToken", Result.REJECTED, True),
        (AwsRejected, "IncorrectInstanceState", Result.REJECTED, False),
        (AwsDenied, "UnauthorizedOperation", Result.REJECTED, False),
    ],
)
def test_only_a_missing_answer_leaves_the_outcome_unknown(
    kind: type[AwsError], code: str, result: Result, retryable: bool
) -> None:
    answer = call_once(failing(kind("m" * 1000, operation="ec2:Do", code=code)), "ec2:Do", {}, CALLS)
    assert (answer.result, answer.detail["code"], answer.detail["retryable"]) == (result, code, retryable)
    assert len(str(answer.detail["message"])) <= 300


def test_of_an_answer_the_ledger_keeps_only_what_was_created() -> None:
    answer = call_once(OneAnswer(lambda: {"SnapshotId": "snap-1", "Secret": "x"}), "ec2:CreateSnapshot", {}, CALLS)
    assert (answer.result, answer.detail) == (Result.OK, {"SnapshotId": "snap-1", "created": "snap-1"})


def told(*entries: tuple[RecordKind, str, int, str]) -> list[Record]:
    return [
        Record(
            number,
            GENESIS_HASH,
            datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=number),
            1,
            Entry(f"o{number}", "operator", kind, "n/r/u1", step, attempt, "", result, {"reason": "why"}),
        )
        for number, (kind, step, attempt, result) in enumerate(entries, start=1)
    ]


def test_the_journal_holds_intents_outcomes_the_turn_and_the_end_and_nothing_else() -> None:
    journal = journal_of(
        told(
            (RecordKind.PROPOSED, "", 0, ""),
            (RecordKind.DECIDED, "", 0, "Approved"),
            (RecordKind.OUTCOME, "", 0, "started"),
            (RecordKind.INTENT, "stop", 1, ""),
            (RecordKind.OUTCOME, "stop", 1, "unknown"),
            (RecordKind.OUTCOME, "stop", 1, "recovered"),
            (RecordKind.OUTCOME, "stop", 0, "NeedsHuman"),
            (RecordKind.OUTCOME, "start", 0, "compensating"),
            (RecordKind.OUTCOME, "", 0, "RolledBack"),
        )
    )
    assert [(entry.step, entry.result) for entry in journal.entries] == [
        ("stop", None),
        ("stop", Result.UNKNOWN),
        ("stop", Result.RECOVERED),
    ]
    assert (journal.turned, journal.ended, journal.end_message) == ("why", State.ROLLED_BACK, "why")


def test_what_an_act_made_is_read_back_from_the_answer_or_from_the_reading_that_found_it() -> None:
    answered, settled = told((RecordKind.OUTCOME, "make", 1, "ok"), (RecordKind.OUTCOME, "make", 2, "recovered"))
    answered = replace(answered, entry=replace(answered.entry, detail={"SnapshotId": "snap-1", "created": "snap-1"}))
    settled = replace(settled, entry=replace(settled.entry, detail={"created": "snap-2"}))
    assert journal_of([answered]).made == {"make": "snap-1"}
    assert journal_of([answered, settled]).made == {"make": "snap-2"}
    assert journal_of(told((RecordKind.INTENT, "make", 1, ""))).made == {}


@pytest.mark.parametrize("action", [STOP, RESIZE])
def test_waiting_for_the_stop_of_a_terminated_instance_has_failed(action: Action) -> None:
    plan = action.plan(INSTANCE, _PARAMETERS, {"state": "running", "instanceType": "m5.xlarge", "launchTime": "t0"})
    failed = action.procedure.steps["wait_stopped"].failed
    assert failed(plan, Observation(exists=False))
    assert failed(plan, Observation(exists=True, facts={"state": "shutting-down"}))
    assert not failed(plan, Observation(exists=True, facts={"state": "stopping"}))


def written(*records: Record) -> Ledger:
    """A ledger that holds these records and is only read."""
    return cast("Ledger", SimpleNamespace(unfinished=lambda: iter(records)))


@pytest.mark.parametrize("word", ["Withdrawn", "Expired"])
def test_an_act_that_was_ended_by_a_decision_before_its_first_call_is_not_in_flight(word: str) -> None:
    begun, intent, decided = told(
        (RecordKind.OUTCOME, "", 0, "started"), (RecordKind.INTENT, "stop", 1, ""), (RecordKind.DECIDED, "", 0, word)
    )
    plan = STOP.plan(INSTANCE, {}, {"state": "running"})
    detail: dict[str, Json] = {"plan": plan.to_json(), "policy": "p", "account": "a", "deciders": []}
    begun = replace(begun, entry=replace(begun.entry, detail={**detail, "dryRun": False, "estimate": {}}))
    assert [act.uid for act in in_flight(written(begun))] == ["u1"]
    assert in_flight(written(begun, decided)) == ()
    # Something was called: only the executor ends it.
    assert [act.uid for act in in_flight(written(begun, intent, decided))] == ["u1"]


def test_a_decision_made_elsewhere_does_not_end_the_journal() -> None:
    assert journal_of(told((RecordKind.DECIDED, "", 0, "Denied"))).ended is None


_DISKS: Final = {"BlockDeviceMappings": [{"Ebs": {"VolumeId": "vol-1"}}, {"Ebs": {"VolumeId": "vol-2"}}]}
_KEY: Final = "arn:aws:kms:us-east-1:1:key/k"


@pytest.mark.parametrize(
    ("volumes", "keys"),
    [
        ({"Volumes": [{"Encrypted": True, "KmsKeyId": _KEY}, {"Encrypted": False}]}, [_KEY]),
        ({"Volumes": [{"Encrypted": True, "KmsKeyId": _KEY}] * 2}, [_KEY]),
        ({"Volumes": [{"Encrypted": False}, {"Encrypted": False}]}, []),
        ({"Volumes": [{"Encrypted": True}, {"Encrypted": False}]}, None),
        ({"Volumes": [{"Encrypted": True, "KmsKeyId": _KEY}]}, None),
        (rejected("InvalidVolume.NotFound"), None),
        (AwsDenied("no", operation="ec2:DescribeVolumes"), None),
    ],
)
def test_the_keys_of_a_stopped_instances_volumes_are_read_in_mid_act_or_not_known(volumes: Any, keys: Any) -> None:
    stopped = {**_INSTANCE, **_DISKS, "State": {"Name": "stopped"}}
    reader = ScriptedReader(instances(stopped) | {"ec2:DescribeVolumes": volumes})
    seen = RESIZE.observe(reader, Target(INSTANCE, _PARAMETERS, full=False))
    assert seen.facts["volumeKeys"] == keys


def test_an_instance_without_volumes_has_no_keys_and_one_that_runs_is_not_asked_about_in_mid_act() -> None:
    stopped = {**_INSTANCE, "State": {"Name": "stopped"}}
    seen = RESIZE.observe(ScriptedReader(instances(stopped)), Target(INSTANCE, _PARAMETERS, full=False))
    assert seen.facts["volumeKeys"] == []
    reader = ScriptedReader(instances({**_INSTANCE, **_DISKS}))
    RESIZE.observe(reader, Target(INSTANCE, _PARAMETERS, full=False))
    assert "ec2:DescribeVolumes" not in reader.asked
