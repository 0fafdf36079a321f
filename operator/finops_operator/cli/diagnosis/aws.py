"""Who we are in AWS and what the roles may do, found out by calls that change nothing.

Kinds and actions declare how a permission is asked about. A changing call is made with `DryRun` only, and not at all
where the API has none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from finops.crds.aws_account import AwsAccount
from finops.crds.scan_policy import ScanPolicy
from finops.domain.backoff import Backoff
from finops.domain.resource import Resource
from finops.errors import AwsDenied, AwsRejected, FinopsError
from finops.ports.aws_access import AccountAccess, Tenant
from finops.ports.aws_steps import ExecutorSessions
from finops.ports.clock import Clock
from finops_operator.aws.assume import patiently
from finops_operator.aws.clients import AwsReaders
from finops_operator.aws.counting import CallCounter
from finops_operator.aws.errors import CallContext
from finops_operator.aws.executor import StsExecutorSessions
from finops_operator.aws.limiter import LocalRateLimits
from finops_operator.aws.own_identity import HOME, own_region
from finops_operator.aws.reader import AwsReader, CallPacing, RetryPolicy
from finops_operator.aws.regions import LIST_REGIONS, enabled_regions
from finops_operator.aws.session import SdkSessions, read_config
from finops_operator.cli.diagnosis.result import Result, Results, Verdict, failed, ok
from finops_operator.plugins.action import Action
from finops_operator.plugins.kind import MetricSpec, ResourceKind
from finops_operator.plugins.loaded import Plugins
from finops_operator.rules.access import access_of, asked_by

_HASTY: Final = RetryPolicy(attempts=4, unreachable_attempts=2, backoff=Backoff(0.2, 1.0))
_GET_METRICS: Final = "cloudwatch:GetMetricData"
_LIST_METRICS: Final = "cloudwatch:ListMetrics"
_DRY: Final = {"DryRun": True}


class AwsDoctor:
    """Diagnoses accounts; made by `finops doctor`."""

    def __init__(self, plugins: Plugins, clock: Clock, *, namespace: str, demo: bool) -> None:
        counter = CallCounter()
        self._plugins, self._clock = plugins, clock
        passed = frozenset(one.calls.dry_run_passed for one in plugins.actions.values())
        self._granted = passed.union(*(one.commitments.granted_by for one in plugins.kinds.values()))
        self._sdk = SdkSessions(counter, demo=demo)
        self._readers = AwsReaders(
            self._sdk, CallPacing(LocalRateLimits(), clock, _HASTY), process_counter=counter, timeout_seconds=15
        )
        self._executors: ExecutorSessions = StsExecutorSessions(self._sdk, self._readers, clock)
        self._tenant = Tenant(namespace=namespace, policy="doctor")

    def diagnose(self, accounts: Sequence[AwsAccount], policies: Sequence[ScanPolicy] = ()) -> Results:
        """Yield what is to be said about our own identity, and about every account, entered where its scans enter."""
        first = [access_of(one, asked_by(policies, one.metadata.name, "")).entry for one in accounts[:1]]
        yield from self._own_identity(first[0] if first else HOME)
        for account in accounts:
            asked = asked_by(policies, account.metadata.name, own_region(self._sdk))
            yield from self._account(account, access_of(account, asked))

    def reader(self, access: AccountAccess) -> AwsReader:
        """Return a reader with the scanner role of an account; sends nothing yet."""
        return self._readers.reader(access, access.entry, self._tenant)

    def _own_identity(self, otherwise: str) -> Results:
        """Ask STS in the region of the SDK's own configuration; in `otherwise` where that names none."""
        context = CallContext("sts:GetCallerIdentity")
        try:
            self._sdk.check()
            region = own_region(self._sdk) or otherwise
            context = CallContext("sts:GetCallerIdentity", region=region)
            sts = self._sdk.client(self._sdk.base, "sts", region, read_config(timeout_seconds=10))
            answer = patiently(sts.get_caller_identity, context, self._clock)
        except FinopsError as error:
            yield failed("aws", "own identity", error)
            return
        yield ok("aws", "own identity", f"{answer.get('Arn')} in account {answer.get('Account')}")

    def _account(self, account: AwsAccount, access: AccountAccess) -> Results:
        part = f"aws {account.metadata.name}"
        if account.spec.actions_for(self._tenant.namespace) is None:
            seen = f"does not list namespace {self._tenant.namespace} in spec.allow"
            yield Result(part, "grant", Verdict.WARNING, seen, "an administrator can add it")
        reader = self.reader(access)
        try:
            identity = reader.once("sts:GetCallerIdentity", {})
            yield ok(part, "scanner", f"{identity.get('Arn')} in account {identity.get('Account')}")
        except FinopsError as error:
            yield failed(part, "scanner", error)
            return
        yield self._regions(part, account, reader)
        known = {kind.id: _something(kind, reader, access.partition) for kind in self._plugins.kinds.values()}
        yield from self._reads(part, reader, known)
        yield from self._changes(part, access, known)

    def _regions(self, part: str, account: AwsAccount, reader: AwsReader) -> Result:
        try:
            enabled = sorted(enabled_regions(reader))
        except FinopsError as error:
            return failed(part, "regions", error)
        missing = [region for region in account.spec.regions if region not in enabled]
        if missing:
            hint = "enable them in the account, or take them out of spec.regions"
            return Result(part, "regions", Verdict.WARNING, f"not enabled: {', '.join(missing)}", hint)
        return ok(part, "regions", f"{len(enabled)} enabled: {', '.join(enabled)}")

    def _reads(self, part: str, reader: AwsReader, known: Mapping[str, str]) -> Results:
        """Ask for each permission of the scanner role; `known` names something of each kind to ask about."""
        calls: dict[str, Mapping[str, Any]] = {}
        named: dict[str, str] = {}
        for kind in self._plugins.kinds.values():
            calls.update(_kind_reads(kind, known[kind.id], self._clock.now()))
            named.update(kind.listing.calls)
        for action in self._plugins.actions.values():
            # What a kind already asks is asked with the kind's own question.
            calls = {**_action_reads(action, known), **calls}
            named.update(action.rights.calls)
        for operation, parameters in sorted(calls.items()):
            call = partial(reader.once, named.get(operation, operation), parameters)
            yield _asked(part, operation, call, "scanner role", self._granted)

    def _changes(self, part: str, access: AccountAccess, known: Mapping[str, str]) -> Results:
        if not access.executor_role_arn:
            hint = "an administrator sets spec.executorRoleArn where acts are wanted"
            yield Result(part, "executor", Verdict.UNKNOWN, "no executor role: nothing can be changed here", hint)
            return
        needed = sorted({one for action in self._plugins.actions.values() for one in action.permissions})
        calls: dict[str, Mapping[str, Any]] = {}
        for action in self._plugins.actions.values():
            calls.update(_dry_changes(action, known))
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
        for operation, given in sorted(calls.items()):
            yield _asked(part, operation, partial(client.call, operation, given), "executor role", self._granted)
        for operation in needed:
            if operation not in calls:
                seen = "no call can test it without changing something"
                yield Result(part, operation, Verdict.UNKNOWN, seen, "compare with `finops iam-policy --for act`")


