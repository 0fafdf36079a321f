"""Holds the executor's Lease for this process, and opens the ledger under its fence.

One thread: acquire (never below the ledger's highest fence + 1), record the new fence in the ledger before anything
else, reconcile the ledger's sinks, renew until the lease is lost, begin again. While it is not held nothing is decided
and nothing is acted upon; scans go on.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from finops.domain.audit import Entry, RecordKind
from finops.domain.backoff import Backoff
from finops.errors import FenceLost, FinopsError, LedgerDiverged
from finops.k8s.lease import Lease
from finops.ledger.durable import DurableLedger
from finops.ports.clock import Clock
from finops_operator.cluster.freeze import Freeze
from finops_operator.cluster.take_over import STANDS_STILL, TakeOver
from finops_operator.telemetry import Telemetry

logger = logging.getLogger(__name__)
_RETRY_SECONDS: Final = 3.0
_RETRIES: Final = Backoff(_RETRY_SECONDS, 60.0)
"""Of a take-over that failed, under one claim: each try may read the whole ledger."""


@dataclass(slots=True)
class LeaseKeeper:
    """Implements finops.ports.act.LeaseGuard.

    Attributes:
        on_held: takes over what another process left; called after each acquisition until it ends without an error,
            so it must bear being repeated.
        shown_fence: the highest fence in the status of any request; the API server refuses a lower one.
        unusable: why the lease is held and nothing may be written all the same, empty when that is not so.
    """

    lease: Lease
    freeze: Freeze
    telemetry: Telemetry
    clock: Clock
    on_held: Callable[[], None]
    shown_fence: Callable[[], int] = lambda: 0
    ledger: DurableLedger | None = None
    unusable: str = ""
    _ready: threading.Event = field(default_factory=threading.Event)

    @property
    def fence(self) -> int:
        """The token of this holding.

        Raises:
            FenceLost: the lease is not held.
        """
        return self.lease.guard().fence

    @property
    def remaining_seconds(self) -> float:
        """Seconds until the lease ends unless it is renewed. Raises FenceLost when it is not held."""
        return self.lease.guard().until - self.clock.monotonic()

    def check(self) -> None:
        """Raise FenceLost unless the lease is held and the ledger was reconciled under it."""
        self.lease.guard()
        if not self._ready.is_set():
            raise FenceLost("the ledger is not reconciled yet")

    def may_write(self) -> bool:
        """Return whether this process may decide and act now."""
        try:
            self.check()
        except FenceLost:
            return False
        return True

    def held_back(self) -> str:
        """Return why this process may not write although it holds the lease; empty when it may or does not hold it."""
        try:
            self.lease.guard()
        except FenceLost:
            return ""
        return self.unusable or (self.ledger.problem if self.ledger is not None else "")

    def run(self, stop: threading.Event) -> None:
        """Acquire and renew until `stop` is set, then release."""
        while not stop.is_set():
            try:
                if self._acquire(stop):
                    self._hold(stop)
            except FinopsError as error:
                logger.warning("lease: %s", error)
                stop.wait(_RETRY_SECONDS)
            finally:
                self._ready.clear()
                self.unusable = ""
                self.telemetry.lease_held.set(0)
        self.give_up()

    def give_up(self) -> None:
        """Give the lease up for the rest of this process, also while the loop stands in a call; never raises."""
        self._ready.clear()
        try:
            self.lease.end()
        except FinopsError as error:
            logger.info("lease not released, it runs out by itself: %s", error)

    def _acquire(self, stop: threading.Event) -> bool:
        ledger = self.ledger
        if ledger is None:
            raise AssertionError("the ledger is set by the composition root before the thread starts")
        held = self.lease.acquire(lambda: max(ledger.head().fence, self.shown_fence()) + 1, stop)
        if held is None:
            return False
        logger.info("lease acquired", extra={"fence": held.fence})
        return True

    def _hold(self, stop: threading.Event) -> None:
        ledger = self.ledger
        if ledger is None:
            raise AssertionError("the ledger is set by the composition root before the thread starts")
        claimed = reconciled = False
        tries, again = 0, self.clock.monotonic()
        while not stop.is_set():
            if not reconciled and self.clock.monotonic() >= again:
                with self._renewing() as moved:
                    claimed = claimed or self._claim(ledger, moved)
                    reconciled = claimed and self._reconcile(ledger, moved)
                if reconciled:
                    self.unusable = ""
                tries += 1
                again = self.clock.monotonic() + _RETRIES.pause(tries)
            self.telemetry.lease_held.set(1 if reconciled else 0)
            stop.wait(self.lease.renew_every_seconds if reconciled else self._until(again))
            if not stop.is_set() and not self.lease.renew():
                if not stop.is_set():
                    logger.warning("lease lost")
                return

    def _until(self, instant: float) -> float:
        """Return how long to wait for a monotonic instant, never longer than the lease may wait for its renewal."""
        return min(self.lease.renew_every_seconds, max(0.0, instant - self.clock.monotonic()))

    @contextmanager
    def _renewing(self) -> Iterator[Callable[[], None]]:
        """Renew the lease in a thread of its own: reading a long ledger takes longer than a lease lasts.

        Yields what is called at each sign of life. Without any for long that is said until the next one, and for longer
        the lease runs out: another process, or this one once it goes on, takes it anew.
        """
        done, taking, before = threading.Event(), TakeOver(self.clock.monotonic()), self.unusable

        def moved() -> None:
            taking.moved_at = self.clock.monotonic()
            if self.unusable == STANDS_STILL:
                # It goes on; why an earlier try came to nothing holds until this one ends.
                self.unusable = "" if before == STANDS_STILL else before

        def renew() -> None:
            while not done.wait(self.lease.renew_every_seconds):
                now = self.clock.monotonic()
                still = taking.stands_still(now)
                if still:
                    self.unusable = still
                if taking.is_given_up(now):
                    logger.error("lease not renewed any more: %s", self.unusable)
                    return
                try:
                    if not self.lease.renew():
                        return
                except FinopsError as error:
                    logger.warning("lease not renewed: %s", error)

        thread = threading.Thread(target=renew, name="lease-renewal")
        thread.start()
        try:
            yield moved
        finally:
            done.set()
            thread.join()

    def _claim(self, ledger: DurableLedger, moved: Callable[[], None] = lambda: None) -> bool:
        """Record this holding, so that no other process can write with its fence.

        Raises:
            FenceLost: another one has, or wrote with a later fence: the lease is given up.
        """
        fence = self.fence
        claim = Entry(
            operation_id=f"acquired:{fence}",
            actor="operator",
            kind=RecordKind.ACQUIRED,
            result="acquired",
            detail={"holder": self.lease.holder, "fence": fence},
        )
        try:
            ledger.claim(claim, moved=moved, held=self.lease.renew)
        except FenceLost:
            self.lease.release()
            raise
        except FinopsError as error:
            return self._held_back(ledger, error)
        return True

    def _reconcile(self, ledger: DurableLedger, moved: Callable[[], None]) -> bool:
        try:
            # Whether it is still ours is asked of the API server: our clock may have stood still with this process.
            # Where it does not answer, our clock decides: at worst a former holder freezes all, and a person lifts it.
            copied = ledger.start(moved=moved, held=self.lease.renew)
            # Whoever stood still for long lost it meanwhile.
            self.lease.guard()
            moved()
            if copied:
                logger.info("ledger: copied %d records to the second sink", copied)
            # What is under way is taken over before anything is decided: its requests seem undecided until then.
            self.on_held()
        except FenceLost:
            raise
        except FinopsError as error:
            return self._held_back(ledger, error)
        self.unusable = ""
        self._ready.set()
        return True

    def _held_back(self, ledger: DurableLedger, error: FinopsError) -> bool:
        """Say why nothing is taken over now; a ledger that was changed freezes besides. Returns False."""
        if isinstance(error, LedgerDiverged):
            self.freeze.freeze(str(error))
            logger.error("frozen: %s", error)
        else:
            logger.warning("the ledger cannot be taken over now: %s", error)
        # One that knows by itself what is wrong says that.
        self.unusable = "" if ledger.problem else str(error)
        return False
