"""One sentence for each record of the ledger, and what the sentence rests on.

The ledger keeps facts as words for programs (`posted posted`, `outcome modify_type 1 ok`); people read these sentences,
on the dashboard and in `finops audit list` alike. Everything that comes out of a record is text from outside: whoever
shows it escapes it, nothing here is markup.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from finops.domain.audit import Entry, Record, RecordKind
from finops.domain.canonical import Json
from finops.domain.quantity import counted, words

_ARN_PARTS: Final = 6
"""arn, partition, service, region, account and resource. Source: the AWS user guide, "Amazon Resource Names"."""
_CHANNELS: Final = {"kubernetes": "with a token of the cluster", "slack": "in Slack", "web": "in the dashboard"}
_CHOICES: Final = {
    "Approve": "approved",
    "Deny": "denied",
    "Withdraw": "withdrew the vote",
    "Resume": "voted to resume",
    "Snooze": "snoozed it",
    "Wake": "voted to end the snooze",
    "Undo": "asked to undo it",
}
_BAD_ENDS: Final = frozenset({"NeedsHuman", "RolledBack", "Stale", "Denied", "Expired"})


class Shape(StrEnum):
    """How a record is drawn: an intent or a vote is hollow, what is done is filled, what failed is a square."""

    INTENT = "intent"
    VOTE = "vote"
    DONE = "done"
    FAILED = "failed"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Sentence:
    """What a record says.

    Attributes:
        subject: who or what it is about, shown in bold before `text`; empty where nobody needs to be named.
        detail: what it rests on, one line, empty when the sentence says it all.
    """

    shape: Shape
    text: str
    subject: str = ""
    detail: str = ""

    @property
    def whole(self) -> str:
        """Return subject and text as one plain sentence, for data."""
        return f"{self.subject} {self.text}".strip()


def sentence_of(record: Record) -> Sentence:
    """Return the sentence of a record."""
    return _SENTENCES[record.entry.kind](record.entry)


def _text(detail: Mapping[str, Json], name: str) -> str:
    """Return a text or a number of a record's detail; empty when it holds neither."""
    found = detail.get(name)
    return str(found) if isinstance(found, (str, int)) and not isinstance(found, bool) else ""


def _inner(detail: Mapping[str, Json], name: str) -> Mapping[str, Json]:
    found = detail.get(name)
    return found if isinstance(found, Mapping) else {}


def _how_often(detail: Mapping[str, Json]) -> str:
    days = _text(detail, "lastsDays")
    return f"once, in at most {days} days" if days else "a month"


def _proposed(entry: Entry) -> Sentence:
    if entry.result == "created":
        return Sentence(
            Shape.NOTE, "The request was created", detail=f"Plan {entry.plan_hash[:12]} cannot change from here on"
        )
    saving, resource = _text(entry.detail, "monthlySavings"), _resource(_text(entry.detail, "resource"))
    action = words(_text(entry.detail, "action")) or "an act"
    asked_by = _text(entry.detail, "askedBy")
    if asked_by:
        undo = f"The undo of {action} was proposed"
        return Sentence(Shape.INTENT, undo, detail=f"Asked for by {asked_by}, {resource}")
    unknown = _text(entry.detail, "savingUnknown")
    saves = f"Saves {saving} USD {_how_often(entry.detail)}" if saving else ""
    parts = (saves or (f"Saving unknown: {unknown}" if unknown else ""), resource)
    return Sentence(
        Shape.INTENT,
        f"proposed {action}",
        f"Policy {_text(entry.detail, 'policy')}",
        ", ".join(part for part in parts if part),
    )


def _resource(arn: str) -> str:
    """Return an ARN in words that a line can be folded between: `volume/vol-0abc in 111111111111 us-east-1`."""
    parts = arn.split(":", _ARN_PARTS - 1)
    if len(parts) != _ARN_PARTS or parts[0] != "arn":
        return arn
    *_, region, account, resource = parts
    place = " ".join(part for part in (account, region) if part)
    return f"{resource} in {place}" if place else resource


def _posted(entry: Entry) -> Sentence:
    return Sentence(Shape.NOTE, "Shown in Slack", detail=f"Channel {_text(entry.detail, 'channel')}")


