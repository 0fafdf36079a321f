"""Answers who asks for the undo of an act, and keeps the status of the act's request in line with the ledger.

Used by the request loop. Approvers ask, and the watch of an act that left a worse state. Each ask that was counted is
answered once in the ledger, whatever becomes of its Approval. A crash between two writes is made up for by the next
pass or process, because the request's name comes from the ask, and each append carries an operation id. What a status
shows is read from the ledger when it is written.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from finops.crds.action_request import ActionRequest
from finops.crds.request_status import UndoStatus
from finops.domain.decision import TERMINAL, WATCH, Choice, State, Vote
from finops.errors import (
    AwsCredentialsInvalid,
    AwsDenied,
    AwsRejected,
    Conflict,
    FinopsError,
    InvalidInput,
    Refused,
)
from finops.ports.clock import Clock
from finops.ports.ledger import Ledger
from finops_operator.background import Background
from finops_operator.cluster.cache import ClusterCache
from finops_operator.cluster.objects import Gone, Objects
from finops_operator.decisions.decider import Decider
from finops_operator.killpoint import killpoint
from finops_operator.rules import request_status
from finops_operator.rules.log_fields import request_fields
from finops_operator.rules.undoing import answer_entry, unanswered_asks, watch_ask_uid
from finops_operator.rules.votes import request_reference, vote_id

logger = logging.getLogger(__name__)
_RETRY_SECONDS: Final = 10.0
_REASON_CHARACTERS: Final = 900


@dataclass(frozen=True, slots=True)
class Undoing:
    """Undos, one at a time in a thread of their own: they read AWS, and no act may wait for that.

    Attributes:
        propose: makes the request that undoes an act for the person who asked; see `UndoProposals.make`.
        undo_of: what is known of the undo of an act; see `RecordedUndos.of`.
    """

    cache: ClusterCache
    requests: Objects[ActionRequest]
    decider: Decider
    ledger: Ledger
    clock: Clock
    fence: Callable[[], int]
    propose: Callable[[ActionRequest, Vote], ActionRequest]
    undo_of: Callable[[ActionRequest], UndoStatus | None]
    background: Background
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="undo"))
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _under_way: set[str] = field(default_factory=set)
    """Acts whose asks are being answered."""
    _done: set[str] = field(default_factory=set)
    """Acts, asks and undos with which this process has dealt, so that the ledger is asked once."""
    _not_before: dict[str, float] = field(default_factory=dict)

    def follow(self, request: ActionRequest) -> None:
        """Do the next thing about the undo of a request that has ended, if there is one.

        Raises:
            LedgerUnavailable, LedgerDiverged, FenceLost, ClusterUnavailable, Conflict: try again later.
        """
        if request.spec.undoes is not None:
            self._follow_end(request)
        elif request.status.state is State.SUCCEEDED and self._has_news(request):
            self._begin(request)

    def close(self) -> None:
        """Begin nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _has_news(self, act: ActionRequest) -> bool:
        """Return whether somebody's ask may not be answered, or the status may be behind; cheap, for it is asked often.

        A process may have died before it answered or showed what it did: each act is dealt with once by each process.
        """
        uid, watch = act.metadata.uid or "", act.status.watch
        by_watch = watch is not None and watch.worse is not None and watch_ask_uid(uid) not in self._done
        return (
            uid not in self._done
            or by_watch
            or self._lacks_its_undo(act)
            or any(
                one.spec.decision is Choice.UNDO and (one.metadata.uid or "") not in self._done
                for one in self.cache.approvals_of(act)
            )
        )

    def _lacks_its_undo(self, act: ActionRequest) -> bool:
        """Return whether the status shows an open undo whose request the watch does not: it may have been deleted."""
        undo = act.status.undo
        if undo is None or not undo.is_open or undo.request is None:
            return False
        found = self.cache.requests.get(act.metadata.namespace or "", undo.request)
        return found is None or found.spec.undoes is None or found.spec.undoes.uid != act.metadata.uid

    def _begin(self, act: ActionRequest) -> None:
        uid = act.metadata.uid or ""
        with self._lock:
            if uid in self._under_way or self.clock.monotonic() < self._not_before.get(uid, 0.0):
                return
            self._under_way.add(uid)
        self._pool.submit(self._deal_with, act)

    def _deal_with(self, act: ActionRequest) -> None:
        """Answer every ask about an act and show it; what does not work now is tried again after a pause."""
        self.background.attempt(
            "undos",
            "undo not followed",
            partial(self._follow_asks, act),
            lambda _defect: self._put_off(act),
            fields=request_fields(act),
        )
        with self._lock:
            self._under_way.discard(act.metadata.uid or "")
        self.cache.ring()

    def _put_off(self, act: ActionRequest) -> None:
        self._not_before[act.metadata.uid or ""] = self.clock.monotonic() + _RETRY_SECONDS

    def _follow_asks(self, act: ActionRequest) -> None:
        try:
            if self.decider.is_ours(act):
                self._answer_all(act)
                self._show(act)
            if self._lacks_its_undo(act):
                # A watch may be behind a request that was just made: it is read again later.
                self._put_off(act)
            self._done.add(act.metadata.uid or "")
        except FinopsError as error:
            logger.warning("undo is followed later: %s", error, extra=request_fields(act))
            self._put_off(act)

    def _answer_all(self, act: ActionRequest) -> None:
        shown = [one.metadata.uid or "" for one in self.cache.approvals_of(act) if one.spec.decision is Choice.UNDO]
        # The status shows a worse state after the ledger holds it, so what the watch asks for is among these records.
        by_watch = act.status.watch is not None and act.status.watch.worse is not None
        records = self.ledger.of_request(act.metadata.uid or "")
        judged = {one.entry.operation_id for one in records}
        for ask in unanswered_asks(records):
            self._answer(act, ask)
        # One that is not judged yet is, before the next pass comes here.
        self._done.update(uid for uid in shown if vote_id(uid) in judged)
        if by_watch:
            self._done.add(watch_ask_uid(act.metadata.uid or ""))

    def _answer(self, act: ActionRequest, ask: Vote) -> None:
        reference, reason = self._proposed(act, ask)
        killpoint("undo.proposed")
        record = self.ledger.append(answer_entry(act, ask, reference, reason[:_REASON_CHARACTERS]))
        killpoint("undo.answered")
        logger.info("undo %s: %s", record.entry.result, reason, extra=request_fields(act))

    def _proposed(self, act: ActionRequest, ask: Vote) -> tuple[str, str]:
        """Return the request that undoes the act, in the ledger's name, and what came of the ask in a sentence."""
        try:
            made = self.propose(act, ask)
        except (Refused, InvalidInput, AwsDenied, AwsRejected, AwsCredentialsInvalid) as error:
            return "", f"Not undone: {error}"
        votes = made.spec.approval.required
        people = "1 approval" if votes == 1 else f"{votes} approvals"
        by = "Its watch" if ask.voter.source == WATCH else ask.voter.handle
        return request_reference(made), f"{by} asked to undo it: request {made.metadata.name} needs {people}."

    def _follow_end(self, undo: ActionRequest) -> None:
        """Show on the act's request how its undo ended."""
        uid, undoes = undo.metadata.uid or "", undo.spec.undoes
        if undoes is None or undo.status.state not in TERMINAL or uid in self._done or not self.decider.is_ours(undo):
            return
        act = self.cache.requests.get(undo.metadata.namespace or "", undoes.name)
        # One that was removed has no status in which to show it.
        if act is not None and act.metadata.uid == undoes.uid and act.status.state is not None:
            self._show(act)
        self._done.add(uid)

    def _show(self, act: ActionRequest) -> None:
        """Bring the status of the act's request in line with the ledger."""
        if self.undo_of(act) == act.status.undo:
            return

        def written(current: ActionRequest) -> dict[str, object]:
            state = current.status.state
            if state is None:
                raise Conflict("the request has no state", code="StateChanged")
            # Read after `current`: whoever writes in between makes this write be refused and repeated.
            return request_status.moved(current.status, state, fence=self.fence(), undo=self.undo_of(current))

        try:
            self.requests.write_status(act, written)
        except Gone:
            logger.info("the request is gone, its undo is not shown", extra=request_fields(act))
