"""Sessions for acting, against the double's STS: one call, one identity, exactly the rights of the step."""

from __future__ import annotations

import time
from typing import Any

import pytest
from tests.support.scanning import HASTY, UNLIMITED

from finops.errors import (
    AwsCredentialsInvalid,
    AwsDenied,
    AwsOutcomeUnknown,
    AwsRejected,
    AwsThrottled,
    Refused,
)
from finops.ports.aws_access import AccountAccess, Tenant
from finops.ports.aws_steps import StepClient
from finops.ports.clock import SystemClock
from finops_operator.aws.clients import AwsReaders
from finops_operator.aws.counting import CallCounter
from finops_operator.aws.executor import StsExecutorSessions
from finops_operator.aws.limiter import LocalRateLimits
from finops_operator.aws.reader import CallPacing
from finops_operator.aws.session import SdkSessions
from finops_sandbox.aws.double import AwsDouble

ACCOUNT = AccountAccess(
    name="production",
    account_id="111111111111",
    scanner_role_arn="arn:aws:iam::111111111111:role/finops-scanner",
    executor_role_arn="arn:aws:iam::111111111111:role/finops-executor",
    external_id="finops-sandbox",
)
TENANT = Tenant(namespace="team-a", policy="all")


@pytest.fixture
def sessions(aws: AwsDouble) -> StsExecutorSessions:
    counter, clock = CallCounter(), SystemClock()
    sdk = SdkSessions(counter, demo=True)
    readers = AwsReaders(sdk, CallPacing(LocalRateLimits(), clock, HASTY, UNLIMITED), process_counter=counter)
    return StsExecutorSessions(sdk, readers, clock)


@pytest.fixture
def instance_id(sessions: StsExecutorSessions) -> str:
    reader = sessions.reader(ACCOUNT, "us-east-1", tenant=TENANT)
    found = reader.read("ec2:DescribeInstances", {"Filters": [{"Name": "instance-state-name", "Values": ["running"]}]})
    return str(min(one["InstanceId"] for part in found["Reservations"] for one in part["Instances"]))


def step(sessions: StsExecutorSessions, instance_id: str, **changes: Any) -> StepClient:
    arn = f"arn:aws:ec2:us-east-1:111111111111:instance/{instance_id}"
    arguments: dict[str, Any] = {
        "tenant": TENANT,
        "request_name": "stop-web-1a2b3c",
        "approver_handle": "slack.U0123",
        "statements": [{"Effect": "Allow", "Action": "ec2:StopInstances", "Resource": arn}],
        "timeout_seconds": 5.0,
    }
    return sessions.step_client(ACCOUNT, "us-east-1", **{**arguments, **changes})


def test_the_call_is_made_once_and_names_approver_request_and_tenant(
    sessions: StsExecutorSessions, instance_id: str, aws: AwsDouble
) -> None:
    answer = step(sessions, instance_id).call("ec2:StopInstances", {"InstanceIds": [instance_id]})
    assert answer["StoppingInstances"][0]["CurrentState"]["Name"] == "stopping"
    (made,) = aws.calls
    assert (made.action, made.source_identity, made.session_name) == (
        "StopInstances",
        "slack.U0123",
        "stop-web-1a2b3c",
    )
    assert dict(made.session_tags) == {"namespace": "team-a", "policy": "all"}
    assert made.role_arn == ACCOUNT.executor_role_arn


def test_an_approver_whose_name_sts_would_refuse_is_named_by_a_hash(
    sessions: StsExecutorSessions, instance_id: str, aws: AwsDouble
) -> None:
    client = step(sessions, instance_id, approver_handle="k8s.system:serviceaccount:x:y")
    client.call("ec2:StopInstances", {"InstanceIds": [instance_id]})
    assert aws.calls[0].source_identity.startswith("h-")


def test_the_session_can_do_nothing_but_the_step(
    sessions: StsExecutorSessions, instance_id: str, aws: AwsDouble
) -> None:
    client = step(sessions, instance_id)
    with pytest.raises(AwsDenied):
        client.call("ec2:StartInstances", {"InstanceIds": [instance_id]})
    assert not [call for call in aws.calls if call.applied]


