"""Undo, end to end: asked for by an Approval, proposed by the operator, voted, carried out, recorded."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from tests.support.operator_estate import ACCOUNT, CONSOLE, LARGE, REGION, Obj
from tests.support.operator_rig import Case, Rig, eventually, running_rig

from finops.store.connection import open_store
from finops.store.realized import StoredSavings
from finops_operator.cli.main import run


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with running_rig(tmp_path_factory.mktemp("undo"), watch_seconds="1") as rig:
        grant(rig, "ec2_instance_stop", "ec2_instance_resize")
        yield rig


def grant(rig: Rig, *actions: str) -> None:
    """Let every case's namespace do so in the account."""
    (account,) = copy.deepcopy(list(rig.k8s.objects("awsaccounts.finops.dev")))
    account["spec"]["allow"][0]["actions"] = list(actions)
    rig.k8s.apply(account)


def stopped(case: Case) -> Obj:
    """Return the request of a stop that succeeded."""
    act, _ = case.proposed(2)
    case.vote(act, "alice")
    return case.wait_state(act, "Succeeded")


def undo_of(case: Case, act: Obj) -> Obj:
    """Wait for the request that undoes `act` and return it."""

    def found() -> Obj:
        undos = [one for one in case.requests() if one["spec"].get("undoes", {}).get("uid") == act["metadata"]["uid"]]
        return undos[-1] if undos and undos[-1].get("status", {}).get("state") else {}

    return dict(eventually(found, what=f"{case.request(act['metadata']['name'])}\n{case.rig.tail()}"))


def undo_status(case: Case, act: Obj, **expected: str) -> Obj:
    """Wait until the act's request shows what came of its undo."""

    def shown() -> Obj:
        undo = case.request(act["metadata"]["name"])["status"].get("undo", {})
        return undo if expected.items() <= undo.items() else {}

    return dict(eventually(shown, what=f"{case.request(act['metadata']['name'])['status']}\n{case.rig.tail()}"))


def realised(case: Case) -> Decimal:
    store = open_store(case.rig.valkey.url)
    try:
        entries = [one for one in StoredSavings(store).read() if one["namespace"] == case.name]
    finally:
        store.client.close()
    return sum((Decimal(one["saving"]) for one in entries), Decimal(0))


def test_a_stop_is_undone_by_a_request_of_its_own_and_its_saving_ends(rig: Rig) -> None:
    case = rig.case()
    case.apply()
    act = stopped(case)
    assert act["status"]["undo"]["until"]
    assert realised(case) == Decimal(act["spec"]["estimate"]["monthlySavings"]) > 0

    assert case.answer(case.vote(act, "bob", "Undo", reason="The team needs it."))[:2] == ("Counted", "Undo")

    undo = undo_of(case, act)
    assert undo["spec"]["undoes"] == {
        "name": act["metadata"]["name"],
        "uid": act["metadata"]["uid"],
        "required": act["spec"]["approval"]["required"],
        "outsideWindows": True,
    }
    assert "k8s.bob" in undo["spec"]["evidence"]["reason"]
    assert "The team needs it." in undo["spec"]["evidence"]["reason"]
    assert undo["spec"]["action"] == "ec2_instance_stop"
    assert undo["spec"]["estimate"]["newMonthlyCost"] == act["spec"]["estimate"]["currentMonthlyCost"]
    undo_status(case, act, request=undo["metadata"]["name"])
    case.stays(undo, "Pending")
    assert case.instance(act)["state"] == "stopped"

    case.vote(undo, "alice")

    case.wait_state(undo, "Succeeded")
    assert case.instance(act)["state"] == "running"
    undo_status(case, act, state="Succeeded", message=f"Undone by request {undo['metadata']['name']}.")
    assert case.state(act) == "Succeeded"
    assert realised(case) == 0
    assert [(one["actor"], one["result"]) for one in case.story("undone")] == [
        ("k8s.bob", "proposed"),
        ("operator", "ok"),
    ]
    case.check(StopInstances=1, StartInstances=1)
    again = case.answer(case.vote(act, "alice", "Undo"))
    assert again[:2] == ("Refused", "NothingToUndo")


