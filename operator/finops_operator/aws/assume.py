"""Scanner identities: one verified SDK session per account and tenant, assumed with external id and session tags.

Called by `clients.py`. Before a session is used for the first time GetCallerIdentity must name the account that the
AwsAccount object names; anything else would show one customer's resources under another's name.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from botocore.credentials import DeferredRefreshableCredentials
from botocore.session import Session

from finops.domain.backoff import Backoff
from finops.errors import AwsCredentialsInvalid, AwsDenied, AwsRejected, AwsThrottled, AwsUnreachable
from finops.ports.aws_access import AccountAccess, Tenant
from finops.ports.clock import Clock
from finops_operator.aws.errors import REGION_DISABLED, SDK_ERRORS, CallContext, translate
from finops_operator.aws.session import BoundedCache, SdkSessions, read_config

_SCAN_SECONDS: Final = 3600
_THROTTLED_ATTEMPTS: Final = 8
_UNREACHABLE_ATTEMPTS: Final = 2
_BACKOFF: Final = Backoff(0.2, 12.8)
"""The reader around us tries again as well; a dead endpoint must not hold a scan for long."""
_NAME: Final = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_MAX_SESSIONS: Final = 128
_T = TypeVar("_T")


def session_word(text: str, prefix: str) -> str:
    """Return `text` if STS takes it as a session name or source identity, else `prefix` and a hash of it.

    STS allows 2 to 64 ASCII word characters or any of `+=,.@-` (AssumeRole API reference).
    """
    if _NAME.fullmatch(text):
        return text
    return f"{prefix}-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:40]}"


def session_tags(tenant: Tenant) -> list[dict[str, str]]:
    """Return the session tags from which CloudTrail and trust policies know who asks."""
    return [{"Key": "namespace", "Value": tenant.namespace}, {"Key": "policy", "Value": tenant.policy}]


def assume_role(sts: Any, request: Mapping[str, Any], context: CallContext, clock: Clock) -> Mapping[str, Any]:
    """Call AssumeRole, patiently when throttled; it changes nothing, so it may be repeated.

    Raises:
        AwsCredentialsInvalid: the role refuses us (trust policy, external id), or our own credentials are bad.
        AwsThrottled, AwsUnreachable: STS does not serve us.
    """
    role = request["RoleArn"]
    try:
        return patiently(lambda: sts.assume_role(**request), context, clock)
    except (AwsDenied, AwsRejected) as error:
        raise AwsCredentialsInvalid(
            f"cannot assume {role}: {error.message}",
            operation=context.operation,
            code="AssumeRoleFailed",
            account=context.account,
            region=context.region,
            hint="the role must exist, trust this identity with sts:AssumeRole and sts:TagSession (and "
            "sts:SetSourceIdentity for the executor), and expect the externalId of the AwsAccount",
        ) from error


def patiently(call: Callable[[], _T], context: CallContext, clock: Clock) -> _T:
    """Run one STS call, again while STS throttles, and once more when it did not answer.

    Raises:
        AwsError: the translated error of the last attempt.
    """
    attempt = 0
    while True:
        attempt += 1
        try:
            return call()
        except SDK_ERRORS as error:
            ours = translate(error, context)
            patience = {AwsThrottled: _THROTTLED_ATTEMPTS, AwsUnreachable: _UNREACHABLE_ATTEMPTS}
            if attempt >= patience.get(type(ours), 1) or ours.code in REGION_DISABLED:
                raise ours from error
        clock.sleep(_BACKOFF.pause(attempt))


def verify_account(sts: Any, access: AccountAccess, clock: Clock) -> str:
    """Return the ARN behind `sts` after making sure that it belongs to the account that was named.

    Raises:
        AwsCredentialsInvalid: with code AccountMismatch when it does not, or when the credentials are bad.
    """
    context = CallContext("sts:GetCallerIdentity", access.account_id, access.entry)
    identity = patiently(sts.get_caller_identity, context, clock)
    found = str(identity.get("Account", ""))
    if found != access.account_id:
        raise AwsCredentialsInvalid(
            f"AwsAccount {access.name} says account {access.account_id}, but the credentials belong to {found}",
            operation=context.operation,
            code="AccountMismatch",
            account=access.account_id,
            hint="correct spec.accountId, or name a role of that account",
        )
    return str(identity.get("Arn", ""))


class ScannerSessions:
    """Sessions for reading, made once per (account, tenant) and refreshed by themselves before they end."""

    def __init__(self, sdk: SdkSessions, clock: Clock) -> None:
        self._sdk = sdk
        self._clock = clock
        self._sessions = BoundedCache(_MAX_SESSIONS)

    def session(self, access: AccountAccess, tenant: Tenant) -> Session:
        """Return a session that is known to belong to `access.account_id`.

        Raises:
            AwsCredentialsInvalid, AwsThrottled, AwsUnreachable: as `assume_role` and `verify_account`.
        """
        session: Session = self._sessions.get((access, tenant), lambda: self._make(access, tenant))
        return session

    def forget(self, access: AccountAccess, tenant: Tenant) -> None:
        """Drop a session whose credentials ended early; the next `session` assumes the role again."""
        self._sessions.drop(lambda key: key == (access, tenant))

    def _make(self, access: AccountAccess, tenant: Tenant) -> Session:
        session = self._sdk.base
        if access.scanner_role_arn:
            refresh = self._refresher(access, tenant)
            session = self._sdk.with_credentials(DeferredRefreshableCredentials(refresh, "finops-assume-role"))
        sts = self._sdk.client(session, "sts", access.entry, read_config(timeout_seconds=15))
        verify_account(sts, access, self._clock)
        return session

    def _refresher(self, access: AccountAccess, tenant: Tenant) -> Callable[[], dict[str, str]]:
        sts = self._sdk.client(self._sdk.base, "sts", access.entry, read_config(timeout_seconds=15))
        request: dict[str, Any] = {
            "RoleArn": access.scanner_role_arn,
            "RoleSessionName": session_word(f"finops-scan.{tenant.policy}", "finops-scan"),
            "DurationSeconds": _SCAN_SECONDS,
            "Tags": session_tags(tenant),
        }
        if access.external_id:
            request["ExternalId"] = access.external_id
        context = CallContext("sts:AssumeRole", access.account_id, access.entry)

        def refresh() -> dict[str, str]:
            credentials = assume_role(sts, request, context, self._clock)["Credentials"]
            return {
                "access_key": credentials["AccessKeyId"],
                "secret_key": credentials["SecretAccessKey"],
                "token": credentials["SessionToken"],
                "expiry_time": str(credentials["Expiration"]),
            }

        return refresh