def test_a_throttled_change_is_not_repeated(sessions: StsExecutorSessions, instance_id: str, aws: AwsDouble) -> None:
    client = step(sessions, instance_id)
    aws.control.inject({"kind": "throttle", "action": "StopInstances"})
    with pytest.raises(AwsThrottled):
        client.call("ec2:StopInstances", {"InstanceIds": [instance_id]})
    assert aws.counts["ec2:StopInstances"] == 1


@pytest.mark.parametrize(("fault", "applied"), [("drop_after", True), ("drop_before", False)])
def test_a_lost_answer_is_unknown_whether_it_happened_or_not(
    sessions: StsExecutorSessions, instance_id: str, aws: AwsDouble, fault: str, applied: bool
) -> None:
    client = step(sessions, instance_id)
    aws.control.inject({"kind": fault, "action": "StopInstances"})
    with pytest.raises(AwsOutcomeUnknown):
        client.call("ec2:StopInstances", {"InstanceIds": [instance_id]})
    assert aws.counts["ec2:StopInstances"] == 1
    assert [call.applied for call in aws.calls] == [applied]


def test_a_hanging_call_ends_within_its_time(sessions: StsExecutorSessions, instance_id: str, aws: AwsDouble) -> None:
    client = step(sessions, instance_id, timeout_seconds=1.5)
    aws.control.inject({"kind": "hang", "action": "StopInstances", "seconds": 4})
    clock = SystemClock()
    began = clock.monotonic()
    with pytest.raises(AwsOutcomeUnknown):
        client.call("ec2:StopInstances", {"InstanceIds": [instance_id]})
    assert clock.monotonic() - began < 2.5
    # The call still hangs at the double, which the tests of this module share: its end must not fall into the next one.
    until = clock.monotonic() + 10
    while not aws.calls and clock.monotonic() < until:
        clock.sleep(0.05)
    assert len(aws.calls) == 1


def test_a_refusal_carries_awss_own_code(sessions: StsExecutorSessions, instance_id: str) -> None:
    with pytest.raises(AwsRejected) as refused:
        sessions.reader(ACCOUNT, "us-east-1", tenant=TENANT).read(
            "ec2:DescribeInstances", {"InstanceIds": ["i-00000000000000000"]}
        )
    assert refused.value.code == "InvalidInstanceID.NotFound"


def test_a_wrong_external_id_is_a_refused_role_with_the_fix(sessions: StsExecutorSessions) -> None:
    wrong = AccountAccess(
        name="production",
        account_id="111111111111",
        executor_role_arn=ACCOUNT.executor_role_arn,
        external_id="wrong",
    )
    with pytest.raises(AwsCredentialsInvalid, match="externalId"):
        sessions.step_client(
            wrong,
            "us-east-1",
            tenant=TENANT,
            request_name="stop-web",
            approver_handle="slack.U1",
            statements=[{"Effect": "Allow", "Action": "ec2:StopInstances", "Resource": "*"}],
            timeout_seconds=5,
        )


def test_an_account_without_executor_role_cannot_be_changed(sessions: StsExecutorSessions) -> None:
    bare = AccountAccess(name="production", account_id="111111111111")
    with pytest.raises(Refused, match="executorRoleArn"):
        sessions.step_client(
            bare,
            "us-east-1",
            tenant=TENANT,
            request_name="stop-web",
            approver_handle="slack.U1",
            statements=[],
            timeout_seconds=5,
        )


def test_a_role_of_another_account_is_noticed_before_anything_is_called(
    sessions: StsExecutorSessions, aws: AwsDouble
) -> None:
    liar = AccountAccess(
        name="liar",
        account_id="222222222222",
        executor_role_arn=ACCOUNT.executor_role_arn,
        external_id="finops-sandbox",
    )
    with pytest.raises(AwsCredentialsInvalid) as refused:
        sessions.step_client(
            liar,
            "us-east-1",
            tenant=TENANT,
            request_name="stop-web",
            approver_handle="slack.U1",
            statements=[{"Effect": "Allow", "Action": "ec2:StopInstances", "Resource": "*"}],
            timeout_seconds=5,
        )
    assert refused.value.code == "AccountMismatch"
    assert not [call for call in aws.calls if call.applied and call.service == "ec2"]