def _voted(entry: Entry) -> Sentence:
    detail, voter = entry.detail, _inner(entry.detail, "voter")
    choice = _text(detail, "choice")
    reason, channel = _text(detail, "reason"), _CHANNELS.get(_text(voter, "source"), "")
    if entry.result != "counted":
        return Sentence(Shape.FAILED, f"voted {choice}; the vote does not count", entry.actor, _text(detail, "message"))
    said = f"Reason: {reason}" if reason else "No reason given"
    return Sentence(Shape.VOTE, _CHOICES.get(choice, choice), entry.actor, f"{said}; {channel}" if channel else said)


def _decided(entry: Entry) -> Sentence:
    shape = Shape.FAILED if entry.result in _BAD_ENDS else Shape.DONE
    return Sentence(shape, words(entry.result).capitalize(), detail=_text(entry.detail, "message"))


def _intent(entry: Entry) -> Sentence:
    back = " to undo" if entry.detail.get("back") is True else ""
    again = f", attempt {entry.attempt}" if entry.attempt > 1 else ""
    return Sentence(
        Shape.INTENT,
        f"Calls {_call(entry)}{back}{again}",
        detail=", ".join(part for part in ("Written before the call", _seen(entry.detail)) if part),
    )


def _outcome(entry: Entry) -> Sentence:
    return _note_of_act(entry) if entry.attempt == 0 else _answer(entry)


def _answer(entry: Entry) -> Sentence:
    detail, step = entry.detail, words(entry.step)
    code = ": ".join(part for part in (_text(detail, "code"), _text(detail, "message")) if part)
    request_id = _text(detail, "requestId")
    proof = f"Request id {request_id}" if request_id else ""
    match entry.result:
        case "ok":
            return Sentence(Shape.DONE, f"AWS accepted: {step}", detail=proof)
        case "recovered":
            return Sentence(Shape.DONE, f"AWS shows the effect: {step}", detail=_seen(detail))
        case "rejected":
            return Sentence(Shape.FAILED, f"AWS refused: {step}", detail=code or proof)
        case "unknown":
            return Sentence(Shape.FAILED, f"No clear answer: {step}", detail=code or "What AWS shows decides")
    return Sentence(Shape.FAILED, f"{step.capitalize()}: {words(entry.result)}", detail=code or _seen(detail))


def _note_of_act(entry: Entry) -> Sentence:
    detail, reason = entry.detail, _text(entry.detail, "reason")
    match entry.result:
        case "started":
            dry = detail.get("dryRun") is True
            estimate = _inner(detail, "estimate")
            saving = _text(estimate, "monthlySavings")
            promise = f"Expected to save {saving} USD {_how_often(estimate)}" if saving else ""
            return Sentence(Shape.NOTE, "The dry run started" if dry else "The act started", detail=promise)
        case "compensating":
            return Sentence(Shape.FAILED, "It turns back", detail=reason)
        case "dry-run":
            return Sentence(Shape.DONE, f"Dry run of {_call(entry)}", detail=_text(detail, "code"))
    shape = Shape.FAILED if entry.result in _BAD_ENDS else Shape.DONE
    return Sentence(shape, f"Ended: {words(entry.result)}", detail=reason)


def _verified(entry: Entry) -> Sentence:
    saving = _text(entry.detail, "monthlySavings")
    # An undo saves nothing.
    lasting = "" if _text(entry.detail, "lastsDays") else " from here on"
    counts = f"Saves {saving} USD {_how_often(entry.detail)}{lasting}. " if saving.strip("0.") else ""
    return Sentence(Shape.DONE, "AWS shows the wanted state", detail=counts + _text(entry.detail, "reason"))


def _seen(detail: Mapping[str, Json]) -> str:
    observed = _inner(detail, "observed")
    names = sorted(name for name in observed if name == "state" or name.endswith("Type"))
    facts = [f"{words(name)} {observed[name]}" for name in sorted(names, key=lambda name: name != "state")]
    return f"AWS showed {', '.join(facts)}" if facts else ""


def _call(entry: Entry) -> str:
    operation = _text(entry.detail, "operation")
    return operation.partition(":")[2] or operation or words(entry.step)


def _frozen(entry: Entry) -> Sentence:
    text = "All acts were stopped (freeze)" if entry.result == "on" else "The freeze was lifted"
    return Sentence(Shape.NOTE, text, detail=_text(entry.detail, "reason"))


