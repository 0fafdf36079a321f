"""A coordination Lease with a fencing token that never goes back.

Held by the operator while it decides and acts. The holder's name carries an id of the process: two processes with one
pod name (a pod that was deleted by force, say) are two holders, and the second one waits as for anybody else. The token
is `spec.leaseTransitions`: raised at every acquisition, by the same holder too, and never below `floor` (the ledger's
highest fence + 1), so that a deleted Lease starts no old count. Time is judged by this machine's monotonic clock alone:
another holder is believed for a whole lease duration after we last saw its record change, whatever its wall clock says.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from kubernetes import client

from finops.errors import ClusterUnavailable, Conflict, FenceLost
from finops.k8s.connection import REQUEST_TIMEOUT, Connection, NotFound, cluster_errors
from finops.ports.clock import Clock

_RENEWALS_PER_DURATION: Final = 3
_RENEW_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class HeldLease:
    """The lease as this process holds it: token and the monotonic instant until which it may act."""

    fence: int
    until: float


class Lease:
    """One named Lease, for one process.

    `acquire` blocks; `renew` is called by a thread of the composition root; `guard` shows a writer whether it may
    still write.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        namespace: str,
        name: str,
        holder: str,
        process: str,
        seconds: int,
        clock: Clock,
    ) -> None:
        self._api = client.CoordinationV1Api(connection.api)
        self._where, self._seconds, self._clock = (name, namespace), seconds, clock
        self._holder = f"{holder}_{process}"
        self._predecessor = ""
        self._held: HeldLease | None = None
        self._seen: tuple[str, float] | None = None
        self._ended = False
        self._lock = threading.Lock()

    @property
    def holder(self) -> str:
        """Who holds the lease when this process does, unique to it."""
        return self._holder

    def succeed(self, holder: str) -> None:
        """Take the lease from `holder` without waiting: a process that is surely dead. Empty: from nobody."""
        self._predecessor = holder

    @property
    def renew_every_seconds(self) -> float:
        return self._seconds / _RENEWALS_PER_DURATION

    def try_acquire(self, floor: int) -> HeldLease | None:
        """Take the lease if it is free, expired or ours already. Returns None while somebody else holds it, or ended.

        Raises:
            ClusterUnavailable, Refused: the API does not answer, or the role lacks the right.
        """
        if self._ended:
            return None
        started = self._clock.monotonic()
        lease = self._read()
        if lease is None:
            return self._write(None, max(floor, 1), started)
        spec = lease.spec
        fence = max(int(spec.lease_transitions or 0) + 1, floor)
        ours = {self._holder, self._predecessor, "", None}
        if spec.holder_identity not in ours and not self._expired(lease):
            return None
        return self._write(lease, fence, started)

    def acquire(self, floor: Callable[[], int], stop: threading.Event) -> HeldLease | None:
        """Wait for the lease; None when `stop` is set first."""
        while not stop.is_set():
            held = self.try_acquire(floor())
            if held is not None:
                return held
            stop.wait(min(2.0, self.renew_every_seconds))
        return None

    def renew(self) -> bool:
        """Extend the lease. False when it is lost permanently; an unreachable API only lets it run out."""
        with self._lock:
            held = None if self._ended else self._held
        if held is None:
            return False
        try:
            for _ in range(_RENEW_TRIES):
                started = self._clock.monotonic()
                lease = self._read()
                if lease is None or lease.spec.holder_identity != self._holder or _fence(lease) != held.fence:
                    self._lose()
                    return False
                # A write that lost a race says only that somebody touched the record: who holds it is read again.
                if self._write(lease, held.fence, started) is not None:
                    return True
        except ClusterUnavailable:
            pass
        return self._clock.monotonic() < held.until

    def guard(self) -> HeldLease:
        """Return the lease as held now.

        Raises:
            FenceLost: it was lost or has run out.
        """
        with self._lock:
            held = self._held
        if held is None or self._clock.monotonic() >= held.until:
            raise FenceLost("this process no longer holds the executor's lease")
        return held

    def release(self) -> None:
        """Give the lease up so that the next holder need not wait; best effort. It may be acquired again.

        Raises:
            ClusterUnavailable, Refused: the record still names us, and runs out by itself.
        """
        with self._lock:
            held, self._held = self._held, None
        if held is not None:
            self._free(held.fence)

    def end(self) -> None:
        """Give the lease up for the rest of this process, from any thread; nothing is guarded by it from here on.

        A write of another thread that is under way now holds nothing any more: whoever made it gives it back.

        Raises:
            ClusterUnavailable, Refused: as `release`.
        """
        with self._lock:
            self._ended = True
        self.release()

    def _free(self, fence: int) -> None:
        for _ in range(_RENEW_TRIES):
            lease = self._read()
            if lease is None or lease.spec.holder_identity != self._holder or _fence(lease) != fence:
                return
            lease.spec.holder_identity = ""
            try:
                with cluster_errors(f"release Lease {self._where[0]}"):
                    self._api.replace_namespaced_lease(*self._where, lease, _request_timeout=REQUEST_TIMEOUT)
            except Conflict:
                # A renewal was under way; who holds it is read again.
                continue
            return

    def _lose(self) -> None:
        with self._lock:
            self._held = None

    def _expired(self, lease: Any) -> bool:
        # The record's own time stamps come from another machine's clock; only changes we see ourselves count. The
        # instant is that after the read: the holder counts from before its write, which is never later.
        now = self._clock.monotonic()
        version = str(lease.metadata.resource_version)
        if self._seen is None or self._seen[0] != version:
            self._seen = (version, now)
            return False
        duration = int(lease.spec.lease_duration_seconds or self._seconds)
        return now - self._seen[1] > duration

    def _read(self) -> Any:
        try:
            with cluster_errors(f"read Lease {self._where[0]}"):
                return self._api.read_namespaced_lease(*self._where, _request_timeout=REQUEST_TIMEOUT)
        except NotFound:
            return None

    def _write(self, lease: Any, fence: int, started: float) -> HeldLease | None:
        now = datetime.now(UTC)
        acquired = lease is None or _fence(lease) != fence
        spec = client.V1LeaseSpec(
            holder_identity=self._holder,
            lease_duration_seconds=self._seconds,
            acquire_time=now if acquired else lease.spec.acquire_time,
            renew_time=now,
            lease_transitions=fence,
        )
        try:
            with cluster_errors(f"write Lease {self._where[0]}"):
                if lease is None:
                    body = client.V1Lease(metadata=client.V1ObjectMeta(name=self._where[0]), spec=spec)
                    self._api.create_namespaced_lease(self._where[1], body, _request_timeout=REQUEST_TIMEOUT)
                else:
                    lease.spec = spec
                    self._api.replace_namespaced_lease(*self._where, lease, _request_timeout=REQUEST_TIMEOUT)
        except Conflict:
            return None
        held = HeldLease(fence, started + self._seconds)
        with self._lock:
            if not self._ended:
                self._held = held
                return held
        self._free(fence)
        return None


def _fence(lease: Any) -> int:
    return int(lease.spec.lease_transitions or 0)
