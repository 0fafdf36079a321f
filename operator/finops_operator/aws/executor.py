"""Sessions for acting: one fresh role session per step, allowed to do that step and nothing else, sent exactly once.

Implements `finops.ports.aws_steps`; used by the act stage. The approver stands in SourceIdentity, the request in the
session name, namespace and policy in the session tags, so CloudTrail names all of them on every call. AWS refuses the
calls of a session from shortly before the end of the lease under which it was made (docs/adr/0023).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from botocore import xform_name
from botocore.config import Config

from finops.errors import (
    AwsCredentialsInvalid,
    AwsDenied,
    AwsError,
    AwsOutcomeUnknown,
    AwsUnreachable,
    InvalidInput,
    Refused,
)
from finops.ports.aws_access import AccountAccess, Tenant
from finops.ports.aws_steps import Reader, StepClient
from finops.ports.clock import Clock
from finops_operator.aws.assume import assume_role, patiently, session_tags, session_word
from finops_operator.aws.clients import AwsReaders
from finops_operator.aws.errors import SDK_ERRORS, CallContext, translate
from finops_operator.aws.server_time import http_date
from finops_operator.aws.session import SdkSessions, read_config

SESSION_SECONDS: Final = 900
"""The shortest session STS gives."""
_POLICY_CHARACTERS: Final = 2048
_CONNECT_SECONDS: Final = 5.0
_DIFFERENCE_SECONDS: Final = 1.0
"""What the clocks of AWS's own machines may differ by: one dates answers, another judges the deadline."""
DEADLINE_PASSED: Final = "DeadlinePassed"
"""Our code for a refusal that may be the deadline's; AWS gives it the code of any other."""


