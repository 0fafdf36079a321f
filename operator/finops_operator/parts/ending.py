"""How the operator ends: acts come to a safe point, the Lease goes, and only then the rest is waited for, for a second.

Every wait has an end, because any loop may stand in a call to the outside that is never answered. Without the Lease
nothing can be written or called here any more, so whoever takes over need not wait for what still runs; a thread that
stands in a call is left behind, and the process ends without it as if it had been killed there.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from finops_operator.acts.last_handover import LastHandover
from finops_operator.background import start_loop, unended

logger = logging.getLogger(__name__)
HEED_SECONDS: Final = 1.0
"""Within this every loop heeds the stop; the Lease goes then at the latest, and what has not ended is left behind."""
_ANCHOR_SECONDS: Final = 0.3
"""What the ledger's last checkpoint has at least, whatever the acts took."""
_RELEASE_SECONDS: Final = 2.0
"""How long the API server may take to free the Lease: after that it runs out by itself."""


@dataclass(frozen=True, slots=True)
class Ending:
    """The end, in its order.

    Attributes:
        requests: the thread of the request loop, which ends when no act runs any more.
        anchoring: the thread that anchors the ledger, which ends after `stop_anchoring` is set, with a last anchor.
        lease: the thread that holds the Lease, which ends after `stop_lease` is set.
        rest: the other loops.
        give_up: frees the Lease, whatever its thread does.
        close: ends what the loops share.
    """

    handover: LastHandover
    requests: threading.Thread
    anchoring: threading.Thread
    stop_anchoring: threading.Event
    lease: threading.Thread
    stop_lease: threading.Event
    rest: Sequence[threading.Thread]
    give_up: Callable[[], None]
    close: Callable[[], None]

    def run(self) -> None:
        """End everything; returns within a few seconds, unless acts are led back because nobody comes after us.

        Raises:
            Exception: a defect of the handover, or one in freeing the Lease or in closing what the loops share, after
                everything has ended; the Lease is free by then, or runs out by itself.
        """
        deadline = time.monotonic() + HEED_SECONDS
        try:
            self.handover.finish(lambda seconds: not unended((self.requests,), seconds))
        finally:
            self._release(deadline)

    def _release(self, deadline: float) -> None:
        self.stop_anchoring.set()
        unended((self.anchoring,), max(_ANCHOR_SECONDS, deadline - time.monotonic()))
        self.stop_lease.set()
        defects: list[str] = []
        release = _start("lease release", self.give_up, defects)
        freed_by = time.monotonic() + _RELEASE_SECONDS
        left = unended((self.requests, self.anchoring, *self.rest, self.lease), HEED_SECONDS)
        if not left:
            # Whatever still runs may need it, and ends with the process.
            left = unended((_start("closing", self.close, defects),), HEED_SECONDS)
        left += unended((release,), max(0.0, freed_by - time.monotonic()))
        if left:
            logger.warning("ends without what still waits for an answer: %s", ", ".join(left))
        if defects:
            raise RuntimeError(f"the end met a defect: {', '.join(defects)}")


def _start(name: str, work: Callable[[], None], defects: list[str]) -> threading.Thread:
    """Start one piece of the end; its name is among `defects` before its thread ends when an error ends it."""
    return start_loop(name, work, lambda: defects.append(name))
