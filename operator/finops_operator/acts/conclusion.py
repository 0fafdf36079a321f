"""What follows from the recorded end of an act: the saving is noted, the resource freed, the status completed.

Used by the executor alone, in every run until it succeeded once: each part can be repeated.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from finops.domain.audit import RecordKind
from finops.domain.decision import State
from finops.errors import InvalidInput
from finops.ports.act import ActCaps, RealizedSavings, RequestJournal
from finops.ports.ledger import Ledger
from finops_operator.acts.memory import Act
from finops_operator.acts.progress import ActResult, ActSettings, with_outcome
from finops_operator.acts.trail import Trail
from finops_operator.rules.log_fields import act_fields
from finops_operator.rules.undoing import undo_until

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Conclusion:
    """Concludes acts; see `finops_operator.acts.executor.Executor` for the attributes."""

    ledger: Ledger
    status: RequestJournal
    caps: ActCaps
    savings: RealizedSavings
    settings: ActSettings
    passage: Callable[[str], None]
    trail: Trail

    def draw(self, act: Act, state: State, message: str) -> ActResult:
        """Everything that follows from a recorded end; all of it can be repeated."""
        request = act.request
        records = self.ledger.of_request(request.uid)
        changed = any(record.entry.kind is RecordKind.INTENT for record in records)
        last = records[-1]
        final = replace(
            self.trail.base(act), state=state, message=message, ledger_sequence=last.sequence, ledger_hash=last.hash
        )
        for record in records:
            if record.entry.kind is RecordKind.VERIFIED:
                self.passage("realized.before")
                self.savings.append(request, record.time)
                self.passage("realized.after")
                final = with_outcome(final, record.entry.detail)
        if act.action.undo is not None:
            final = replace(final, undo_until=undo_until(records))
        self.caps.release(request, counted=changed)
        self.passage("act.released")
        self.passage("status.before")
        try:
            self.status.report(request, final)
        except InvalidInput as error:
            # Somebody else's admission refuses the status. The act has ended in the ledger; its picture follows when
            # the refusal is gone.
            logger.warning("end not shown: %s", error, extra=act_fields(request))
            return ActResult(None, f"Ended as {state.value}; not shown: {error}", self.settings.attention_seconds)
        self.passage("status.after")
        return ActResult(state, message)
