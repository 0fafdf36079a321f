"""Gives votes that nobody owns to their requests, so that they go along with them.

The bot and the CLI name the request as a vote's owner; a plain `kubectl create` does not, and such a vote would stay
for ever. The cluster's garbage collector removes what its request has left behind, or what never had one.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from finops.crds.approval import Approval
from finops.errors import FinopsError
from finops.ports.clock import Clock
from finops_operator.cluster.objects import Objects

logger = logging.getLogger(__name__)
UNANSWERED_FOR: Final = timedelta(days=1)
"""A vote that got no answer is on nothing that the operator knows; its author has had time to see that."""


@dataclass(frozen=True, slots=True)
class StrayVotes:
    """A duty of housekeeping."""

    approvals: Objects[Approval]
    clock: Clock

    def adopt(self) -> None:
        """Name the owner of every answered or old vote that has none."""
        limit = self.clock.now() - UNANSWERED_FOR
        for vote in self.approvals.cache.all():
            made = vote.metadata.creation_timestamp
            waits = vote.status.result is None and (made is None or made > limit)
            if vote.metadata.owner_references or waits:
                continue
            try:
                self.approvals.own(vote, vote.spec.owner)
            except FinopsError as error:
                logger.info("a vote gets its owner later: %s", error, extra={"approval": vote.metadata.name})