# -- the deadline of a session


def test_what_comes_after_the_lease_has_ended_is_refused_by_aws(
    sessions: StsExecutorSessions, instance_id: str, aws: AwsDouble
) -> None:
    began = time.monotonic()
    client = step(sessions, instance_id, lease_left=lambda: 30.0)
    assert 27 - (time.monotonic() - began) < client.seconds_left <= 29
    # This process stands still, and its clock with it: it knows nothing of the time that passed.
    aws.control.advance(30)
    with pytest.raises(AwsOutcomeUnknown) as late:
        client.call("ec2:StopInstances", {"InstanceIds": [instance_id]})
    assert late.value.code == "DeadlinePassed"
    assert client.seconds_left > 0
    assert [call.applied for call in aws.calls] == [False]


def test_before_the_deadline_the_call_is_made_and_a_refusal_is_awss_answer_to_it(
    sessions: StsExecutorSessions, instance_id: str, aws: AwsDouble
) -> None:
    client = step(sessions, instance_id, lease_left=lambda: 30.0)
    with pytest.raises(AwsDenied) as refused:
        client.call("ec2:StartInstances", {"InstanceIds": [instance_id]})
    assert refused.value.code == "UnauthorizedOperation"
    client.call("ec2:StopInstances", {"InstanceIds": [instance_id]})
    assert [call.applied for call in aws.calls] == [False, True]


def test_a_refusal_after_the_deadline_by_our_own_clock_is_no_clear_one_either(
    sessions: StsExecutorSessions, instance_id: str
) -> None:
    client = step(sessions, instance_id, lease_left=lambda: 1.5)
    time.sleep(1.5)
    assert client.seconds_left <= 0
    with pytest.raises(AwsOutcomeUnknown):
        client.call("ec2:StopInstances", {"InstanceIds": [instance_id]})


def test_the_deadline_is_in_awss_time_however_wrong_this_machines_date_is(
    sessions: StsExecutorSessions, instance_id: str, aws: AwsDouble
) -> None:
    # Seen from AWS, whose answers say so, this machine is a day behind.
    aws.control.advance(86_400)
    first = step(sessions, instance_id, lease_left=lambda: 30.0)
    # Made by what STS had said before its clock was moved: too near, and that is known by STS's own answer.
    assert first.seconds_left < 0
    began = time.monotonic()
    client = step(sessions, instance_id, lease_left=lambda: 30.0)
    assert 27 - (time.monotonic() - began) < client.seconds_left <= 29
    client.call("ec2:StopInstances", {"InstanceIds": [instance_id]})
    assert [call.applied for call in aws.calls] == [True]


def test_the_deadline_costs_no_call_of_its_own_but_for_a_process_that_never_asked_sts(
    sessions: StsExecutorSessions, instance_id: str, aws: AwsDouble
) -> None:
    counted = dict(aws.counts)
    step(sessions, instance_id, lease_left=lambda: 30.0)
    assert {name: count - counted.get(name, 0) for name, count in aws.counts.items() if name.startswith("sts:")} == {
        "sts:AssumeRole": 1,
        "sts:GetCallerIdentity": 0,
    }
    counter, clock = CallCounter(), SystemClock()
    fresh = SdkSessions(counter, demo=True)
    readers = AwsReaders(fresh, CallPacing(LocalRateLimits(), clock, HASTY, UNLIMITED), process_counter=counter)
    began = time.monotonic()
    client = step(StsExecutorSessions(fresh, readers, clock), instance_id, lease_left=lambda: 30.0)
    assert counter.calls == {"sts:AssumeRole": 1, "sts:GetCallerIdentity": 1}
    assert 27 - (time.monotonic() - began) < client.seconds_left <= 29


def test_without_a_lease_to_end_with_a_session_has_no_deadline(
    sessions: StsExecutorSessions, instance_id: str, aws: AwsDouble
) -> None:
    client = step(sessions, instance_id)
    aws.control.advance(800)
    client.call("ec2:StopInstances", {"InstanceIds": [instance_id]})
    assert [call.applied for call in aws.calls] == [True]
