"""The undo of a volume's deletion: what it is made of, what speaks against it, and what people read before voting."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from tests.support.action_cases import VOLUME

from finops.audit_verify.plan import problem_of_undo
from finops.domain.canonical import Json
from finops.domain.execution import Observation
from finops.domain.plan import Plan
from finops.errors import InvalidInput
from finops_operator.plugins.action import Action, PolicyFacts
from finops_operator.services.ec2.actions.ebs_volume_delete import ACTION as DELETE
from finops_operator.services.ec2.actions.ebs_volume_detach_delete import ACTION as DETACH
from finops_operator.services.ec2.rules import volume_again as again
from finops_operator.services.ec2.rules.snapshot_steps import LAST

SNAPSHOT = "snap-1"
MADE = {LAST: SNAPSHOT}
VOLUME_SEEN: dict[str, Any] = {
    "AvailabilityZone": "us-east-1b",
    "Tags": [{"Key": "team", "Value": "data"}, {"Key": "aws:cloudformation:stack-name", "Value": "shop"}],
}
SETTINGS = {"volumeType": "gp3", "sizeGiB": "100", "iops": "4000", "throughput": "250"}
NOW: dict[str, Json] = {"old": "", "snapshot": "completed", "tier": "standard", "keyState": "Enabled", "again": ""}


def act(settings: Mapping[str, str] = SETTINGS, **seen: Any) -> Plan:
    return DELETE.plan(VOLUME, {}, {**settings, **again.origin({**VOLUME_SEEN, **seen})})


def undo(plan: Plan) -> Plan:
    return DELETE.plan(VOLUME, again.UNDO.parameters(plan, MADE), {"old": "", "snapshot": "completed"})


def call(plan: Plan) -> dict[str, Any]:
    (step,) = [one for one in undo(plan).steps if one.changes]
    assert step.operation == "ec2:CreateVolume"
    return dict(step.parameters)


def test_the_call_names_zone_settings_and_own_tags_of_the_deleted_volume_and_carries_the_request_as_its_token() -> None:
    made = call(act())

    tags = made.pop("TagSpecifications")[0]["Tags"]
    assert made == {
        "AvailabilityZone": "us-east-1b",
        "SnapshotId": SNAPSHOT,
        "VolumeType": "gp3",
        "Size": 100,
        "Iops": 4000,
        "Throughput": 250,
        "ClientToken": "$(request.uid)",
    }
    assert {one["Key"]: one["Value"] for one in tags} == {
        "team": "data",
        "finops.dev/request": "$(request.uid)",
        "finops.dev/step": "create_volume",
    }


def test_a_key_and_multi_attach_come_back_and_figures_only_where_the_type_takes_them() -> None:
    encrypted = call(act(Encrypted=True, KmsKeyId="arn:aws:kms:us-east-1:111111111111:key/1"))
    assert (encrypted["Encrypted"], encrypted["KmsKeyId"]) == (True, "arn:aws:kms:us-east-1:111111111111:key/1")
    gp2 = call(act({**SETTINGS, "volumeType": "gp2", "iops": "300", "throughput": ""}))
    assert not {"Iops", "Throughput", "Encrypted"} & gp2.keys()
    io2 = call(act({**SETTINGS, "volumeType": "io2", "throughput": ""}, MultiAttachEnabled=True))
    assert (io2["Iops"], io2["MultiAttachEnabled"], "Throughput" in io2) == (4000, True, False)


@pytest.mark.parametrize("count", [0, 10, 20])
def test_tags_of_any_length_that_fits_survive_the_parts_in_which_a_request_holds_them(count: int) -> None:
    own = {f"key-{number}": 'ä"\\' * 10 for number in range(count)}
    plan = act(Tags=[{"Key": key, "Value": value} for key, value in own.items()])

    parameters = again.UNDO.parameters(plan, MADE)

    assert all(len(str(value)) <= 256 for value in parameters.values())
    assert len(parameters) <= 20
    tags = {one["Key"]: one["Value"] for one in call(plan)["TagSpecifications"][0]["Tags"]}
    assert own.items() <= tags.items()
    assert len(json.dumps(call(plan), ensure_ascii=False)) <= 4096
    assert problem_of_undo(plan.to_json(), undo(plan).to_json(), MADE) == ""


@pytest.mark.parametrize(
    ("plan", "made", "why"),
    [
        (act(), {}, "which snapshot was the last one"),
        (act(Tags=[{"Key": "k", "Value": "v" * 1500}]), MADE, "too long"),
        (act(Tags=[{"Key": f"k{number}", "Value": ""} for number in range(49)]), MADE, "too many"),
        (act(OutpostArn="arn:aws:outposts:1"), MADE, "Outpost"),
        (DELETE.plan(VOLUME, {}, SETTINGS), MADE, "does not say zone"),
    ],
    ids=["no snapshot", "long tags", "no room for our tags", "outpost", "older plan"],
)
def test_what_cannot_be_made_as_it_was_is_left_to_people(plan: Plan, made: Mapping[str, str], why: str) -> None:
    with pytest.raises(InvalidInput, match=why) as error:
        again.UNDO.parameters(plan, made)
    assert "by hand" in str(error.value.hint)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, None),
        ({"old": "available"}, "ThereAgain"),
        ({"snapshot": ""}, "SnapshotGone"),
        ({"snapshot": "error"}, "SnapshotUnusable"),
        ({"tier": "archive"}, "SnapshotArchived"),
        ({"keyState": "PendingDeletion"}, "KmsKeyUnusable"),
        ({"keyState": "unknown"}, None),
    ],
)
def test_nothing_is_made_without_its_snapshot_its_key_or_while_the_old_volume_is_there(
    change: dict[str, Json], code: str | None
) -> None:
    parameters = again.UNDO.parameters(act(), MADE)
    for action in (DELETE, DETACH):
        found = action.preflight(Observation(True, facts={**NOW, **change}), parameters, PolicyFacts())
        assert [one.code for one in found] == ([] if code is None else [code])


def test_whoever_votes_reads_that_the_id_is_new_and_that_nothing_is_attached() -> None:
    plan = undo(act())
    for action in (DELETE, DETACH):
        words = action.words(Observation(True, facts=NOW), plan.parameters, plan)
        assert "with a new id" in words.change
        assert "attached to nothing" in words.consequence
        said = " ".join(action.warnings(Observation(True, facts=NOW), plan.parameters))
        assert "a new id" in said
        assert "a person attaches it" in said
    deletion = DELETE.words(Observation(True, facts={}), {}, act())
    assert "with a new id, from the last snapshot, as long as that exists" in deletion.undo
    assert "by hand" in DELETE.words(Observation(True, facts={}), {}, act(OutpostArn="arn")).undo


@pytest.mark.parametrize("action", [DELETE, DETACH], ids=lambda action: action.id)
def test_an_undo_that_turned_back_after_it_had_made_a_volume_is_left_to_people(action: Action) -> None:
    for state, is_led_back in (("creating", False), ("error", False), ("", True)):
        now = Observation(True, facts={**NOW, "again": state})
        assert action.procedure.restored(undo(act()), now) is is_led_back, state


@pytest.mark.parametrize(
    ("changed", "verified"),
    [({}, True), ({"zone": "us-east-1a"}, False), ({"iops": 3000}, False), ({"kmsKey": "by-default"}, True)],
)
def test_a_new_volume_that_is_not_as_the_old_one_was_does_not_count(changed: dict[str, Json], verified: bool) -> None:
    made: dict[str, Json] = {"zone": "us-east-1b", "volumeType": "gp3", "sizeGiB": 100, "iops": 4000, "throughput": 250}
    now = Observation(True, facts={**NOW, "again": "available", "made": {**made, **changed}})
    assert DELETE.procedure.verified(undo(act()), now) is verified


def test_the_verifier_refuses_an_undo_with_another_snapshot_size_or_tag() -> None:
    plan = act()
    for forged in (act({**SETTINGS, "sizeGiB": "200"}), act(Tags=[]), act(AvailabilityZone="us-east-1a")):
        assert problem_of_undo(plan.to_json(), undo(forged).to_json(), MADE)
    assert problem_of_undo(plan.to_json(), undo(plan).to_json(), {LAST: "snap-2"})
    assert problem_of_undo(plan.to_json(), undo(plan).to_json())


def test_ec2_may_do_with_the_key_all_that_aws_asks_for_and_make_grants_for_a_volume_alone() -> None:
    key = "arn:aws:kms:us-east-1:111111111111:key/1"
    plan = undo(act(Encrypted=True, KmsKeyId=key))
    asked = {"kms:CreateGrant", "kms:DescribeKey", "kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext"}
    asked |= {"kms:ReEncryptFrom", "kms:ReEncryptTo"}
    for action in (DELETE, DETACH):
        now = Observation(True, facts=NOW)
        session: list[Any] = list(action.observed_statements(plan, plan.steps[0], now))
        role: list[Any] = [one for one in action.rights.narrowed if "kms:" in json.dumps(one["Action"])]
        assert all(one["Resource"] == [key] for one in session)
        for statements in (session, role):
            actions = [[one["Action"]] if isinstance(one["Action"], str) else one["Action"] for one in statements]
            assert {name for names in actions for name in names} == asked
            assert all("kms:ViaService" in json.dumps(one["Condition"]) for one in statements)
            grants = [one for one, names in zip(statements, actions, strict=True) if "kms:CreateGrant" in names]
            assert [one["Condition"]["Bool"] for one in grants] == [{"kms:GrantIsForAWSResource": "true"}]
            # The other requests do not have this key: a condition on it would refuse them.
            assert all(one in grants or "Bool" not in one["Condition"] for one in statements)
        assert asked <= set(action.permissions)
