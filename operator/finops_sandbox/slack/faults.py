"""Failures on command. The control API adds them; the Web API's dispatcher asks for each call."""

import json
from dataclasses import asdict, dataclass, field

from finops_sandbox.slack.model import Json


@dataclass(slots=True)
class Fault:
    """What shall go wrong, for the next `n` matching calls.

    One of: `error` (Slack's own error answer), `status` (a bare HTTP status), `retry_after` (429 with that many
    seconds), `hang` (no answer for so many seconds, then the connection is cut), `drop` (cut at once), `delay` (a right
    answer, so many seconds late). With `after_commit` the work is done first: the ambiguous failures.
    """

    method: str
    n: int = 1
    match: dict[str, str] = field(default_factory=dict)
    error: str = ""
    status: int = 0
    retry_after: int = 0
    hang: float = 0.0
    drop: bool = False
    delay: float = 0.0
    after_commit: bool = False

    def problem(self) -> str:
        """Return why this fault makes no sense, or an empty string."""
        kinds = [bool(self.error), self.status > 0, self.retry_after > 0, self.hang > 0, self.drop, self.delay > 0]
        if sum(kinds) != 1:
            return "name exactly one of error, status, retry_after, hang, drop, delay"
        if self.n < 1:
            return "n must be at least 1"
        return ""

    def wants(self, method: str, args: Json) -> bool:
        """Return whether this call is meant."""
        if self.n < 1 or self.method not in {"*", method}:
            return False
        return all(part in _searchable(args.get(name)) for name, part in self.match.items())


class FaultBook:
    """The faults waiting to happen, first in first out."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Queue a fault. Raises ValueError when it says nothing, or two things at once."""
        if problem := fault.problem():
            raise ValueError(problem)
        self._faults.append(fault)

    def take(self, method: str, args: Json) -> Fault | None:
        """Use up and return the first fault meant for this call."""
        for fault in self._faults:
            if fault.wants(method, args):
                fault.n -= 1
                self._faults = [item for item in self._faults if item.n > 0]
                return fault
        return None

    def clear(self) -> None:
        """Let everything work again."""
        self._faults.clear()

    def as_json(self) -> list[Json]:
        """Return the faults still waiting."""
        return [asdict(fault) for fault in self._faults]


def _searchable(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