def test_only_approvers_undo_only_what_succeeded_and_only_its_plan(rig: Rig) -> None:
    case = rig.case()
    case.apply()
    act, pending = case.proposed(2)
    early = case.answer(case.vote(act, "alice", "Undo"))
    assert early == ("Refused", "NothingToUndo", "There is nothing to undo: the request is Pending.")
    case.vote(act, "alice")
    act = case.wait_state(act, "Succeeded")

    stranger = case.answer(case.vote(act, "carol", "Undo"))
    other_plan = case.answer(case.vote({**act, "spec": {**act["spec"], "planHash": "0" * 64}}, "alice", "Undo"))

    assert stranger[:2] == ("Refused", "NotEligible")
    assert other_plan[:2] == ("Refused", "WrongPlan")
    assert len(case.requests()) == 2
    assert case.state(pending) == "Pending"
    case.check(StopInstances=1)


def test_what_somebody_started_meanwhile_is_not_ours_to_undo(rig: Rig) -> None:
    case = rig.case()
    case.apply()
    act = stopped(case)
    case.change_by_hand(act, state="running")

    case.vote(act, "alice", "Undo")

    undo_status(case, act, message="Not undone: It was started since the act stopped it.")
    assert [one["result"] for one in case.story("undone")] == ["refused"]
    case.check(StopInstances=1)


NEVER = {"schedule": "0 3 1 1 *", "duration": "1h", "timeZone": "UTC"}


def test_a_resize_is_undone_to_the_old_type_when_a_window_of_the_policy_lets_it_be_stopped(rig: Rig) -> None:
    case = rig.large_case()
    case.apply(actions={"allowed": ["ec2_instance_resize"]}, checks=[{"id": "ec2_instance_idle", "enabled": False}])
    act, _ = case.proposed(2)
    case.vote(act, "alice")
    act = case.wait_state(act, "Succeeded")
    assert case.instance(act)["type"] == act["spec"]["parameters"]["instanceType"] != "m5.2xlarge"
    case.vote(act, "alice", "Undo")
    undo = undo_of(case, act)
    assert undo["spec"]["parameters"] == {"instanceType": "m5.2xlarge"}
    case.apply(actions={"allowed": ["ec2_instance_resize"], "windows": [NEVER]})

    case.vote(undo, "bob")

    case.wait_state(undo, "Approved")
    case.stays(undo, "Approved", seconds=1)
    assert case.instance(act)["type"] != "m5.2xlarge"
    case.apply(actions={"allowed": ["ec2_instance_resize"]})
    case.wait_state(undo, "Succeeded")
    assert case.instance(act)["type"] == "m5.2xlarge"
    assert case.instance(act)["state"] == "running"
    assert realised(case) == 0
    case.check(StopInstances=2, ModifyInstanceAttribute=2, StartInstances=2)
    case.scan_now("after the undo")
    assert len([one for one in case.requests() if one["spec"]["resource"]["id"] == act["spec"]["resource"]["id"]]) == 2


