"""What the executor needs of AWS: one changing call at a time under its own session, and reads to observe with.

Implemented by `finops_operator.aws.executor`; used by actions and the act stage, which therefore never see an SDK.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from finops.ports.aws_access import AccountAccess, Tenant


class StepClient(Protocol):
    """Sends changing calls of one step, each exactly once, with credentials that allow nothing else.

    Attributes:
        seconds_left: until AWS refuses whatever comes under this session, by the monotonic clock; infinite without a
            deadline. A call takes no longer.

    Raises (call):
        AwsRejected: AWS understood the call and refused it; nothing changed. `code` is AWS's own.
        AwsDenied: the executor role or the session policy does not allow it; nothing changed.
        AwsThrottled: AWS refused it because of its rate limits; nothing changed.
        AwsCredentialsInvalid: the session ended; nothing changed.
        AwsUnreachable: no connection could be made, so nothing left this machine.
        AwsOutcomeUnknown: the call left and no answer (or a 5xx) came: observe before doing anything else. Also when
            AWS refused it at or after the deadline (code `DeadlinePassed`): whether it would have is not known then.
    """

    @property
    def seconds_left(self) -> float: ...

    def call(self, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]: ...


class Reader(Protocol):
    """Describe calls, retried on throttling and on lost answers; follows every page and joins them.

    Raises (read):
        AwsThrottled, AwsDenied, AwsCredentialsInvalid, AwsUnreachable: as named, after all retries.
        AwsRejected: AWS refused the request, e.g. code `InvalidInstanceID.NotFound`.
    """

    def read(self, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]: ...


class ExecutorSessions(Protocol):
    """Makes sessions for acting.

    `step_client` assumes the executor role afresh (900 s). Raises AwsCredentialsInvalid when the role cannot be
    assumed or belongs to another account, Refused when the account has no executor role, AwsUnreachable or
    AwsThrottled when STS does not serve us: in all these cases nothing was called.
    `statements` are the rights to make the step's calls. With `lease_left`, which returns the seconds until the lease
    ends, AWS itself refuses them from shortly before that end on: whoever stood still meanwhile calls for nothing.
    `afterwards` are rights that AWS uses in our name once it has accepted a call: they last as long as the session.
    `reader` uses the scanner role and observes only.
    """

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
    ) -> StepClient: ...

    def reader(self, account: AccountAccess, region: str, *, tenant: Tenant) -> Reader: ...
