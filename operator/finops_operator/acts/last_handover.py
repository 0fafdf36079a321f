"""Leads acts back when the operator is scaled to zero: nobody comes who could take over what stands in the middle.

An operator that is asked to end hands its acts over and goes within seconds, because the next one continues them from
the ledger. When its own Deployment wants no replica any more, or is gone, a resize would stay stopped, and an instance
without the volume that was taken from it, until somebody starts the operator again. Then such acts are led back first,
for as long as the pod may take to end. The lease is held until then.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from finops.domain.audit import RecordKind
from finops.errors import FinopsError
from finops.ports.act import ActRequest
from finops.ports.clock import Clock
from finops.ports.ledger import Ledger
from finops_operator.acts.progress import ActResult
from finops_operator.plugins.action import Action

logger = logging.getLogger(__name__)
WHY: Final = "The operator is scaled to zero, so nobody would finish the act."
_RESERVE_SECONDS: Final = 30.0
"""Of the time that the pod has: for what ran before this, and for what ends after it."""
_RETRY_SECONDS: Final = 5.0
SAFE_POINT_SECONDS: Final = 0.6
"""How long acts may take to their next safe point before the lease goes without them."""
START_SECONDS: Final = 30.0
"""How long the API server may take to say at the start that a Deployment makes us: without it nothing is led back."""
LAST_SECONDS: Final = 1.0
"""How long it may take to say at the end that nobody comes after us: everybody else waits for the lease meanwhile."""
STRANDED_SECONDS: Final = 2.0
"""How long the ledger is asked at the end which acts are stranded: each that was not asked about by then may be."""


def strands(action: Action | None, act: ActRequest, ledger: Ledger) -> bool:
    """Return whether an act that has begun leaves something down or incomplete if nobody carries it on.

    Args:
        action: what it does; None when this program does not know it, and so cannot lead it back.
        act: one that has begun.
        ledger: knows which of its steps were called; while it does not answer the act may strand something.
    """
    if action is None or action.restart_needed:
        return action is not None
    if not action.parting_step:
        return False
    try:
        records = ledger.of_request(act.uid)
    except FinopsError as error:
        logger.warning("how far the act came is not known: %s", error, extra={"request": act.ledger_name})
        return True
    return any(one.entry.kind is RecordKind.INTENT and one.entry.step == action.parting_step for one in records)


@dataclass(slots=True)
class LastHandover:
    """Asked at start and at the end.

    Attributes:
        replicas: how many of us are wanted, None when no Deployment makes us; takes the seconds within which it is to
            answer, raises Refused, ClusterUnavailable.
        acts: those that have begun and not ended.
        act: runs one of them as far as it can now.
        strands: whether an act leaves something down or incomplete where it stands.
        seconds: what the pod has to end (`terminationGracePeriodSeconds`).
    """

    replicas: Callable[[float], int | None]
    acts: Callable[[], tuple[ActRequest, ...]]
    act: Callable[[ActRequest, Callable[[], bool]], ActResult]
    strands: Callable[[ActRequest], bool]
    clock: Clock
    seconds: float
    _deployed: bool = False

    def start(self) -> None:
        """Find out whether a Deployment makes us: only then its absence at the end means anything."""
        self._deployed = self._wanted() is not None

    def finish(self, rest: Callable[[float], bool] = lambda _seconds: True) -> None:
        """Lead acts back if this is the last of us; returns when they have ended or the time is over.

        Whoever has a successor returns soon, also while an act stands in a call to AWS: the successor finds its intent
        and observes what became of it.

        Args:
            rest: waits so many seconds for the threads of acts, and returns whether none runs any more.
        """
        deadline = self.clock.monotonic() + self.seconds - _RESERVE_SECONDS
        rests = rest(SAFE_POINT_SECONDS)
        # Whether somebody comes after us is asked first: whoever has a successor leaves without any word of the ledger.
        left = self._stranded() if self.acts() and self._is_last() else []
        if not left:
            return
        if not rests:
            if not rest(max(0.0, deadline - self.clock.monotonic())):
                logger.error("an act still waits for AWS: start the operator again")
                return
            left = self._stranded()
        logger.warning("scaled to zero in the middle of %d acts: they are led back first", len(left))
        while left and self.clock.monotonic() < deadline:
            pause = _RETRY_SECONDS
            for act in tuple(left):
                after = self._run(act, deadline)
                if after is None:
                    left.remove(act)
                else:
                    pause = min(pause, after)
            if left:
                self.clock.sleep(min(pause, max(0.0, deadline - self.clock.monotonic())))
        for act in left:
            logger.error("the act stands in the middle: start the operator again", extra={"request": act.ledger_name})

    def _stranded(self) -> list[ActRequest]:
        until = self.clock.monotonic() + STRANDED_SECONDS
        left: list[ActRequest] = []
        for number, act in enumerate(self.acts()):
            late = number > 0 and self.clock.monotonic() >= until
            if late or self.strands(act):
                left.append(act)
        return left

    def _run(self, act: ActRequest, deadline: float) -> float | None:
        try:
            result = self.act(replace(act, only_back=act.only_back or WHY), lambda: self.clock.monotonic() >= deadline)
        except FinopsError as error:
            logger.warning("act is led back later: %s", error, extra={"request": act.ledger_name})
            return _RETRY_SECONDS
        return result.retry_after_seconds

    def _is_last(self) -> bool:
        if not self._deployed:
            return False
        try:
            wanted = self.replicas(LAST_SECONDS)
        except FinopsError as error:
            logger.info("whether the operator is scaled to zero is not known: %s", error)
            return False
        return not wanted

    def _wanted(self) -> int | None:
        try:
            return self.replicas(START_SECONDS)
        except FinopsError as error:
            logger.info("the operator's own Deployment is not known: %s", error)
            return None
