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
from functools import partial
from typing import Final, TypeVar

from finops.domain.audit import RecordKind
from finops.errors import ClusterUnavailable, FinopsError
from finops.ports.act import ActRequest
from finops.ports.clock import Clock
from finops.ports.ledger import Ledger
from finops_operator.acts.progress import ActResult
from finops_operator.background import Background
from finops_operator.plugins.action import Action

logger = logging.getLogger(__name__)
Result = TypeVar("Result")
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
ASK_SECONDS: Final = 10.0
"""How long it is asked again while an act strands something: of the pod's time, and no successor can be waited for."""
_SLOW_SECONDS: Final = 4.0
"""How long the API server may take for an answer to a question that is asked again: it may only be slow."""
_ASK_AGAIN_SECONDS: Final = 0.5
STRANDED_SECONDS: Final = 2.0
"""How long the ledger is asked at the end which acts are stranded: each that was not asked about by then may be."""


def is_last(wanted: int | None, *, deployed: bool) -> bool:
    """Return whether nobody comes after us.

    Args:
        wanted: replicas of the Deployment that makes us; None when there is no such Deployment.
        deployed: whether there was one at the start: what never was there says nothing by its absence.
    """
    return wanted == 0 or (wanted is None and deployed)


def strands(action: Action | None) -> bool | None:
    """Return whether an act that has begun leaves something down or incomplete if nobody carries it on.

    None where only the ledger knows: it depends on how far the act came.

    Args:
        action: what it does; None when this program does not know it, and so cannot lead it back.
    """
    if action is None or action.restart_needed:
        return action is not None
    return None if action.parting_step else False


def is_parted(action: Action | None, act: ActRequest, ledger: Ledger) -> bool:
    """Return whether an act has called the step that parts what belongs together.

    Args:
        action: what it does.
        act: one that has begun.
        ledger: knows which of its steps were called; while it does not answer the act may have.
    """
    try:
        records = ledger.of_request(act.uid)
    except FinopsError as error:
        logger.warning("how far the act came is not known: %s", error, extra={"request": act.ledger_name})
        return True
    step = action.parting_step if action is not None else ""
    return any(one.entry.kind is RecordKind.INTENT and one.entry.step == step for one in records)


