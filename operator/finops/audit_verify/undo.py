"""Checks undos across requests: each names an act that succeeded, undoes it once, and calls what leads it back.

Rules: the `proposed` record of a request that undoes an act names one that was verified, that is no undo itself, that
was not undone, and for whose undo a person had asked, or its watch where the proposal says so: by the record of a worse
state that asks for it. It is decided by no fewer approvals than its act. The plan with which it starts is of the same
action and resource, and its calls are the act's own in reverse, each with what was there before it; the undo of a
volume's deletion is the one call that makes a volume from the last snapshot. Of one act no undo makes a call after
another one was verified. The answer `proposed` and the record `ok` name a request that undoes this act; `ok` one that
was verified, and stands once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from finops.audit_verify.plan import problem_of_undo
from finops.audit_verify.shelf import REQUESTS_NEAR, Kept, Shelf

_CODE = "Undo"


@dataclass(slots=True)
class _Known(Kept):
    """What is known of one request by its records so far.

    Attributes:
        made: step → id of what its last call made.
        undoes: the act that it undoes, empty for none.
        undone_by: the request that was verified as its undo.
        asked, asked_by_watch: whether a person, or its watch, asked for its undo.
        required: how many approvals its decision says that it needed.
        asked_for_by: who asked for the undo that it is, as its proposal says.
    """

    verified: bool = False
    required: int = 0
    made: dict[str, str] = field(default_factory=dict)
    asked: bool = False
    asked_by_watch: bool = False
    asked_for_by: object = None
    undoes: str = ""
    undone_by: str = ""
    recorded: bool = False
    plan: Mapping[str, Any] | None = None


@dataclass(slots=True)
class Undos:
    """Follows every request by its name in the ledger; `check` returns (code, message) for each broken rule."""

    requests: Shelf[_Known] = field(default_factory=lambda: Shelf(REQUESTS_NEAR))

    def check(self, record: dict[str, Any]) -> list[tuple[str, str]]:
        known = self.requests.get(record["request"])
        if known is None:
            known = _Known()
            self.requests.put(record["request"], known)
        match record["kind"]:
            case "proposed":
                return _problems(self._proposed(record, known))
            case "decided" if record["result"] == "Approved":
                return _problems(self._decided(record, known))
            case "voted":
                known.asked = known.asked or _asks(record)
            case "watched":
                known.asked_by_watch = known.asked_by_watch or _watch_asks(record)
            case "outcome" if record["attempt"] == 0 and record["result"] == "started":
                return _problems(self._started(record, known))
            case "outcome" if isinstance(record["detail"].get("created"), str):
                known.made[record["step"]] = record["detail"]["created"]
            case "intent":
                return _problems(self._began(record, known))
            case "verified":
                self._verified(record, known)
            case "undone":
                return _problems(self._undone(record, known))
        return []

    def is_undo(self, request: str) -> bool:
        """Return whether a request was proposed as the undo of an act."""
        known = self.requests.get(request)
        return known is not None and bool(known.undoes)

    def _proposed(self, record: dict[str, Any], known: _Known) -> str:
        name = record["detail"].get("undoes")
        if not name:
            return ""
        if not isinstance(name, str):
            return "a request that undoes an act does not say which"
        known.undoes = name
        act = self.requests.get(name)
        if act is None or not act.verified:
            return "a request undoes an act that was not verified before"
        if act.undoes:
            return "a request undoes an undo"
        if act.undone_by:
            return "a request undoes an act that was undone before"
        known.asked_for_by = record["detail"].get("askedBy") or self._intended_for(record["request"])
        if known.asked_for_by == "watch":
            return "" if act.asked_by_watch else "a request undoes an act, and its watch had not asked for it"
        return "" if act.asked else "a request undoes an act, and no person had asked for it"

    def _intended_for(self, name: str) -> object:
        """Return who asked, by the record that was made before the object had a uid; None when there is none."""
        intended = self.requests.get(f"{name.rpartition('/')[0]}/")
        return None if intended is None else intended.asked_for_by

    def _decided(self, record: dict[str, Any], known: _Known) -> str:
        required = record["detail"].get("required")
        known.required = required if type(required) is int else 0
        act = self.requests.get(known.undoes) if known.undoes else None
        if act is None or known.required >= act.required:
            return ""
        return f"an undo was decided by {known.required} of the {act.required} approvals that its act needed"

    def _started(self, record: dict[str, Any], known: _Known) -> str:
        plan = record["detail"].get("plan")
        known.plan = plan if isinstance(plan, Mapping) else {}
        if not known.undoes:
            return ""
        act = self.requests.get(known.undoes)
        if act is None or act.plan is None:
            return "what an undo leads back is not in the ledger"
        return problem_of_undo(act.plan, known.plan, act.made)

    def _began(self, record: dict[str, Any], known: _Known) -> str:
        act = self.requests.get(known.undoes) if known.undoes else None
        if act is not None and act.undone_by not in {"", record["request"]}:
            return f"a call of an undo after request {act.undone_by} had undone the act"
        return ""

    def _verified(self, record: dict[str, Any], known: _Known) -> None:
        known.verified = known.verified or record["result"] == "Succeeded"
        act = self.requests.get(known.undoes) if known.undoes else None
        if act is not None and known.verified:
            act.undone_by = act.undone_by or record["request"]

    def _undone(self, record: dict[str, Any], known: _Known) -> str:
        result, name = record["result"], record["detail"].get("undoRequest")
        if result == "refused":
            return ""
        undo = self.requests.get(name) if isinstance(name, str) else None
        if undo is None or undo.undoes != record["request"]:
            return "the record of an undo names no request that undoes this act"
        if result != "ok":
            return ""
        if known.recorded:
            return "an act is recorded as undone twice"
        known.recorded = True
        return "" if known.undone_by == name else "an act is recorded as undone by a request that was not verified"


def _asks(record: dict[str, Any]) -> bool:
    return bool(record["result"] == "counted" and record["detail"].get("choice") == "Undo")


def _watch_asks(record: dict[str, Any]) -> bool:
    return bool(record["result"] == "worse" and record["detail"].get("proposeUndo") is True)


def _problems(message: str) -> list[tuple[str, str]]:
    return [(_CODE, message)] if message else []
