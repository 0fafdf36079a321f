"""Every error the product raises on purpose; the type is the retry policy.

```
FinopsError
├── InvalidInput         the caller must change something: names the field and the fix   (exit code 2)
├── Refused              a right, the freeze switch or a quorum says no                   (exit code 4)
├── Unavailable          try again later, nothing was done                                (exit code 1)
│   ├── StoreUnavailable     Redis does not answer
│   ├── ClusterUnavailable   the Kubernetes API does not answer
│   └── LedgerUnavailable    a sink of the ledger is not durable right now: no act
├── StoreUnsafe          Redis answers but would lose data (eviction, no append-only file, newer schema)
│   └── StoreRefused         …or does not serve us at all (password, rights, cluster, no Redis): also a StoreUnavailable
├── LedgerDiverged       the two sinks differ: frozen until a person checks them
├── FenceLost            somebody else holds the lease: stop writing at once
├── Conflict             the object changed since it was read: read again, decide again
└── AwsError             an AWS call failed; subclasses say what that means
    ├── AwsThrottled         retried inside, still throttled: a gap, never an empty list
    ├── AwsDenied            the role lacks a permission (named)
    ├── AwsCredentialsInvalid  no, wrong or expired credentials
    ├── AwsUnreachable       endpoint down or region not enabled: nothing was sent or nothing came back from a read
    ├── AwsRejected          AWS understood a changing call and said no: nothing changed
    └── AwsOutcomeUnknown    a changing call was sent and no answer came: observe, never repeat blindly
```
Raised in the edges (aws, store, k8s), decided upon in stages, worded for people by cli, conditions and cards.
"""

from __future__ import annotations


class FinopsError(Exception):
    """Base of all expected errors: a machine-readable code, a sentence, and what to do about it."""

    def __init__(self, message: str, *, code: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).__name__
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class InvalidInput(FinopsError):
    """Something a person wrote cannot be accepted; `field` is the dotted path to it, `source` the file or object."""

    def __init__(self, message: str, *, field: str = "", source: str = "", code: str = "", hint: str = "") -> None:
        super().__init__(message, code=code, hint=hint)
        self.field = field
        self.source = source

    def __str__(self) -> str:
        where = ": ".join(part for part in (self.source, self.field) if part)
        return f"{where}: {super().__str__()}" if where else super().__str__()


class Refused(FinopsError):
    """A person or program may not do this now: missing right, freeze, quorum, cap."""


class Unavailable(FinopsError):
    """A part we depend on does not answer. Nothing was done; the same call may succeed later."""


class StoreUnavailable(Unavailable):
    """Redis or Valkey does not answer, or answers with a time-out."""


class ClusterUnavailable(Unavailable):
    """The Kubernetes API does not answer."""


class LedgerUnavailable(Unavailable):
    """A ledger sink cannot take a durable record right now; nobody may act until it can."""


class StoreUnsafe(FinopsError):
    """The server answers but its settings or schema would lose or misread what we keep."""


class StoreRefused(StoreUnavailable, StoreUnsafe):
    """The server answers and does not serve us: wrong password, missing right, part of a cluster, no Redis at all.

    Nothing was done. Whoever waits for the store goes on waiting: passwords and addresses are corrected while we run.
    """


class LedgerDiverged(FinopsError):
    """The ledger's sinks disagree, or the chain does not verify. Frozen until a person decides."""


class FenceLost(FinopsError):
    """A newer holder of the lease has written; this process must stop writing."""


class Conflict(FinopsError):
    """An optimistic write lost the race: read again and decide again."""


class AwsError(FinopsError):
    """An AWS call failed. `operation` is `service:Operation`, `code` is AWS's own error code."""

    def __init__(
        self, message: str, *, operation: str, code: str = "", account: str = "", region: str = "", hint: str = ""
    ) -> None:
        super().__init__(message, code=code, hint=hint)
        self.operation = operation
        self.account = account
        self.region = region


class AwsThrottled(AwsError):
    """Throttled beyond all patience: what was asked for stays unknown."""


class AwsDenied(AwsError):
    """The identity lacks the permission named in `operation`."""


class AwsCredentialsInvalid(AwsError):
    """Credentials are missing, wrong or expired, or a role cannot be assumed."""


class AwsUnreachable(AwsError):
    """The endpoint did not answer a read, or the region is not enabled."""


class AwsRejected(AwsError):
    """AWS refused a call; nothing changed."""


class AwsOutcomeUnknown(AwsError):
    """A changing call left and no answer came back; only observation can show what happened."""
