"""What has to be done now and then: watch canary, groups for the bot, notes in the ledger, finished requests removed.

One thread of the composition root. Each duty is on its own: what fails now is done the next time.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from finops.errors import FinopsError
from finops.ports.clock import Clock
from finops_operator.background import Background
from finops_operator.upkeep.duty import Duty
from finops_operator.upkeep.wanted_groups import WantedGroups

logger = logging.getLogger(__name__)
_LONGEST_PAUSE_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Housekeeping:
    """Does all duties in their order.

    Attributes:
        groups: published with the other duties, and at once when they change.
        duties: the others; those that need no lease go first.
        may_write: whether this process holds the lease.
        canary_seconds: period of the watches' canary; duties are done at least twice as often.
    """

    groups: WantedGroups
    duties: Sequence[Duty]
    clock: Clock
    may_write: Callable[[], bool]
    canary_seconds: float
    background: Background

    def run(self, stop: threading.Event) -> None:
        """Do every duty every few seconds until `stop` is set; groups at once, a first vote may lean on them."""
        pause = min(_LONGEST_PAUSE_SECONDS, self.canary_seconds / 2)
        due = self.clock.monotonic() + pause
        while not stop.wait(min(pause, 1.0)):
            if self.clock.monotonic() >= due:
                self.run_duties(stop)
                due = self.clock.monotonic() + pause
            elif self.groups.changed():
                self._publish_groups()

    def run_duties(self, stop: threading.Event | None = None) -> None:
        """Do every duty once, and none any more after `stop` is set."""
        for duty in self._in_order():
            if stop is not None and stop.is_set():
                return
            self._do(duty)

    def _in_order(self) -> Iterator[Duty]:
        yield from (duty for duty in self.duties if not duty.writes)
        yield Duty("groups", self.groups.publish, writes=False)
        if self.may_write():
            yield from (duty for duty in self.duties if duty.writes)

    def _publish_groups(self) -> None:
        self._do(Duty("groups", self.groups.publish, writes=False))

    def _do(self, duty: Duty) -> None:
        if not self.background.rests("housekeeping", duty.name):
            self.background.attempt(
                "housekeeping",
                f"housekeeping, {duty.name}",
                partial(_do_now, duty),
                lambda _defect: None,
                about=duty.name,
            )


def _do_now(duty: Duty) -> None:
    try:
        duty.work()
    except FinopsError as error:
        logger.info("housekeeping, %s: %s", duty.name, error)
