"""What follows from the recorded end of an act: its saving, the record that it undid another one, its status.

The resource is freed as well. Used by the executor alone, in every run until it succeeded once: each part can be
repeated.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from finops.domain.audit import Record, RecordKind
from finops.domain.decision import State
from finops.errors import InvalidInput
from finops.ports.act import ActCaps, RealizedSavings, RequestJournal
from finops.ports.ledger import Ledger
from finops_operator.acts.memory import Act
from finops_operator.acts.progress import ActResult, ActSettings, with_outcome
from finops_operator.acts.trail import Trail
from finops_operator.killpoint import killpoint
from finops_operator.rules.log_fields import act_fields
from finops_operator.rules.undoing import undone_act, undone_entry, undone_id, verified_record

logger = logging.getLogger(__name__)


def _began(records: Iterable[Record]) -> datetime | None:
    """Return when the first call of an act was intended, None where it made none."""
    return min((one.time for one in records if one.entry.kind is RecordKind.INTENT), default=None)


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
            self.trail.base(act),
            state=state,
            message=message,
            ledger_sequence=last.sequence,
            ledger_hash=last.hash,
            checkpoint=self.ledger.tree_head(),
        )
        for record in records:
            if record.entry.kind is RecordKind.VERIFIED:
                self.passage("realized.before")
                undoes = undone_act(records).rpartition("/")[2]
                self.savings.append(request, record.time, undoes, act.action.shows, _began(records))
                self.passage("realized.after")
                final = with_outcome(final, record.entry.detail)
        self._undone(records)
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

    def _undone(self, records: Iterable[Record]) -> None:
        """Record that an act was undone, when these records are of the verified act that undid it."""
        undone, verified = undone_act(records).rpartition("/")[2], verified_record(records)
        if not undone or verified is None or self.ledger.find(undone_id(undone)) is not None:
            return
        act = verified_record(self.ledger.of_request(undone))
        if act is not None:
            self.ledger.append(undone_entry(act, verified))
            killpoint("undo.undone")
