"""Which requests the operator proposed itself, and since when without a gap in the ledger.

The ledger says so, an object in the cluster is no evidence.

Used by the decider alone. Anybody with write access to ActionRequests can make one that passes for ours.
"""

from __future__ import annotations

import logging
from typing import Final

from finops.crds.action_request import ActionRequest, Estimate
from finops.domain.audit import Entry, RecordKind, is_loss
from finops.domain.canonical import Json
from finops.ports.ledger import Ledger
from finops_operator.killpoint import killpoint
from finops_operator.rules.log_fields import request_fields
from finops_operator.rules.origin import created_id, intended_id, spec_hash
from finops_operator.rules.undoing import undone_reference
from finops_operator.rules.votes import request_reference

logger = logging.getLogger(__name__)
_REMEMBERED: Final = 20_000


class Origins:
    """Proposals as the ledger knows them."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._origins: dict[tuple[str, int | None], int] = {}
        """(uid, generation) → sequence of the first record that saw exactly this spec proposed, 0 for none. An object
        is created after its record and every edit makes a new generation, so asking again shows nothing new."""
        self._loss: int | None = None
        """Sequence of the last loss that was accepted, 0 for none; None while that was not read."""

    def start_again(self) -> None:
        """Forget what was read of the ledger: the lease was elsewhere meanwhile."""
        self._origins.clear()
        self._loss = None

    def is_ours(self, request: ActionRequest) -> bool:
        """Return whether the ledger saw exactly this spec proposed, whatever the status says.

        Raises:
            LedgerUnavailable, LedgerDiverged: not known now.
        """
        return bool(self._proposal(request))

    def is_before_loss(self, request: ActionRequest) -> bool:
        """Return whether records of the ledger were lost after the request was proposed.

        Votes, a decision or a whole act may be among them: what became of the request is not known any more.

        Raises:
            LedgerUnavailable, LedgerDiverged: not known now.
        """
        if self._loss is None:
            self._loss = max((one.sequence for one in self.ledger.unfinished() if is_loss(one)), default=0)
        return 0 < self._proposal(request) < self._loss

    def _proposal(self, request: ActionRequest) -> int:
        key = (request.metadata.uid or "", request.metadata.generation)
        known = self._origins.get(key)
        if known is None:
            intended = self.ledger.find(intended_id(request))
            record = self.ledger.find(created_id(key[0])) or intended
            ours = record is not None and record.entry.detail.get("specHash") == spec_hash(request.spec)
            known = record.sequence if record is not None and ours else 0
            if known and intended is not None:
                # The second record may have been lost and made again, after a vote was lost as well.
                known = min(known, intended.sequence)
            if not known:
                logger.warning(
                    "ignoring a request that the ledger does not know as proposed",
                    extra=request_fields(request),
                )
            if len(self._origins) >= _REMEMBERED:
                self._origins.clear()
            self._origins[key] = known
        return known

    def record(self, request: ActionRequest) -> None:
        """Record that a request of ours was created, once.

        Raises:
            LedgerUnavailable, LedgerDiverged, FenceLost: not recorded, or not known to be.
        """
        uid = request.metadata.uid or ""
        if self.ledger.find(created_id(uid)) is None:
            self.ledger.append(
                Entry(
                    operation_id=created_id(uid),
                    actor="operator",
                    kind=RecordKind.PROPOSED,
                    request=request_reference(request),
                    plan_hash=request.spec.plan_hash,
                    result="created",
                    detail={"specHash": spec_hash(request.spec), **_undoes(request)},
                )
            )
            logger.info("request proposed, %s", _worth(request.spec.estimate), extra=request_fields(request))
            killpoint("propose.recorded")


def _worth(estimate: Estimate) -> str:
    if estimate.monthly_savings is None:
        return "its saving is unknown"
    return f"it saves {estimate.monthly_savings} {estimate.currency} a month"


def _undoes(request: ActionRequest) -> dict[str, Json]:
    """Name the act that is undone: the executor must know it after a crash, without the object."""
    act = undone_reference(request.metadata.namespace or "", request.spec)
    return {"undoes": act} if act else {}
