"""How far the act of a request has come, as the ledger says: a status is a picture and may lag behind.

Used by the decider and what it writes decisions with; whatever has begun is the executor's to end.
"""

from __future__ import annotations

from dataclasses import replace

from finops.crds.action_request import ActionRequest
from finops.domain.audit import RecordKind
from finops.domain.decision import BEFORE_ACT, TERMINAL, RequestFacts, State
from finops.ports.ledger import Ledger
from finops_operator.rules.undoing import undo_until
from finops_operator.rules.votes import request_facts


def has_begun(ledger: Ledger, uid: str) -> bool:
    """Return whether an act has come to its first changing call. Raises LedgerUnavailable, LedgerDiverged."""
    return any(record.entry.kind is RecordKind.INTENT for record in ledger.of_request(uid))


def last_sequence(ledger: Ledger, uid: str) -> int:
    """Return the sequence of the last record about a request, 0 without one. Raises as `has_begun`."""
    records = ledger.of_request(uid)
    return records[-1].sequence if records else 0


def is_the_executors(ledger: Ledger, uid: str) -> bool:
    """Return whether the act has made its first changing call or has ended: only the executor moves such a request."""
    # A dry run and what turned out stale end without any call.
    return has_begun(ledger, uid) or ledger.find(f"{uid}:ended") is not None


def recorded_facts(ledger: Ledger, request: ActionRequest) -> RequestFacts:
    """Return what votes are judged against: whether the act has begun or ended says the ledger, not the status."""
    facts = request_facts(request)
    if facts.state is State.SUCCEEDED:
        # That it ended well is the ledger's word too: what never was verified cannot be undone.
        return replace(facts, undo_until=undo_until(ledger.of_request(facts.uid)))
    if facts.state in TERMINAL:
        return facts
    begun = is_the_executors(ledger, facts.uid)
    if begun and facts.state in BEFORE_ACT:
        return replace(facts, state=State.EXECUTING)
    return facts if begun or facts.state in BEFORE_ACT else replace(facts, state=State.SCHEDULED)
