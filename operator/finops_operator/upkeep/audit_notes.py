"""Notes in the ledger what happens around requests: a card was posted, a policy's terms changed, acts were frozen.

Called by the housekeeping thread while the lease is held. What was noted before is read from the ledger once per
process; after that a pass costs one read of Redis for each card that is not noted yet, and nothing else.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from finops.crds.action_request import ActionRequest
from finops.crds.expected import expected_of
from finops.crds.scan_policy import ScanPolicy
from finops.domain.audit import Entry, Record, RecordKind
from finops.domain.canonical import Json, canonical_json, sha256_hex
from finops.domain.decision import TERMINAL
from finops.ports.ledger import Ledger
from finops_operator.decisions.freezes import Freezes
from finops_operator.rules.votes import request_reference

logger = logging.getLogger(__name__)
_ACTOR = "operator"
_OFTEN = 60
_LONGEST_TERMS: Final = 64 * 1024
"""Bytes of a policy's terms; ten thousand protected tags would make a record that no backup wants."""
_CHANNEL: Final = re.compile(r"[A-Z0-9]{1,32}")
_MESSAGE: Final = re.compile(r"[0-9]{1,20}\.[0-9]{1,9}")
"""What Slack calls a channel and a message. The bot writes both to the store; nothing else gets into the ledger."""


@dataclass(slots=True)
class AuditNotes:
    """Keeps what was noted last, so that nothing is noted twice.

    Attributes:
        posted: of the requests given, uid → (channel, message time stamp) of the cards that Slack has.
    """

    ledger: Ledger
    posted: Callable[[Iterable[str]], dict[str, tuple[str, str]]]
    _terms: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Policy → hash of the terms that were noted last, and the sequence of that record."""
    _cards: set[str] = field(default_factory=set)
    _asked: dict[str, int] = field(default_factory=dict)
    """Request that ended without a card → passes since."""
    _frozen: str | None = None
    _read: bool = False

    def note(self, policies: Iterable[ScanPolicy], requests: Iterable[ActionRequest], frozen: str) -> None:
        """Bring the ledger up to date; `frozen` is why all acts are stopped, empty when they are not.

        Raises:
            LedgerUnavailable, LedgerDiverged, FenceLost, StoreUnavailable: what is missing is noted at the next pass.
        """
        self._remember()
        self._note_freeze(frozen)
        for policy in policies:
            self._note_terms(policy)
        self._note_cards(requests)

    def start_again(self) -> None:
        """Forget what was read: another process may have written since."""
        self._read = False

    def _remember(self) -> None:
        if self._read:
            return
        self._terms, self._cards, self._frozen = {}, set(), None
        for record in self.ledger.unfinished():
            entry = record.entry
            if entry.kind is RecordKind.FROZEN:
                self._frozen = str(entry.detail.get("reason", ""))
            elif entry.kind is RecordKind.POLICY_CHANGED:
                self._terms[str(entry.detail.get("uid", ""))] = _noted(record)
            elif entry.kind is RecordKind.POSTED:
                self._cards.add(entry.request.rpartition("/")[2])
        self._read = True

    def _note_freeze(self, reason: str) -> None:
        if reason == (self._frozen or ""):
            return
        Freezes(self.ledger).note(reason)
        self._frozen = reason

    def _note_terms(self, policy: ScanPolicy) -> None:
        uid, metadata = policy.metadata.uid or "", policy.metadata
        terms = terms_of(policy)
        digest = sha256_hex(terms)
        before = self._terms.get(uid)
        if before is not None and before[0] == digest:
            return
        record = self.ledger.append(
            Entry(
                operation_id=_operation(policy, before, digest),
                actor=_ACTOR,
                kind=RecordKind.POLICY_CHANGED,
                result="seen" if before is None else "changed",
                detail={
                    "policy": f"{metadata.namespace}/{metadata.name}",
                    "uid": uid,
                    "generation": metadata.generation or 0,
                    "hash": digest,
                    # What is too long stays in the object, whose hash stands here.
                    **(terms if len(canonical_json(terms)) <= _LONGEST_TERMS else {}),
                },
            )
        )
        self._terms[uid] = _noted(record)

    def _note_cards(self, requests: Iterable[ActionRequest]) -> None:
        unnoted = {
            request.metadata.uid or "": request
            for request in requests
            if request.spec.slack_channel
            and request.metadata.uid not in self._cards
            and request.status.state is not None
        }
        ended = [uid for uid, request in unnoted.items() if request.status.state in TERMINAL]
        self._asked = {uid: self._asked.get(uid, 0) + 1 for uid in ended}
        awaited = {uid: request for uid, request in unnoted.items() if self._is_due(uid)}
        if not awaited:
            return
        for uid, (channel, stamp) in self.posted(awaited).items():
            request = awaited[uid]
            if not (_CHANNEL.fullmatch(channel) and _MESSAGE.fullmatch(stamp)):
                logger.warning("not noted: the bot's note of a card is none of Slack's", extra={"request": uid})
                continue
            self.ledger.append(
                Entry(
                    operation_id=f"posted:{uid}",
                    actor="slackbot",
                    kind=RecordKind.POSTED,
                    request=request_reference(request),
                    plan_hash=request.spec.plan_hash,
                    result="posted",
                    detail={"channel": channel, "message": stamp},
                )
            )
            self._cards.add(uid)

    def _is_due(self, uid: str) -> bool:
        """What ended may have been shown just before; what was never shown is asked about at every 60th pass later."""
        asked = self._asked.get(uid, 0)
        return asked <= _OFTEN or asked % _OFTEN == 0


def _noted(record: Record) -> tuple[str, int]:
    return str(record.entry.detail.get("hash", "")), record.sequence


def _operation(policy: ScanPolicy, before: tuple[str, int] | None, digest: str) -> str:
    """Return what names the record: what is expected changes without a new generation, back, and to the same again.

    The record before makes it another one each time, and the same one for whoever notes it again after a crash.
    """
    found = f"policy:{policy.metadata.uid}:{policy.metadata.generation}"
    return found if before is None else f"{found}:{before[1]}:{digest[:16]}"


def terms_of(policy: ScanPolicy) -> dict[str, Json]:
    """Return the part of a policy that decides what may be done, who decides, and which changes of cost alert nobody.

    Without floats.
    """
    spec = policy.spec
    found: dict[str, object] = {"actions": spec.actions.to_dict(), "approval": spec.approval.to_dict()}
    if expected := expected_of(policy):
        found["expected"] = [one.to_json() for one in expected]
    return {key: _plain(value) for key, value in found.items()}


def _plain(value: object) -> Json:
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value if isinstance(value, bool | int | str) or value is None else str(value)
