"""What a policy, its administrator and the freeze switch say, holds until the first call and not a moment longer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.support.operator_estate import ACCOUNT, Obj
from tests.support.operator_rig import Case, Rig, eventually, running_rig

from finops.k8s.connection import connect
from finops.k8s.kinds import scan_policies

ONE_AN_HOUR = {"limits": {"perHour": 1, "perDay": 100, "percentOfFleet": 100}}


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with running_rig(tmp_path_factory.mktemp("policies")) as rig:
        yield rig


@pytest.fixture(autouse=True)
def clean(rig: Rig) -> Iterator[None]:
    yield
    rig.switch("freeze")
    rig.aws.control.clear_faults()


def proposed(rig: Rig, **spec: Any) -> tuple[Case, Obj, Obj]:
    case = rig.case(**spec)
    case.apply()
    first, second = case.proposed()
    return case, first, second


def silence(rig: Rig) -> None:
    """Let every look at an instance fail, so that an act stands still where it is."""
    fault = {"kind": "http_error", "status": 503, "service": "ec2", "action": "DescribeInstances", "account": ACCOUNT}
    rig.aws.control.inject(fault)


def under_way(rig: Rig, case: Case, request: Obj) -> None:
    """Approve and hold the act between its call and its end."""
    case.vote(request)
    eventually(case.calls)
    silence(rig)


def test_a_suspended_policy_starts_no_act_until_it_is_resumed(rig: Rig) -> None:
    case, first, _ = proposed(rig)
    case.apply(suspend=True)
    eventually(lambda: case.condition("Ready").get("reason") == "Suspended")

    assert case.answer(case.vote(first))[0] == "Counted"
    case.waits_because(first, "suspended")
    case.check()

    case.apply(suspend=False)
    case.wait_state(first, "Succeeded")
    case.check(StopInstances=1)


def test_a_deleted_policy_takes_its_requests_along(rig: Rig) -> None:
    case, first, second = proposed(rig)
    case.vote(first)
    eventually(case.calls)
    scan_policies(connect(str(rig.k8s.kubeconfig), "admin")).delete(case.name, "p")

    eventually(lambda: case.requests() == [])
    # What had begun goes on to its end from the ledger, although nothing shows it any more.
    eventually(lambda: case.story("verified"), 30, rig.tail())
    assert case.instance(first)["state"] == "stopped"
    assert case.instance(second)["state"] == "running"
    case.check(StopInstances=1)


def test_a_policy_that_only_recommends_from_now_on_withdraws_what_it_asked(rig: Rig) -> None:
    case, first, second = proposed(rig)
    case.apply(actions={"mode": "Recommend"})

    for request in (first, second):
        assert "no longer allows" in case.wait_state(request, "Withdrawn")["status"]["outcome"]["error"]
    case.check()


def test_new_approval_terms_ask_anew(rig: Rig) -> None:
    case, first, _ = proposed(rig)
    case.apply(approval={"approvers": [{"kubernetesUser": "carol"}]})

    case.wait_state(first, "Superseded")
    again = case.proposed()
    assert case.answer(case.vote(again[0], "carol"))[0] == "Counted"
    case.wait_state(again[0], "Succeeded")
    case.check(StopInstances=1)


def test_while_frozen_nothing_begins_and_afterwards_it_does(rig: Rig) -> None:
    case, first, _ = proposed(rig)
    rig.switch("freeze", frozen="true", reason="audit week")

    assert case.answer(case.vote(first))[0] == "Counted"
    case.waits_because(first, "audit week")
    case.check()
    eventually(lambda: any(r["kind"] == "frozen" and r["result"] == "on" for r in rig.records()), 15)

    rig.switch("freeze")
    ended = case.wait_state(first, "Succeeded")
    assert "error" not in ended["status"]["outcome"]
    eventually(lambda: [r for r in rig.records() if r["kind"] == "frozen"][-1]["result"] == "off", 15)
    case.check(StopInstances=1)


def test_a_freeze_in_mid_act_lets_it_reach_its_end_and_holds_the_next(rig: Rig) -> None:
    case, first, second = proposed(rig)
    under_way(rig, case, first)
    rig.switch("freeze", frozen="true", reason="incident")
    case.vote(second)
    rig.aws.control.clear_faults()

    case.wait_state(first, "Succeeded")
    case.waits_because(second, "incident")
    case.check(StopInstances=1)

    assert case.answer(case.vote(second, decision="Withdraw", reason="incident"))[0] == "Counted"
    case.wait_state(second, "Withdrawn")


def test_a_vote_taken_back_in_mid_act_is_answered_and_changes_nothing(rig: Rig) -> None:
    case, first, _ = proposed(rig)
    under_way(rig, case, first)

    answer = case.answer(case.vote(first, decision="Withdraw", reason="oh no"))

    assert answer[:2] == ("Refused", "AlreadyDecided")
    rig.aws.control.clear_faults()
    case.wait_state(first, "Succeeded")
    case.check(StopInstances=1)


def test_an_act_whose_object_is_deleted_goes_on_to_its_end(rig: Rig) -> None:
    case, first, _ = proposed(rig)
    under_way(rig, case, first)
    rig.requests_as("operator").delete(case.name, first["metadata"]["name"])
    rig.aws.control.clear_faults()

    eventually(lambda: case.story("verified"), 30, rig.tail())
    assert case.instance(first)["state"] == "stopped"
    case.check(StopInstances=1)


def test_outside_the_window_nothing_begins(rig: Rig) -> None:
    # A window that opened twelve hours ago for one hour.
    hour = (datetime.now(UTC).hour + 12) % 24
    case, first, _ = proposed(rig, actions={"windows": [{"schedule": f"0 {hour} * * *", "duration": "1h"}]})

    case.vote(first)
    case.waits_because(first, f"{hour:02}:00")
    case.check()

    case.apply(actions={"windows": [{"schedule": "* * * * *", "duration": "1h"}]})
    case.wait_state(first, "Succeeded")
    case.check(StopInstances=1)


def test_one_act_an_hour_means_one(rig: Rig) -> None:
    case, first, second = proposed(rig, actions=ONE_AN_HOUR)
    case.vote(first)
    case.vote(second)

    eventually(lambda: "Succeeded" in {case.state(first), case.state(second)})
    waiting = second if case.state(first) == "Succeeded" else first
    case.waits_because(waiting, "allows 1 acts an hour")
    case.stays(waiting, "Scheduled")
    case.check(StopInstances=1)


def test_a_limit_that_is_raised_while_an_act_waits_lets_it_go_on(rig: Rig) -> None:
    case, first, second = proposed(rig, actions=ONE_AN_HOUR)
    case.vote(first)
    case.wait_state(first, "Succeeded")
    case.vote(second)
    case.waits_because(second, "allows 1 acts an hour")

    case.apply(actions={"limits": {"perHour": 2, "perDay": 100, "percentOfFleet": 100}})

    case.wait_state(second, "Succeeded")
    case.check(StopInstances=2)


def test_a_tag_that_is_protected_while_an_act_waits_forbids_it(rig: Rig) -> None:
    case, first, second = proposed(rig, actions=ONE_AN_HOUR)
    case.vote(first)
    case.wait_state(first, "Succeeded")
    case.vote(second)
    case.waits_because(second, "allows 1 acts an hour")

    limits = {"perHour": 2, "perDay": 100, "percentOfFleet": 100}
    case.apply(actions={"limits": limits, "protectTags": {"case": [case.name]}})

    ended = case.wait_state(second, "Stale", "Withdrawn")
    assert "case" in ended["status"]["outcome"]["error"]
    assert case.instance(second)["state"] == "running"
    case.check(StopInstances=1)


def test_a_dry_run_does_everything_but_the_call_and_says_so(rig: Rig) -> None:
    case, first, _ = proposed(rig, actions={"mode": "DryRun"})
    assert first["spec"]["dryRun"] is True

    case.vote(first)

    case.wait_state(first, "Succeeded")
    assert case.instance(first)["state"] == "running"
    shown = [record for record in case.story("outcome") if record["result"] == "dry-run"]
    assert [record["detail"]["operation"] for record in shown] == ["ec2:StopInstances"]
    assert "Dry run" in case.story("outcome")[-1]["detail"]["reason"]
    case.check()


def test_after_a_dry_run_the_real_act_may_be_asked_for_at_once(rig: Rig) -> None:
    case, first, _ = proposed(rig, actions={"mode": "DryRun"})
    case.vote(first)
    case.wait_state(first, "Succeeded")

    case.apply(actions={"mode": "Approve"})

    assert all(not request["spec"]["dryRun"] for request in case.proposed())
    case.check()


def test_the_open_requests_never_exceed_the_maximum(rig: Rig) -> None:
    case = rig.case(actions={"maximumOpenRequests": 1})
    case.apply()

    case.proposed(1)
    case.scan_now("again")

    assert len(case.requests()) == 1
    case.check()


def test_an_act_that_a_reading_of_the_resource_forbids_takes_no_room_from_the_next(rig: Rig) -> None:
    case = rig.case(actions={"maximumOpenRequests": 1})
    case.apply()
    (best,) = case.proposed(1)
    case.change_by_hand(best, protectStop=True)
    rig.requests_as("admin").delete(case.name, best["metadata"]["name"])

    case.scan_now("again")

    (asked,) = case.proposed(1)
    assert asked["spec"]["resource"]["id"] != best["spec"]["resource"]["id"]
    case.check()


def test_what_a_reading_could_not_see_is_asked_for_after_the_scan_that_a_person_wants(rig: Rig) -> None:
    case = rig.case()
    rig.aws.control.inject({"kind": "deny", "service": "ec2", "action": "DescribeInstanceAttribute"})
    case.apply()
    eventually(lambda: case.condition("Ready").get("status") == "True", what=rig.tail())
    eventually(
        lambda: len([line for line in rig.lines("not proposed") if "DescribeInstanceAttribute" in str(line)]) >= 2
    )
    rig.aws.control.clear_faults()
    assert case.requests() == []

    case.scan_now("again")

    case.proposed()
    case.check()


def test_two_policies_over_one_resource_ask_once(rig: Rig) -> None:
    case, other = rig.case(), rig.case()
    other.spec = {"selector": {"includeTags": {"case": [case.name]}}}
    case.apply()
    other.apply()

    eventually(lambda: {one.condition("Ready").get("status") for one in (case, other)} == {"True"})
    time.sleep(0.5)
    resources = [request["spec"]["resource"]["id"] for request in (*case.requests(), *other.requests())]
    assert len(resources) == len(set(resources)) == 2


def test_scans_of_one_policy_never_overlap_and_each_request_for_one_is_answered(rig: Rig) -> None:
    case, *_ = proposed(rig)
    rig.aws.control.inject({"kind": "latency", "seconds": 0.3, "service": "ec2", "action": "DescribeInstances"})

    for number in range(5):
        case.scan_now(f"n{number}", wait=False)
        time.sleep(0.25)
    eventually(lambda: case.policy()["status"].get("lastHandledRequestedAt") == "n4")

    def marks() -> list[str]:
        mine = [line for line in rig.lines("scan ") if line.get("namespace") == case.name]
        return [line["message"].split(":")[0] for line in mine]

    # The status tells of a scan a moment before the log does.
    words = eventually(lambda: found if len(found := marks()) % 2 == 0 else [])
    assert words == ["scan started", "scan ended"] * (len(words) // 2)
    assert 4 <= len(words) <= 12


def test_a_schedule_that_never_comes_is_said_and_stops_nothing_else(rig: Rig) -> None:
    case = rig.case(schedule="0 0 31 2 *")
    case.apply()

    eventually(lambda: case.condition("Stalled").get("status") == "True", what=rig.tail())
    assert "0 0 31 2 *" in case.condition("Ready")["message"]

    case.apply(schedule="0 3 1 1 *")
    case.proposed()
    assert case.condition("Stalled")["status"] == "False"


def test_a_parameter_out_of_range_is_said_once_and_not_tried_again_and_again(rig: Rig) -> None:
    case = rig.case(checks=[{"id": "ec2_instance_idle", "parameters": {"noSuchThing": 5}}])
    case.apply()

    eventually(lambda: case.condition("Stalled").get("status") == "True", what=rig.tail())
    assert "noSuchThing" in case.condition("Ready")["message"]
    shown = case.condition("Ready"), case.condition("Stalled")
    time.sleep(1.5)
    assert len([line for line in rig.lines("scan started") if line.get("namespace") == case.name]) == 1
    # Others write to the status too: what stops acts, and the touch that shows whether the watch is alive.
    assert (case.condition("Ready"), case.condition("Stalled")) == shown


def test_a_wrong_condition_is_named_in_the_status_with_its_place(rig: Rig) -> None:
    own = {"id": "ours", "kind": "ec2-instance", "when": "cost.monthli > 1", "message": "Too expensive."}
    case = rig.case(customChecks=[own])
    case.apply()

    eventually(lambda: case.condition("Stalled").get("status") == "True", what=rig.tail())
    ready = case.condition("Ready")
    assert ready["reason"] == "InvalidSpec"
    assert "spec.customChecks[0].when: line 1, column 5: there is no cost.monthli" in ready["message"]


def test_an_act_that_a_policys_own_check_recommends_is_proposed_with_its_figures(rig: Rig) -> None:
    off = [{"id": "ec2_instance_idle", "enabled": False}, {"id": "ec2_instance_overprovisioned", "enabled": False}]
    own = {
        "id": "ours",
        "kind": "ec2-instance",
        "when": "resource.state == 'running' && utilization.cpuPercent.maximum < 5 && cost.monthly > 0",
        "message": "It does less than our rule asks for.",
        "action": "ec2_instance_stop",
    }
    case = rig.case(checks=off, customChecks=[own])
    case.apply()

    eventually(case.requests, what=rig.tail())
    spec = case.requests()[0]["spec"]
    assert (spec["action"], spec["evidence"]["check"]) == ("ec2_instance_stop", "ours")
    assert spec["evidence"]["reason"] == own["message"]
    assert spec["evidence"]["values"]["rule"] == own["when"]
    assert float(spec["evidence"]["values"]["utilization.cpuPercent.maximum"]) < 5


def test_a_policy_is_scanned_as_soon_as_its_account_exists(rig: Rig) -> None:
    case = rig.case(accounts=[{"name": "late"}])
    case.apply()
    eventually(lambda: case.condition("Ready").get("reason") == "AccountNotFound", what=rig.tail())
    assert case.condition("CredentialsValid")["status"] == "Unknown"
    assert "late" in case.condition("CredentialsValid")["message"]

    production = next(
        one for one in rig.k8s.objects("awsaccounts.finops.dev") if one["metadata"]["name"] == "production"
    )
    rig.k8s.apply({**production, "metadata": {"name": "late"}, "status": {}})

    eventually(lambda: case.condition("Ready").get("status") == "True", what=rig.tail())
    late = next(one for one in rig.k8s.objects("awsaccounts.finops.dev") if one["metadata"]["name"] == "late")
    assert late["status"]["identity"]["accountId"] == ACCOUNT


def test_a_change_of_the_terms_is_noted_in_the_ledger(rig: Rig) -> None:
    case, *_ = proposed(rig)

    def noted() -> list[Obj]:
        found = [record for record in rig.records() if record["kind"] == "policy changed"]
        return [record for record in found if record["detail"]["policy"] == f"{case.name}/p"]

    eventually(noted, 15)
    case.apply(schedule="0 4 1 1 *")
    case.apply(approval={"approvers": [{"kubernetesUser": "carol"}]})

    eventually(lambda: len(noted()) == 2, 15)
    assert [record["result"] for record in noted()] == ["seen", "changed"]
    assert noted()[1]["detail"]["approval"]["approvers"] == [{"kubernetesUser": "carol"}]
