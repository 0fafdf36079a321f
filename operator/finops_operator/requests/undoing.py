"""Answers approvers who ask for the undo of an act, and follows the request that undoes it to its end.

Used by the request loop. Each ask is answered once in the ledger; the status of the act's request shows the answer. A
crash between two writes is made up for by the next pass, because the request's name comes from the ask, and each append
carries an operation id.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from finops.crds.action_request import ActionRequest
from finops.crds.request_status import UndoStatus
from finops.domain.decision import TERMINAL, Choice, State, Vote
from finops.errors import AwsDenied, AwsRejected, Conflict, FinopsError, InvalidInput, Refused
from finops.ports.clock import Clock
from finops.ports.ledger import Ledger
from finops_operator.cluster.cache import ClusterCache
from finops_operator.cluster.objects import Gone, Objects
from finops_operator.decisions.decider import Decider
from finops_operator.killpoint import killpoint
from finops_operator.rules import request_status
from finops_operator.rules.log_fields import request_fields
from finops_operator.rules.undoing import answer_entry, answer_id, undone_entry, with_answer, with_end
from finops_operator.rules.votes import recorded_vote, request_reference, vote_id

logger = logging.getLogger(__name__)
_RETRY_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Undoing:
    """Undos, one at a time in a thread of their own: they read AWS, and no act may wait for that.

    Attributes:
        propose: makes the request that undoes an act for the person who asked; see `UndoProposals.make`.
    """

    cache: ClusterCache
    requests: Objects[ActionRequest]
    decider: Decider
    ledger: Ledger
    clock: Clock
    fence: Callable[[], int]
    propose: Callable[[ActionRequest, Vote], ActionRequest]
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="undo"))
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _under_way: set[str] = field(default_factory=set)
    """Requests whose asks are being answered."""
    _done: set[str] = field(default_factory=set)
    """Asks that were answered and undos whose end was followed, so that the ledger is asked once."""
    _not_before: dict[str, float] = field(default_factory=dict)

    def follow(self, request: ActionRequest) -> None:
        """Do the next thing about the undo of a request that has ended, if there is one.

        Raises:
            LedgerUnavailable, LedgerDiverged, FenceLost, ClusterUnavailable, Conflict: try again later.
        """
        if request.spec.undoes is not None:
            self._follow_end(request)
        elif request.status.state is State.SUCCEEDED and self._asked(request):
            self._begin(request)

    def close(self) -> None:
        """Begin nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _asked(self, act: ActionRequest) -> bool:
        """Return whether somebody's ask may not be answered yet; cheap, for it is asked of every ended request."""
        return any(
            one.spec.decision is Choice.UNDO and (one.metadata.uid or "") not in self._done
            for one in self.cache.approvals_of(act)
        )

    def _begin(self, act: ActionRequest) -> None:
        uid = act.metadata.uid or ""
        with self._lock:
            if uid in self._under_way or self.clock.monotonic() < self._not_before.get(uid, 0.0):
                return
            self._under_way.add(uid)
        self._pool.submit(self._answer_all, act)

    def _answer_all(self, act: ActionRequest) -> None:
        """Answer every ask about an act; what does not work now is tried again after a pause."""
        uid = act.metadata.uid or ""
        try:
            for approval in self.cache.approvals_of(act):
                if approval.spec.decision is Choice.UNDO and approval.metadata.uid not in self._done:
                    self._answer(act, approval.metadata.uid or "")
        except FinopsError as error:
            logger.info("undo is proposed later: %s", error, extra=request_fields(act))
            self._not_before[uid] = self.clock.monotonic() + _RETRY_SECONDS
        except Exception:  # the edge of the thread: one defect must not stop the other undos
            logger.exception("undo not proposed", extra=request_fields(act))
            self._not_before[uid] = self.clock.monotonic() + _RETRY_SECONDS
        finally:
            with self._lock:
                self._under_way.discard(uid)
            self.cache.ring()

    def _answer(self, act: ActionRequest, approval_uid: str) -> None:
        judged = self.ledger.find(vote_id(approval_uid))
        if judged is None:
            # It is judged in the next pass.
            return
        if judged.entry.result != "counted" or not self.decider.is_ours(act):
            self._done.add(approval_uid)
            return
        ask = recorded_vote(judged)
        record = self.ledger.find(answer_id(ask))
        if record is None:
            reference, reason = self._proposed(act, ask)
            killpoint("undo.proposed")
            record = self.ledger.append(answer_entry(act, ask, reference, reason))
            killpoint("undo.answered")
            logger.info("undo %s: %s", record.entry.result, reason, extra=request_fields(act))
        self._show(act, lambda undo: with_answer(undo, record))
        self._done.add(ask.uid)

    def _proposed(self, act: ActionRequest, ask: Vote) -> tuple[str, str]:
        """Return the request that undoes the act, in the ledger's name, and what came of the ask in a sentence."""
        try:
            made = self.propose(act, ask)
        except (Refused, InvalidInput, AwsDenied, AwsRejected) as error:
            return "", f"Not undone: {error}"
        votes = made.spec.approval.required
        people = "1 approval" if votes == 1 else f"{votes} approvals"
        return request_reference(
            made
        ), f"{ask.voter.handle} asked to undo it: request {made.metadata.name} needs {people}."

    def _follow_end(self, undo: ActionRequest) -> None:
        """Record and show on the act's request how its undo ended."""
        uid, undoes = undo.metadata.uid or "", undo.spec.undoes
        if undoes is None or undo.status.state not in TERMINAL or uid in self._done or not self.decider.is_ours(undo):
            return
        act = self.cache.requests.get(undo.metadata.namespace or "", undoes.name)
        if act is None or act.metadata.uid != undoes.uid:
            # It was removed: nothing of it is left to show.
            self._done.add(uid)
            return
        if undo.status.state is State.SUCCEEDED and self._is_verified(uid):
            entry = undone_entry(act, undo)
            # A new process follows every undo that is kept: what is recorded is not sent again.
            if self.ledger.find(entry.operation_id) is None:
                self.ledger.append(entry)
                killpoint("undo.undone")
        if with_end(act.status.undo, undo) is not None:
            self._show(act, lambda known: with_end(known, undo))
        self._done.add(uid)

    def _is_verified(self, uid: str) -> bool:
        return self.ledger.find(f"{uid}:verified") is not None

    def _show(self, act: ActionRequest, change: Callable[[UndoStatus | None], UndoStatus | None]) -> None:
        """Write how the undo stands into the status of the act's request; a picture only."""

        def written(current: ActionRequest) -> dict[str, object]:
            state = current.status.state
            if state is None:
                raise Conflict("the request has no state", code="StateChanged")
            undo = change(current.status.undo) or current.status.undo
            return request_status.moved(current.status, state, fence=self.fence(), undo=undo)

        try:
            self.requests.write_status(act, written)
        except Gone:
            logger.info("the request is gone, its undo is not shown", extra=request_fields(act))
