"""What was called by whom: every changing call in order, and a count of all calls.

The tests join :attr:`CallLog.calls` with the operator's ledger; the control API shows the same as JSON.
"""

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

OK = "ok"
APPLIED_REPLY_DROPPED = "applied-reply-dropped"
DROPPED_BEFORE = "dropped-before"


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One changing call. ``result`` is ok, an AWS error code, applied-reply-dropped or dropped-before.

    ``strict`` is false for a service that moto answered without the strict layer.
    """

    sequence: int
    time: datetime
    service: str
    action: str
    account: str
    region: str
    access_key: str
    principal_arn: str
    role_arn: str
    session_name: str
    source_identity: str
    session_tags: Mapping[str, str]
    dry_run: bool
    parameters: Mapping[str, Any]
    targets: tuple[str, ...]
    result: str
    status: int
    strict: bool = True

    @property
    def applied(self) -> bool:
        """Whether something changed in the account."""
        return not self.dry_run and self.result in {OK, APPLIED_REPLY_DROPPED}

    def as_json(self) -> dict[str, Any]:
        return {
            "sequence": self.sequence,
            "time": self.time.isoformat(),
            "service": self.service,
            "action": self.action,
            "account": self.account,
            "region": self.region,
            "accessKeyId": self.access_key,
            "principalArn": self.principal_arn,
            "roleArn": self.role_arn,
            "sessionName": self.session_name,
            "sourceIdentity": self.source_identity,
            "sessionTags": dict(self.session_tags),
            "dryRun": self.dry_run,
            "parameters": dict(self.parameters),
            "targets": list(self.targets),
            "result": self.result,
            "applied": self.applied,
            "status": self.status,
            "strict": self.strict,
        }


class CallLog:
    """The record. Thread-safe; never trimmed, because tests count on every entry."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: list[CallRecord] = []
        self._sessions: list[CallRecord] = []
        self._counts: Counter[str] = Counter()
        self._sequence = 0

    def next_sequence(self) -> int:
        with self._lock:
            self._sequence += 1
            return self._sequence

    def append(self, record: CallRecord) -> None:
        with self._lock:
            self._calls.append(record)

    def append_session(self, record: CallRecord) -> None:
        """Remember an AssumeRole: it changes nothing, but shows with which policy an act was made."""
        with self._lock:
            self._sessions.append(record)

    def sessions(self) -> list[CallRecord]:
        with self._lock:
            return sorted(self._sessions, key=lambda call: call.sequence)

    def count(self, service: str, action: str) -> None:
        with self._lock:
            self._counts[f"{service}:{action}"] += 1

    def since(self, sequence: int = 0) -> list[CallRecord]:
        """The changing calls after a sequence number, in the order in which they were served."""
        with self._lock:
            chosen = [call for call in self._calls if call.sequence > sequence]
        return sorted(chosen, key=lambda call: call.sequence)

    def counts(self) -> Counter[str]:
        with self._lock:
            return Counter(self._counts)

    def clear(self) -> None:
        with self._lock:
            self._calls.clear()
            self._sessions.clear()
            self._counts.clear()
            self._sequence = 0
