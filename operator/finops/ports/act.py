"""What the executor needs from the operator around it: permission, the lease, a place to report, caps and savings.

The operator's control loop implements Gate, LeaseGuard and RequestJournal; `finops.store` implements ActCaps and
RealizedSavings. No method here changes anything in AWS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from finops.domain.decision import State
from finops.domain.execution import Stop
from finops.domain.lasting import AT_ONCE, Shows
from finops.domain.plan import Plan
from finops.ports.aws_access import AccountAccess, Tenant
from finops.ports.ledger import TreeHead


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps of a policy; `fleet` is the number of its resources, `percent_of_fleet` counts acts of the last 24 hours."""

    per_hour: int
    per_day: int
    percent_of_fleet: int
    fleet: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ActRequest:
    """An approved request, as the executor sees it.

    Attributes:
        uid, name: of the ActionRequest object; the name becomes the STS session name.
        tenant: namespace and policy.
        access: the account, resolved from the AwsAccount just now.
        plan: what is executed; `plan_hash` is what people approved and must be its hash.
        deciders: handles of the people whose votes count, the deciding one first.
        dry_run: everything but the changing calls.
        estimate: `currentMonthlyCost`, `newMonthlyCost`, `monthlySavings` (decimal strings), `currency`, and
            `lastsDays` where AWS undoes the act by itself after so many days.
        limits: caps of the policy.
        protect_tags: tag key → values that forbid an act.
        only_back: why nothing of the plan may be called any more, only what leads back; empty while it may go on.
        abandoned: the same, but for as long as the act lasts, whatever is granted meanwhile.
        titles: step id → the step in words, of plan and rollback; empty for an act whose object is gone.
    """

    uid: str
    name: str
    tenant: Tenant
    access: AccountAccess
    plan: Plan
    plan_hash: str
    deciders: tuple[str, ...]
    dry_run: bool = False
    estimate: Mapping[str, str] = field(default_factory=dict)
    limits: Limits
    protect_tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    only_back: str = ""
    abandoned: str = ""
    titles: Mapping[str, str] = field(default_factory=dict)

    @property
    def ledger_name(self) -> str:
        return f"{self.tenant.namespace}/{self.name}/{self.uid}"


class Gate(Protocol):
    """Whether an act may begin, or destroy: freeze, expiry, votes and eligibility, window, grants.

    `may_start` may use what the loop has seen; `still_allowed` reads everything afresh and is asked right before the
    first changing call and before every call after which something is gone permanently; `may_call` reads the switches
    once more when the intent of such a call is written. `goes_alone` says of an act that may start whether the others
    of its kind wait for it. Any exception of type Unavailable counts as Hold.
    """

    def may_start(self, request: ActRequest) -> Stop | None: ...

    def still_allowed(self, request: ActRequest) -> Stop | None: ...

    def may_call(self, request: ActRequest) -> Stop | None: ...

    def goes_alone(self, request: ActRequest) -> bool: ...


class LeaseGuard(Protocol):
    """The Lease this process holds.

    Attributes:
        fence: `spec.leaseTransitions` at our acquisition.
        remaining_seconds: until the lease ends unless renewed, by the monotonic clock.

    `check` raises FenceLost when the lease is lost.
    """

    @property
    def fence(self) -> int: ...

    @property
    def remaining_seconds(self) -> float: ...

    def check(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ActProgress:
    """What the status of a request should say now.

    Attributes:
        state: Executing, Verifying, NeedsHuman or a terminal state.
        step, attempt: where the act is.
        message: one sentence for people; the error when something went wrong.
        ledger_sequence: sequence of the act's last record.
        ledger_hash: hash of that record once the act has ended; it names all records before it.
        checkpoint: once the act has ended, how far the ledger had come by then; it covers that record.
        before, after: fingerprint facts that the act changed.
        monthly_savings: decimal string, set when Succeeded.
        called: whether anything may have changed in AWS.
    """

    state: State
    step: str = ""
    attempt: int = 0
    message: str = ""
    ledger_sequence: int = 0
    ledger_hash: str = ""
    checkpoint: TreeHead | None = None
    started_at: datetime | None = None
    fence: int = 0
    before: Mapping[str, str] = field(default_factory=dict)
    after: Mapping[str, str] = field(default_factory=dict)
    monthly_savings: str | None = None
    called: bool = False


class RequestJournal(Protocol):
    """Where progress is shown. Level based: a report that failed is followed by a newer one.

    Raises (report):
        Conflict: the object changed under the write.
        ClusterUnavailable: the API server does not answer.
    An object that is gone is no error: the act goes on from the ledger.
    """

    def report(self, request: ActRequest, progress: ActProgress) -> None: ...


class ActCaps(Protocol):
    """Caps per hour, day and share of the fleet; one act per resource.

    `hold` keeps the resource of an act under way, however long it lasts. `admit` is idempotent per request uid and
    returns why not, or None. `release` frees the resource; an act that changed nothing (`counted=False`) does not use
    up the caps.
    """

    def admit(self, request: ActRequest, now: datetime) -> Stop | None: ...

    def hold(self, request: ActRequest) -> bool: ...

    def release(self, request: ActRequest, *, counted: bool) -> None: ...


class RealizedSavings(Protocol):
    """Append-only record of what acts saved; once per request uid, whatever is repeated.

    `began` is when its first call was intended: a scan from before it saw what the act has changed.
    """

    def append(
        self,
        request: ActRequest,
        verified_at: datetime,
        undoes: str = "",
        shows: Shows = AT_ONCE,
        began: datetime | None = None,
    ) -> None: ...