@dataclass(slots=True)
class LastHandover:
    """Asked at start and at the end.

    Attributes:
        replicas: how many of us are wanted, None when no Deployment makes us; takes the seconds within which it is to
            answer, raises Refused, ClusterUnavailable.
        acts: those that have begun and not ended.
        act: runs one of them as far as it can now.
        strands: whether an act leaves something down or incomplete where it stands, as its action alone says.
        is_parted: asked of the ledger where `strands` does not know.
        background: runs what concerns one act, so that a defect there leaves the others alone.
        seconds: what the pod has to end (`terminationGracePeriodSeconds`).
    """

    replicas: Callable[[float], int | None]
    acts: Callable[[], tuple[ActRequest, ...]]
    act: Callable[[ActRequest, Callable[[], bool]], ActResult]
    strands: Callable[[ActRequest], bool | None]
    is_parted: Callable[[ActRequest], bool]
    background: Background
    clock: Clock
    seconds: float
    _deployed: bool = False
    _defect: Exception | None = None

    def start(self) -> None:
        """Find out whether a Deployment makes us: only then its absence at the end means anything."""
        self._deployed = self._wanted() is not None

    def finish(self, rest: Callable[[float], bool] = lambda _seconds: True) -> None:
        """Lead acts back if this is the last of us; returns when they have ended or the time is over.

        Whoever has a successor returns soon, also while an act stands in a call to AWS: the successor finds its intent
        and observes what became of it.

        Args:
            rest: waits so many seconds for the threads of acts, and returns whether none runs any more.

        Raises:
            Exception: the first defect of an act, after everything was done for it and for the others.
        """
        began = self.clock.monotonic()
        deadline = began + self.seconds - _RESERVE_SECONDS
        # Whether somebody comes after us is asked first, while acts come to a safe point: whoever has a successor
        # leaves without any word of the ledger.
        last = self._is_last(deadline) if self.acts() else None
        rests = rest(max(0.0, began + SAFE_POINT_SECONDS - self.clock.monotonic()))
        if last is None and self.acts():
            last = self._is_last(deadline)
        left = self._stranded() if last else []
        if left and not rests:
            if not rest(max(0.0, deadline - self.clock.monotonic())):
                logger.error("an act still waits for AWS: start the operator again")
                return
            left = self._stranded()
        if left:
            self._lead_back(left, deadline)
        if self._defect is not None:
            raise self._defect

    def _lead_back(self, left: list[ActRequest], deadline: float) -> None:
        logger.warning("scaled to zero in the middle of %d acts: they are led back first", len(left))
        while left and self.clock.monotonic() < deadline:
            pause = _RETRY_SECONDS
            for act in tuple(left):
                later: float | None = _RETRY_SECONDS
                after = self._guarded(act, partial(self._run, act, deadline), later)
                if after is None:
                    left.remove(act)
                else:
                    pause = min(pause, after)
            if left:
                self.clock.sleep(min(pause, max(0.0, deadline - self.clock.monotonic())))
        for act in left:
            logger.error("the act stands in the middle: start the operator again", extra={"request": act.ledger_name})

    def _stranded(self) -> list[ActRequest]:
        until, asked = self.clock.monotonic() + STRANDED_SECONDS, False
        left: list[ActRequest] = []
        for act in self.acts():
            found = self.strands(act)
            if found is None:
                late = asked and self.clock.monotonic() >= until
                found, asked = late or self._guarded(act, partial(self.is_parted, act), True), True
            if found:
                left.append(act)
        return left

    def _guarded(self, act: ActRequest, work: Callable[[], Result], otherwise: Result) -> Result:
        def kept(error: Exception) -> Result:
            self._defect = self._defect or error
            return otherwise

        return self.background.attempt(
            "acts", "an act met a defect at the end", work, kept, fields={"request": act.ledger_name}
        )

    def _run(self, act: ActRequest, deadline: float) -> float | None:
        try:
            result = self.act(replace(act, only_back=act.only_back or WHY), lambda: self.clock.monotonic() >= deadline)
        except FinopsError as error:
            logger.warning("act is led back later: %s", error, extra={"request": act.ledger_name})
            return _RETRY_SECONDS
        return result.retry_after_seconds

    def _is_last(self, deadline: float) -> bool:
        """Ask until the API server answers, but once only where surely nothing is down, or it refuses, or time is over.

        How far an act came that may have parted something is not asked of the ledger: it would be waited for as well.
        """
        until, seconds = min(self.clock.monotonic() + ASK_SECONDS, deadline), LAST_SECONDS
        while True:
            try:
                return is_last(self.replicas(seconds), deployed=self._deployed)
            except FinopsError as error:
                down = [act.ledger_name for act in self.acts() if self.strands(act) is not False]
                left = until - self.clock.monotonic()
                if not down:
                    logger.info("whether the operator is scaled to zero is not known: %s", error)
                    return False
                if left <= 0 or not isinstance(error, ClusterUnavailable):
                    logger.error(  # noqa: TRY400  the API server's words are enough
                        "whether the operator is scaled to zero is not known (%s): if so, start it again, because "
                        "these acts stand in the middle, or may: %s",
                        *(error, ", ".join(down)),
                    )
                    return False
            self.clock.sleep(min(_ASK_AGAIN_SECONDS, left))
            seconds = min(_SLOW_SECONDS, max(LAST_SECONDS, until - self.clock.monotonic()))

    def _wanted(self) -> int | None:
        try:
            return self.replicas(START_SECONDS)
        except FinopsError as error:
            logger.info("the operator's own Deployment is not known: %s", error)
            return None