def test_an_alarm_that_goes_on_after_a_resize_is_said_once_though_the_operator_dies(rig: Rig) -> None:
    case, cloudwatch = rig.large_case(LARGE[1]), rig.aws.client("cloudwatch", user_arn=CONSOLE)
    cloudwatch.put_metric_alarm(
        AlarmName="shop-slow",
        Namespace="Shop",
        MetricName="Latency",
        Period=60,
        EvaluationPeriods=1,
        Statistic="Average",
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
    )
    cloudwatch.set_alarm_state(AlarmName="shop-slow", StateValue="OK", StateReason="fast")
    actions = {"allowed": ["ec2_instance_resize"], "watch": {"hours": 24, "alarm": "shop-slow"}}
    case.apply(actions=actions, checks=[{"id": "ec2_instance_idle", "enabled": False}])
    act, _ = case.proposed(2)
    assert "projectedCpuP99_5Percent" in act["spec"]["evidence"]["values"]
    case.vote(act, "alice")
    act = case.wait_state(act, "Succeeded")

    def watch(state: str) -> Obj:
        shown = case.request(act["metadata"]["name"])["status"].get("watch", {})
        return dict(shown) if shown.get("state") == state else {}

    assert eventually(lambda: watch("Watching"), what=rig.tail())["until"]
    rig.restart(kill_point="watch.worse")

    cloudwatch.set_alarm_state(AlarmName="shop-slow", StateValue="ALARM", StateReason="slow")

    rig.wait_killed()
    rig.start()
    shown = eventually(lambda: watch("Worse"), what=rig.tail())
    assert shown["worse"].startswith("Alarm shop-slow is on. Its undo is put to the vote")
    case.stays(act, "Succeeded")
    found = case.story("watched")
    assert [(one["result"], one["actor"], one["detail"]["signs"]["alarm"]) for one in found] == [
        ("worse", "operator", "worse")
    ]
    undo = undo_of(case, act)
    assert undo["spec"]["parameters"] == {"instanceType": "m5.2xlarge"}
    assert "asked for by its watch" in undo["spec"]["evidence"]["reason"]
    case.stays(undo, "Pending")
    case.check(StopInstances=1, ModifyInstanceAttribute=1, StartInstances=1)


def test_a_stopped_instance_is_started_in_the_middle_of_the_day_as_people_have_read(rig: Rig) -> None:
    case = rig.case()
    case.apply()
    act = stopped(case)
    case.apply(actions={"windows": [NEVER]})
    case.vote(act, "alice", "Undo")
    undo = undo_of(case, act)
    assert undo["spec"]["undoes"]["outsideWindows"] is True
    assert "also outside the policy's windows" in undo["spec"]["presentation"]["warnings"][0]

    case.vote(undo, "bob")

    case.wait_state(undo, "Succeeded")
    case.check(StopInstances=1, StartInstances=1)


def test_an_undo_that_was_denied_can_be_asked_for_again(rig: Rig) -> None:
    case = rig.case()
    case.apply()
    act = stopped(case)
    case.vote(act, "alice", "Undo")
    first = undo_of(case, act)
    case.vote(act, "bob", "Undo")
    eventually(lambda: len(case.story("undone")) == 2, what=rig.tail())
    assert len(case.requests()) == 3
    case.vote(first, "bob", "Deny", reason="Not before the weekend.")
    undo_status(case, act, state="Denied", message=f"Not undone: request {first['metadata']['name']} is Denied.")

    case.vote(act, "alice", "Undo")

    undo_status(
        case,
        act,
        request=eventually(
            lambda: (
                undo_of(case, act)["metadata"]["name"] != first["metadata"]["name"]
                and undo_of(case, act)["metadata"]["name"]
            )
        ),
    )
    case.vote(undo_of(case, act), "bob")
    undo_status(case, act, state="Succeeded")
    case.check(StopInstances=1, StartInstances=1)


def test_an_undo_needs_as_many_approvals_as_the_act_though_the_policy_asks_for_fewer_now(rig: Rig) -> None:
    case = rig.case()
    case.apply(approval={"required": 2})
    act, _ = case.proposed(2)
    case.vote(act, "alice")
    case.vote(act, "bob")
    act = case.wait_state(act, "Succeeded")
    case.apply(approval={"required": 1})
    case.vote(act, "alice", "Undo")
    undo = undo_of(case, act)
    assert undo["spec"]["approval"]["required"] == 2

    case.vote(undo, "alice")
    case.stays(undo, "Pending")
    case.scan_now("while it waits")
    case.stays(undo, "Pending", seconds=1)
    case.vote(undo, "bob")

    case.wait_state(undo, "Succeeded")
    case.check(StopInstances=1, StartInstances=1)


def test_without_the_grant_of_the_act_there_is_no_undo(rig: Rig) -> None:
    case = rig.case()
    case.apply()
    act = stopped(case)
    case.apply(actions={"mode": "DryRun"})

    case.vote(act, "alice", "Undo")

    undo_status(case, act, message="Not undone: Policy p is in mode DryRun, in which nothing is changed.")
    case.check(StopInstances=1)


