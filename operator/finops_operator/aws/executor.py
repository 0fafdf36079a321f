"""Sessions for acting: one fresh role session per step, allowed to do that step and nothing else, sent exactly once.

Implements `finops.ports.aws_steps`; used by the act stage. The approver stands in SourceIdentity, the request in the
session name, namespace and policy in the session tags, so CloudTrail names all of them on every call.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from botocore import xform_name
from botocore.config import Config

from finops.errors import AwsCredentialsInvalid, InvalidInput, Refused
from finops.ports.aws_access import AccountAccess, Tenant
from finops.ports.aws_steps import Reader, StepClient
from finops.ports.clock import Clock
from finops_operator.aws.assume import assume_role, session_tags, session_word
from finops_operator.aws.clients import AwsReaders
from finops_operator.aws.errors import SDK_ERRORS, CallContext, translate
from finops_operator.aws.session import SdkSessions, read_config

SESSION_SECONDS: Final = 900
"""The shortest session STS gives."""
_POLICY_CHARACTERS: Final = 2048
_CONNECT_SECONDS: Final = 5.0


class SdkStepClient:
    """One step's credentials; each `call` is one HTTP request, whatever happens to it."""

    def __init__(self, sdk: SdkSessions, session: Any, account: str, region: str, timeout_seconds: float) -> None:
        self._sdk = sdk
        self._session = session
        self._account = account
        self._region = region
        # Connecting and reading share the time that is left of the lease.
        connect = min(_CONNECT_SECONDS, timeout_seconds / 3)
        self._config = Config(
            retries={"mode": "standard", "total_max_attempts": 1},
            connect_timeout=connect,
            read_timeout=timeout_seconds - connect,
            user_agent_extra="finops-operator",
        )

    def call(self, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        service, _, name = operation.partition(":")
        client = self._sdk.client(self._session, service, self._region, self._config)
        context = CallContext(operation, self._account, self._region, changing=True)
        try:
            answer = getattr(client, xform_name(name))(**parameters)
        except SDK_ERRORS as error:
            raise translate(error, context) from error
        finally:
            client.close()
        return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


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
    ) -> StepClient:
        if not account.executor_role_arn:
            raise Refused(
                f"AwsAccount {account.name} has no executorRoleArn: nothing in {account.account_id} can be changed",
                code="NoExecutorRole",
                hint="an administrator sets spec.executorRoleArn",
            )
        request = self._request(account, tenant, request_name, approver_handle, statements)
        context = CallContext("sts:AssumeRole", account.account_id, account.home_region)
        sts = self._sdk.client(self._sdk.base, "sts", account.home_region, read_config(timeout_seconds=10))
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
        return SdkStepClient(self._sdk, session, account.account_id, region, timeout_seconds)

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
