"""Keeps the ledger's checkpoint outside of its sinks up to date: a loop of the composition root.

Apart from the acts: an API server that does not answer stops no record. What is not anchored yet could be cut off both
sinks unseen, so a record that decides is anchored within a second or two, and everything before the lease is given up.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from finops.errors import FinopsError, LedgerDiverged
from finops.ledger.durable import DurableLedger
from finops_operator.telemetry import Telemetry

logger = logging.getLogger(__name__)
_PAUSE_SECONDS: Final = 1.0


@dataclass(slots=True)
class Anchoring:
    """Anchors while this process holds the lease.

    Attributes:
        may_write: whether it does, and the ledger was found in order.
        freeze: stops all acts, with a reason.
    """

    ledger: DurableLedger
    may_write: Callable[[], bool]
    telemetry: Telemetry
    freeze: Callable[[str], None]
    _failed: str = ""

    def run(self, stop: threading.Event) -> None:
        """Anchor what is due until `stop` is set, and then everything."""
        while not stop.wait(_PAUSE_SECONDS):
            self.keep()
        self.keep(at_once=True)

    def keep(self, *, at_once: bool = False) -> None:
        """Anchor a checkpoint when one is due; a failure is tried again at the next call."""
        if not self.may_write():
            return
        try:
            self.telemetry.ledger_anchored.set(self.ledger.keep_anchor(at_once=at_once))
            self._failed = ""
        except LedgerDiverged as error:
            self.freeze(str(error))
            logger.error("frozen: %s", error)  # noqa: TRY400 - the sentence is the whole story
        except FinopsError as error:
            if self._failed != error.code:
                logger.warning("the ledger's checkpoint is not anchored: %s", error)
            self._failed = error.code