def test_a_request_in_the_form_of_an_undo_that_the_operator_did_not_make_does_nothing(rig: Rig) -> None:
    case = rig.case()
    case.apply()
    act = stopped(case)
    case.vote(act, "alice", "Undo")
    undo = undo_of(case, act)
    case.vote(undo, "bob", "Deny", reason="Not now.")
    case.wait_state(undo, "Denied")

    forged = case.forge("forged-undo", copy.deepcopy(undo["spec"]))
    refused = case.answer(case.vote(forged, "alice"))
    as_succeeded = case.forge("forged-act", {**act["spec"]}, "Succeeded")
    nothing = case.answer(case.vote(as_succeeded, "alice", "Undo"))

    assert refused[:2] == ("Refused", "NotProposed")
    assert nothing[:2] == ("Refused", "NotProposed")
    assert case.instance(act)["state"] == "stopped"
    case.check(StopInstances=1)


def test_a_person_has_a_stop_undone_on_the_command_line(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    case = rig.case()
    case.apply()
    act = stopped(case)
    name, where = act["metadata"]["name"], ("-n", case.name, "--kubeconfig", str(rig.k8s.kubeconfig))
    assert run(("undo", name, *where, "--context", "carol", "--yes")) == 4
    assert "not an approver" in capsys.readouterr().err

    # The id of the resource is enough, though a request has ended for it.
    asked = run(("undo", act["spec"]["resource"]["id"], *where, "--context", "alice", "--yes", "--reason", "Needed."))

    shown = capsys.readouterr().err
    assert asked == 0, shown
    undo = undo_of(case, act)
    assert "Undo of       Stop" in shown
    assert "Act           Start" in shown
    assert f"finops approve {undo['metadata']['name']}" in shown
    assert run(("approve", undo["metadata"]["name"], *where, "--context", "bob", "--yes")) == 0
    case.wait_state(undo, "Succeeded")
    undo_status(case, act, state="Succeeded")
    capsys.readouterr()
    assert run(("undo", name, *where, "--context", "alice", "--yes")) == 4
    assert "undone already" in capsys.readouterr().err
    case.check(StopInstances=1, StartInstances=1)


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "boundary", ["propose.intended", "propose.created", "undo.proposed", "undo.answered", "undo.undone"]
)
def test_killed_in_the_middle_of_an_undo_it_is_proposed_and_recorded_once(rig: Rig, boundary: str) -> None:
    case = rig.case()
    case.apply()
    act = stopped(case)
    rig.restart(kill_point=boundary)
    case.vote(act, "alice", "Undo")
    if boundary == "undo.undone":
        case.vote(undo_of(case, act), "bob")
    rig.wait_killed()

    rig.start()

    undo = undo_of(case, act)
    undo_status(case, act, request=undo["metadata"]["name"])
    if boundary != "undo.undone":
        case.vote(undo, "bob")
    case.wait_state(undo, "Succeeded")
    undo_status(case, act, state="Succeeded")
    assert [one["result"] for one in case.story("undone")] == ["proposed", "ok"]
    assert len(case.requests()) == 3
    assert realised(case) == 0
    case.check(StopInstances=1, StartInstances=1)


def test_a_person_in_slack_has_an_undo_made_and_the_ledger_names_who_asked(rig: Rig) -> None:
    case = rig.case()
    case.apply(approval={"approvers": [{"slackUserGroup": "S0SRE00001"}, {"kubernetesUser": "bob"}]})
    rig.members("S0SRE00001", {"U0ALICE001"}, datetime.now(UTC))
    act, _ = case.proposed(2)
    case.vote(act, "bob")
    act = case.wait_state(act, "Succeeded")

    case.vote_by_slack(act, "U0ALICE001", "S0SRE00001", decision="Undo")

    undo = undo_of(case, act)
    undo_status(case, act, request=undo["metadata"]["name"])
    assert [one["actor"] for one in case.story("undone")] == ["slack.U0ALICE001"]
    case.vote(undo, "bob")
    case.wait_state(undo, "Succeeded")
    assert rig.aws.control.resource(ACCOUNT, REGION, act["spec"]["resource"]["id"])["state"] == "running"
    case.check(StopInstances=1, StartInstances=1)
