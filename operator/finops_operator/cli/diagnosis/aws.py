"""Who we are in AWS and what the roles may do, found out by calls that change nothing (most of them with DryRun).

EC2 judges permissions before it answers a DryRun: `DryRunOperation` says yes, `UnauthorizedOperation` says no.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from finops.crds.aws_account import AwsAccount
from finops.domain.backoff import Backoff
from finops.errors import AwsDenied, AwsError, AwsRejected, FinopsError
from finops.ports.aws_access import AccountAccess, Tenant
from finops.ports.aws_steps import ExecutorSessions
from finops.ports.clock import Clock
from finops_operator.aws.assume import patiently
from finops_operator.aws.clients import AwsReaders
from finops_operator.aws.counting import CallCounter
from finops_operator.aws.errors import CallContext
from finops_operator.aws.executor import StsExecutorSessions
from finops_operator.aws.limiter import LocalRateLimits
from finops_operator.aws.reader import AwsReader, Patience, RetryPolicy
from finops_operator.aws.session import SdkSessions, read_config
from finops_operator.cli.diagnosis.result import Result, Results, Verdict, failed, ok
from finops_operator.plugins.loaded import Plugins
from finops_operator.rules.access import access_of

_HASTY: Final = RetryPolicy(attempts=4, unreachable_attempts=2, backoff=Backoff(0.2, 1.0))
_NOBODY: Final = "i-00000000000000000"
_NOTHING: Final = "vol-00000000000000000"
_GRANTED: Final = "DryRunOperation"


class AwsDoctor:
    """Looks at accounts; made by `finops doctor`."""

    def __init__(self, plugins: Plugins, clock: Clock, *, namespace: str, demo: bool) -> None:
        counter = CallCounter()
        self._plugins, self._clock = plugins, clock
        self._sdk = SdkSessions(counter, demo=demo)
        self._readers = AwsReaders(
            self._sdk, Patience(LocalRateLimits(), clock, _HASTY), process_counter=counter, timeout_seconds=15
        )
        self._executors: ExecutorSessions = StsExecutorSessions(self._sdk, self._readers, clock)
        self._tenant = Tenant(namespace=namespace, policy="doctor")

    def look(self, accounts: Sequence[AwsAccount]) -> Results:
        """Yield what is to be said about our own identity, and about every account."""
        yield from self._own_identity()
        for account in accounts:
            yield from self._account(account)

    def _own_identity(self) -> Results:
        context = CallContext("sts:GetCallerIdentity")
        try:
            self._sdk.check()
            sts = self._sdk.client(self._sdk.base, "sts", "us-east-1", read_config(timeout_seconds=10))
            answer = patiently(sts.get_caller_identity, context, self._clock)
        except FinopsError as error:
            yield failed("aws", "own identity", error)
            return
        yield ok("aws", "own identity", f"{answer.get('Arn')} in account {answer.get('Account')}")

    def _account(self, account: AwsAccount) -> Results:
        access, part = access_of(account), f"aws {account.metadata.name}"
        if account.spec.actions_for(self._tenant.namespace) is None:
            told = f"does not list namespace {self._tenant.namespace} in spec.allow"
            yield Result(part, "grant", Verdict.WARNING, told, "an administrator can add it")
        reader = self._readers.reader(access, access.home_region, self._tenant)
        try:
            identity = reader.once("sts:GetCallerIdentity", {})
            yield ok(part, "scanner", f"{identity.get('Arn')} in account {identity.get('Account')}")
        except FinopsError as error:
            yield failed(part, "scanner", error)
            return
        yield self._regions(part, account, reader)
        found = self._first(reader, "ec2:DescribeInstances", _instance_id) or _NOBODY
        volume = self._first(reader, "ec2:DescribeVolumes", _volume_id) or _NOTHING
        yield from self._reads(part, reader, found)
        yield from self._changes(part, access, found, volume)

    def _regions(self, part: str, account: AwsAccount, reader: AwsReader) -> Result:
        try:
            answer = reader.once("ec2:DescribeRegions", {"AllRegions": False})
        except FinopsError as error:
            return failed(part, "regions", error)
        enabled = sorted(str(region["RegionName"]) for region in answer.get("Regions", ()))
        missing = [region for region in account.spec.regions if region not in enabled]
        if missing:
            hint = "enable them in the account, or take them out of spec.regions"
            return Result(part, "regions", Verdict.WARNING, f"not enabled: {', '.join(missing)}", hint)
        return ok(part, "regions", f"{len(enabled)} enabled: {', '.join(enabled)}")

    @staticmethod
    def _first(reader: AwsReader, operation: str, pick: Callable[[Mapping[str, Any]], str]) -> str:
        """Return something real to ask about; a DryRun about nothing is refused for that reason alone."""
        try:
            return pick(reader.once(operation, {"MaxResults": 5}))
        except AwsError:
            return ""

    def _reads(self, part: str, reader: AwsReader, instance: str) -> Results:
        plugins = self._plugins
        needed = {one for kind in plugins.kinds.values() for one in kind.permissions}
        needed |= {one for action in plugins.actions.values() for one in action.read_permissions}
        for operation in sorted(needed):
            parameters = _read_parameters(operation, instance, self._clock.now())
            yield _asked(part, operation, partial(reader.once, operation, parameters), "scanner role")

    def _changes(self, part: str, access: AccountAccess, instance: str, volume: str) -> Results:
        if not access.executor_role_arn:
            hint = "an administrator sets spec.executorRoleArn where acts are wanted"
            yield Result(part, "executor", Verdict.UNKNOWN, "no executor role: nothing can be changed here", hint)
            return
        needed = sorted({one for action in self._plugins.actions.values() for one in action.permissions})
        calls = {one: given for one in needed if (given := _change_parameters(one, instance, volume)) is not None}
        try:
            client = self._executors.step_client(
                access,
                access.home_region,
                tenant=self._tenant,
                request_name="doctor",
                approver_handle="finops.doctor",
                statements=[{"Effect": "Allow", "Action": sorted(calls), "Resource": "*"}],
                timeout_seconds=15,
            )
        except FinopsError as error:
            yield failed(part, "executor", error)
            return
        yield ok(part, "executor", f"{access.executor_role_arn} can be assumed")
        for operation, given in calls.items():
            yield _asked(part, operation, partial(client.call, operation, given), "executor role")
        for operation in needed:
            if operation not in calls:
                told = "no call can test it without changing something"
                yield Result(part, operation, Verdict.UNKNOWN, told, "compare with `finops iam-policy --for act`")


def _asked(part: str, operation: str, call: Callable[[], object], role: str) -> Result:
    try:
        call()
    except AwsDenied as error:
        return Result(part, operation, Verdict.FAILED, error.message, f"allow {operation} to the {role}")
    except AwsRejected as error:
        if error.code == _GRANTED:
            return ok(part, operation, f"allowed to the {role}")
        told = f"AWS answered {error.code} before it judged the permission"
        return Result(part, operation, Verdict.UNKNOWN, told, "compare with `finops iam-policy`")
    except FinopsError as error:
        return failed(part, operation, error)
    return ok(part, operation, f"allowed to the {role}")


def _read_parameters(operation: str, instance: str, now: datetime) -> dict[str, Any]:
    if operation == "cloudwatch:ListMetrics":
        return {"Namespace": "AWS/EC2", "MetricName": "CPUUtilization"}
    if operation == "cloudwatch:GetMetricData":
        stat = {"Metric": {"Namespace": "AWS/EC2", "MetricName": "CPUUtilization"}, "Period": 3600, "Stat": "Average"}
        return {
            "MetricDataQueries": [{"Id": "doctor", "MetricStat": stat}],
            "StartTime": now - timedelta(hours=2),
            "EndTime": now - timedelta(hours=1),
        }
    if operation == "ec2:DescribeInstanceAttribute":
        return {"InstanceId": instance, "Attribute": "disableApiStop", "DryRun": True}
    return {"DryRun": True}


def _change_parameters(operation: str, instance: str, volume: str) -> dict[str, Any] | None:
    """Return a DryRun of a changing call, None where there is none."""
    about: Mapping[str, dict[str, Any]] = {
        "ec2:StopInstances": {"InstanceIds": [instance]},
        "ec2:StartInstances": {"InstanceIds": [instance]},
        "ec2:ModifyInstanceAttribute": {"InstanceId": instance, "InstanceType": {"Value": "t3.micro"}},
        "ec2:ModifyVolume": {"VolumeId": volume, "VolumeType": "gp3"},
        "ec2:DeleteVolume": {"VolumeId": volume},
        "ec2:CreateSnapshot": {"VolumeId": volume},
    }
    given = about.get(operation)
    return None if given is None else {**given, "DryRun": True}


def _instance_id(answer: Mapping[str, Any]) -> str:
    ids = [str(one["InstanceId"]) for group in answer.get("Reservations", ()) for one in group.get("Instances", ())]
    return ids[0] if ids else ""


def _volume_id(answer: Mapping[str, Any]) -> str:
    volumes = answer.get("Volumes", ())
    return str(volumes[0]["VolumeId"]) if volumes else ""