class SdkStepClient:
    """One step's credentials; each `call` is one HTTP request, whatever happens to it.

    Attributes:
        deadline: AWS's time, in seconds since 1970, from which on it refuses the calls of this session; None: never.
    """

    def __init__(
        self,
        sdk: SdkSessions,
        session: Any,
        account: str,
        region: str,
        timeout_seconds: float,
        deadline: int | None = None,
    ) -> None:
        self._sdk = sdk
        self._session = session
        self._account = account
        self._region = region
        self._timeout_seconds = timeout_seconds
        self.deadline = deadline

    @property
    def seconds_left(self) -> float:
        if self.deadline is None:
            return math.inf
        now = self._sdk.server_time.now()
        return 0.0 if now is None else self.deadline - now.latest

    def call(self, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        service, _, name = operation.partition(":")
        client = self._sdk.client(self._session, service, self._region, self._config())
        context = CallContext(operation, self._account, self._region, changing=True)
        try:
            answer = getattr(client, xform_name(name))(**parameters)
        except SDK_ERRORS as error:
            ours = translate(error, context)
            if isinstance(ours, AwsDenied) and self._may_be_late(error):
                ours = _too_late(ours)
            raise ours from error
        finally:
            client.close()
        return {key: value for key, value in answer.items() if key != "ResponseMetadata"}

    def _config(self) -> Config:
        # Connecting and reading share the time that is left of the lease.
        seconds = max(min(self._timeout_seconds, self.seconds_left), 0.1)
        connect = min(_CONNECT_SECONDS, seconds / 3)
        return Config(
            retries={"mode": "standard", "total_max_attempts": 1},
            connect_timeout=connect,
            read_timeout=seconds - connect,
            user_agent_extra="finops-operator",
        )

    def _may_be_late(self, refusal: Exception) -> bool:
        """Return whether the deadline can be the reason of a refusal, by AWS's date of it or by our own clock.

        Ours alone would not do: it may have stood still together with this machine.
        """
        if self.deadline is None:
            return False
        metadata = getattr(refusal, "response", {}).get("ResponseMetadata", {})
        dated = http_date(str(metadata.get("HTTPHeaders", {}).get("date", "")))
        return self.seconds_left <= 0 or (dated is not None and dated >= self.deadline - _DIFFERENCE_SECONDS)


def _too_late(refusal: AwsDenied) -> AwsError:
    return AwsOutcomeUnknown(
        f"the call came after the deadline of its session, or so close that this may be why: {refusal.message}",
        operation=refusal.operation,
        code=DEADLINE_PASSED,
        account=refusal.account,
        region=refusal.region,
    )


class StsExecutorSessions:
    """ExecutorSessions on STS."""

    def __init__(self, sdk: SdkSessions, readers: AwsReaders, clock: Clock) -> None:
        self._sdk = sdk
        self._readers = readers
        self._clock = clock

    def reader(self, account: AccountAccess, region: str, *, tenant: Tenant) -> Reader:
        return self._readers.reader(account, region, tenant)

    def step_client(
        self,
        account: AccountAccess,
        region: str,
        *,
        tenant: Tenant,
        request_name: str,
        approver_handle: str,
        statements: Sequence[Mapping[str, Any]],
        timeout_seconds: float,
        afterwards: Sequence[Mapping[str, Any]] = (),
        lease_left: Callable[[], float] | None = None,
    ) -> StepClient:
        if not account.executor_role_arn:
            raise Refused(
                f"AwsAccount {account.name} has no executorRoleArn: nothing in {account.account_id} can be changed",
                code="NoExecutorRole",
                hint="an administrator sets spec.executorRoleArn",
            )
        context = CallContext("sts:AssumeRole", account.account_id, account.home_region)
        sts = self._sdk.client(self._sdk.base, "sts", account.home_region, read_config(timeout_seconds=10))
        deadline = None if lease_left is None else self._deadline(sts, lease_left, context)
        policy = (*(until(one, deadline) for one in statements), *afterwards)
        request = self._request(account, tenant, request_name, approver_handle, policy)
        answer = assume_role(sts, request, context, self._clock)
        assumed = str(answer.get("AssumedRoleUser", {}).get("Arn", ""))
        if f"::{account.account_id}:" not in assumed:
            raise AwsCredentialsInvalid(
                f"the executor role of AwsAccount {account.name} is not in account {account.account_id}: {assumed}",
                operation="sts:AssumeRole",
                code="AccountMismatch",
                account=account.account_id,
                hint="correct spec.accountId or spec.executorRoleArn",
            )
        keys = answer["Credentials"]
        session = self._sdk.with_keys(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
        return SdkStepClient(self._sdk, session, account.account_id, region, timeout_seconds, deadline)

    def _deadline(self, sts: Any, lease_left: Callable[[], float], context: CallContext) -> int:
        """Return when the lease ends, by AWS's clock and never later, less what AWS's machines may differ by."""
        now = self._sdk.server_time.now()
        if now is None:
            # Before the first observation through STS. GetCallerIdentity needs no right, and its answer has a date.
            patiently(sts.get_caller_identity, context, self._clock)
            now = self._sdk.server_time.now()
        if now is None:
            raise AwsUnreachable(
                "STS does not date its answers, so no session can be given a deadline: nothing was called",
                operation=context.operation,
                code="NoDate",
                account=context.account,
                hint="a proxy between the operator and STS must pass the Date header on",
            )
        # AWS's time was taken first: standing still between the two makes the deadline come sooner.
        return math.floor(now.earliest + lease_left() - _DIFFERENCE_SECONDS)

    @staticmethod
    def _request(
        account: AccountAccess,
        tenant: Tenant,
        request_name: str,
        approver_handle: str,
        statements: Sequence[Mapping[str, Any]],
    ) -> dict[str, Any]:
        policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, separators=(",", ":"))
        if len(policy) > _POLICY_CHARACTERS:
            # STS would refuse it; a wider policy instead would break the promise of exactly these calls.
            raise InvalidInput(
                f"the session policy of {request_name} has {len(policy)} characters, STS takes {_POLICY_CHARACTERS}",
                field="statements",
            )
        request: dict[str, Any] = {
            "RoleArn": account.executor_role_arn,
            "RoleSessionName": session_word(request_name, "finops"),
            "DurationSeconds": SESSION_SECONDS,
            "SourceIdentity": session_word(approver_handle, "h"),
            "Policy": policy,
            "Tags": session_tags(tenant),
        }
        if account.external_id:
            request["ExternalId"] = account.external_id
        return request


def until(statement: Mapping[str, Any], deadline: int | None) -> Mapping[str, Any]:
    """Return a statement that holds before the deadline only, in AWS's time; None leaves it as it is.

    An `Allow` under a condition, and no `Deny` beside it: whatever goes wrong with the condition refuses.
    """
    if deadline is None:
        return statement
    moment = datetime.fromtimestamp(deadline, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    conditions = {**statement.get("Condition", {}), "DateLessThan": {"aws:CurrentTime": moment}}
    return {**statement, "Condition": conditions}
