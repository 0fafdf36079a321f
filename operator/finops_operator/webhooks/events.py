"""What is sent: records of the ledger and notices as CloudEvents 1.0 in structured JSON. Pure.

The type says which of the three it is: `dev.finops.recommendation.proposed` (a request was made),
`dev.finops.decision.…` (it was decided), `dev.finops.outcome.…` (its act ended); a notice is `dev.finops.TYPE`.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any, Final

from finops.domain.audit import Record, RecordKind
from finops.domain.decision import TERMINAL
from finops.domain.notice import Notice

PREFIX: Final = "dev.finops."
_ENDS: Final = frozenset(state.value for state in TERMINAL)


def event_of_record(record: Record, source: str) -> tuple[str, str, str] | None:
    """Return (id, type, text) of the event that a record is, None when it is none.

    The id is made of the record's hash, so that it stays the same however often the record is read.
    """
    type_ = _type_of(record)
    if type_ is None:
        return None
    entry = record.entry
    namespace, name, uid = [*entry.request.split("/", 2), "", "", ""][:3]
    data = {
        "namespace": namespace,
        "request": name,
        "requestUid": uid,
        "actor": entry.actor,
        "result": entry.result,
        "planHash": entry.plan_hash,
        "detail": dict(entry.detail),
        "ledgerSequence": record.sequence,
        "ledgerHash": record.hash,
    }
    event_id = f"ledger-{record.sequence}-{record.hash[:24]}"
    return event_id, type_, _text(event_id, type_, source, f"ActionRequest/{namespace}/{name}", record.time, data)


def event_of_notice(notice: Notice, source: str) -> tuple[str, str, str]:
    """Return (id, type, text) of the event that a notice is."""
    type_ = PREFIX + notice.type
    data = {"namespace": notice.namespace, "text": notice.text, **notice.data}
    return notice.id, type_, _text(notice.id, type_, source, notice.subject, notice.time, data)


def _type_of(record: Record) -> str | None:
    kind, word = record.entry.kind, _word(record.entry.result)
    if kind is RecordKind.PROPOSED:
        return f"{PREFIX}recommendation.proposed"
    if kind is RecordKind.DECIDED:
        return f"{PREFIX}decision.{word}"
    if kind is RecordKind.VERIFIED or (kind is RecordKind.OUTCOME and record.entry.result in _ENDS):
        return f"{PREFIX}outcome.{word}"
    return None


def _word(result: str) -> str:
    return re.sub("[^a-z0-9]+", "_", result.lower()).strip("_") or "unknown"


def _text(event_id: str, type_: str, source: str, subject: str, time: datetime, data: dict[str, Any]) -> str:
    event = {
        "specversion": "1.0",
        "id": event_id,
        "source": source,
        "type": type_,
        "subject": subject,
        "time": time.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": data,
    }
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"), default=str)