def _asked(part: str, operation: str, call: Callable[[], object], role: str, granted: frozenset[str]) -> Result:
    try:
        call()
    except AwsDenied as error:
        return Result(part, operation, Verdict.FAILED, error.message, f"allow {operation} to the {role}")
    except AwsRejected as error:
        if error.code in granted:
            return ok(part, operation, f"allowed to the {role}")
        seen = f"AWS answered {error.code} before it judged the permission"
        return Result(part, operation, Verdict.UNKNOWN, seen, "compare with `finops iam-policy`")
    except FinopsError as error:
        return failed(part, operation, error)
    return ok(part, operation, f"allowed to the {role}")


def _something(kind: ResourceKind[Any], reader: AwsReader, partition: str) -> str:
    """Return something real of the kind to ask about; a dry run about nothing is refused for that reason alone."""
    first = next((one for one in kind.listing.collect(reader, partition) if isinstance(one, Resource)), None)
    return kind.sample.id if first is None else first.id


def _kind_reads(kind: ResourceKind[Any], known: str, now: datetime) -> dict[str, Mapping[str, Any]]:
    """Return operation → parameters of a call that answers whether a scan of the kind may make it."""
    calls: dict[str, Mapping[str, Any]] = {}
    probes = {**kind.listing.probes, **kind.commitments.probes}
    for operation in kind.permissions:
        # What it reads of another service has no dry run, whatever its own API has.
        dry = _DRY if kind.dry_run and operation.startswith(f"{kind.service}:") else {}
        probe = probes.get(operation)
        if probe is not None:
            calls[operation] = {**probe(known), **dry}
        elif operation == LIST_REGIONS:
            calls[operation] = _DRY
        elif operation in {_GET_METRICS, _LIST_METRICS}:
            calls.update(_metric_read(operation, spec, now) for spec in kind.metrics[:1])
        else:
            calls[operation] = dry
    return calls


def _metric_read(operation: str, spec: MetricSpec, now: datetime) -> tuple[str, Mapping[str, Any]]:
    metric = {"Namespace": spec.namespace, "MetricName": spec.metric}
    if operation == _LIST_METRICS:
        return operation, metric
    query = {"Id": "doctor", "MetricStat": {"Metric": metric, "Period": 3600, "Stat": spec.statistics[0]}}
    window = {"StartTime": now - timedelta(hours=2), "EndTime": now - timedelta(hours=1)}
    return operation, {"MetricDataQueries": [query], **window}


def _action_reads(action: Action, known: Mapping[str, str]) -> dict[str, Mapping[str, Any]]:
    """Return the reads of an act; those of another service than its changing calls have no dry run."""
    services = {one.partition(":")[0] for one in action.permissions} if action.calls.dry_run_passed else set()
    with_dry_run = services - action.rights.without_dry_run
    probes, about = action.rights.probes, known[min(action.kinds)]
    return {
        one: {
            **(probes[one](about) if one in probes else {}),
            **(_DRY if one.partition(":")[0] in with_dry_run else {}),
        }
        for one in action.read_permissions
    }


def _dry_changes(action: Action, known: Mapping[str, str]) -> dict[str, Mapping[str, Any]]:
    """Return the changing calls that can be asked about without changing anything."""
    if not action.calls.dry_run_passed:
        return {}
    probes, about = action.rights.probes, known[min(action.kinds)]
    return {one: {**probes[one](about), **_DRY} for one in action.permissions if one in probes}