def _policy_changed(entry: Entry) -> Sentence:
    text = "changed" if entry.result == "changed" else "is served from here on"
    said = entry.detail.get("expected")
    expected = f", {_alerting_nobody(len(said))}" if isinstance(said, list | tuple) else ""
    about = f"Generation {_text(entry.detail, 'generation')}{expected}"
    return Sentence(Shape.NOTE, text, f"Policy {_text(entry.detail, 'policy')}", about)


def _alerting_nobody(number: int) -> str:
    return f"{counted(number, 'expected change')} of cost {'alerts' if number == 1 else 'alert'} nobody"


def _acquired(entry: Entry) -> Sentence:
    return Sentence(
        Shape.NOTE, f"writes from here on, fence {_text(entry.detail, 'fence')}", _text(entry.detail, "holder")
    )


def _undone(entry: Entry) -> Sentence:
    reason = _text(entry.detail, "reason")
    match entry.result:
        case "proposed":
            return Sentence(Shape.NOTE, "A request to undo it was made", detail=reason)
        case "refused":
            return Sentence(Shape.FAILED, "It is not undone", detail=reason)
    return Sentence(Shape.DONE, "It was undone", detail=reason)


def _watched(entry: Entry) -> Sentence:
    reason = _text(entry.detail, "reason")
    over = _text(entry.detail, "hours")
    since = f"{over} hours later: " if over else ""
    match entry.result:
        case "worse":
            return Sentence(Shape.FAILED, f"{since}it is worse than promised", detail=reason)
        case "well":
            return Sentence(Shape.DONE, f"{since}it does well", detail=reason)
    return Sentence(Shape.NOTE, f"{since}not known whether it does well", detail=reason)


def _corrected(entry: Entry) -> Sentence:
    return Sentence(Shape.NOTE, f"Record {_text(entry.detail, 'record')} repeats another one and counts for nothing")


def _paused(entry: Entry) -> Sentence:
    text = f"{_text(entry.detail, 'action')} is paused until a person resumes it"
    return Sentence(Shape.FAILED, text, f"Policy {_text(entry.detail, 'policy')}", _text(entry.detail, "reason"))


def _resumed(entry: Entry) -> Sentence:
    text = f"resumed {_text(entry.detail, 'action')} of policy {_text(entry.detail, 'policy')}"
    reason = _text(entry.detail, "reason")
    return Sentence(Shape.VOTE, text, entry.actor, f"Reason: {reason}" if reason else "No reason given")


def _snoozed(entry: Entry) -> Sentence:
    text = f"snoozed the resource until {_text(entry.detail, 'until')[:16].replace('T', ' ')} UTC"
    return Sentence(Shape.VOTE, text, entry.actor, _text(entry.detail, "resource"))


def _woken(entry: Entry) -> Sentence:
    reason = _text(entry.detail, "reason")
    return Sentence(Shape.VOTE, "ended the snooze", entry.actor, f"Reason: {reason}" if reason else "")


def _act_denied(entry: Entry) -> Sentence:
    until = _text(entry.detail, "until")[:10]
    return Sentence(
        Shape.NOTE, f"The same act is not asked for again before {until}", detail=_text(entry.detail, "resource")
    )


def _plain(text: str, shape: Shape = Shape.NOTE) -> Callable[[Entry], Sentence]:
    return lambda entry: Sentence(shape, text, detail=_text(entry.detail, "reason"))


_SENTENCES: Final[Mapping[RecordKind, Callable[[Entry], Sentence]]] = {
    RecordKind.PROPOSED: _proposed,
    RecordKind.POSTED: _posted,
    RecordKind.VOTED: _voted,
    RecordKind.DECIDED: _decided,
    RecordKind.INTENT: _intent,
    RecordKind.OUTCOME: _outcome,
    RecordKind.VERIFIED: _verified,
    RecordKind.UNDONE: _undone,
    RecordKind.WATCHED: _watched,
    RecordKind.FROZEN: _frozen,
    RecordKind.POLICY_CHANGED: _policy_changed,
    RecordKind.CHECKPOINT: _plain("Checkpoint"),
    RecordKind.KEY_CHANGED: _plain("Another key signs from here on"),
    RecordKind.ACQUIRED: _acquired,
    RecordKind.CORRECTED: _corrected,
    RecordKind.PROTECTED: _plain("The admission policies are in force"),
    RecordKind.PAUSED: _paused,
    RecordKind.RESUMED: _resumed,
    RecordKind.SNOOZED: _snoozed,
    RecordKind.WOKEN: _woken,
    RecordKind.ACT_DENIED: _act_denied,
}
