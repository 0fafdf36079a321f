"""One chaos run: propose, vote, start an operator, disturb it at its boundary, let it end, check what is left."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from tests.chaos.chaos_cases import Case, Fault, Variant
from tests.chaos.chaos_checker import Evidence, Expected, Violation, as_seen, check_all
from tests.chaos.chaos_operator import LEASE_SECONDS
from tests.chaos.chaos_proposal import Proposal, ask_for_undo, propose, undo_of
from tests.chaos.chaos_resources import id_in_double
from tests.chaos.chaos_world import ChaosWorld, OperatorProcess, Place
from tests.support.ledger_keys import PUBLIC_KEYS

from finops_operator.aws.executor import DEADLINE_PASSED

_RUN_SECONDS: Final = 120.0
_LATE_SECONDS: Final = 1.0
"""How long a process that was woken has to do harm before the run is judged."""
_SETTLING_SECONDS: Final = 3.0
"""How long the double's states take at most to come to an end, many times over."""
_AWS_FAULTS: Final = {
    Fault.DROP_AFTER: "drop_after",
    Fault.DROP_BEFORE: "drop_before",
    Fault.THROTTLE: "throttle",
}
_DONE: Final = frozenset({"Succeeded", "RolledBack", "Stale", "Withdrawn", "Expired", "Denied", "Superseded"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run came out.

    Attributes:
        reached: whether the operator came to the boundary; a run that did not shows nothing.
        met: boundary → passages, of an undisturbed run.
        log: ends of the operators' logs, when something is broken.
    """

    case: str
    reached: bool
    state: str
    seconds: float
    violations: tuple[Violation, ...] = ()
    met: dict[str, int] = field(default_factory=dict)
    log: str = ""


@dataclass(slots=True)
class Run:
    """One case in one place."""

    world: ChaosWorld
    case: Case
    seed: int
    without: str = ""
    place: Place = field(init=False)
    proposal: Proposal = field(init=False)
    chance: random.Random = field(init=False)
    operators: list[OperatorProcess] = field(default_factory=list)
    met: dict[str, int] = field(default_factory=dict)

    def carry_out(self) -> Outcome:
        """Run the case to its end and judge it."""
        begun = time.monotonic()
        self.chance = random.Random(f"{self.seed} {self.case.text}")
        self.place = self.world.fresh()
        try:
            self.proposal = propose(self.place, self.case.action, voters=1 if self.without == "votes" else 2)
            expected = [self._expected()]
            if self.case.variant is Variant.UNDONE:
                self._undo()
                expected.append(self._expected())
            if self.case.variant is Variant.TURNED_BACK:
                self._inject("deny", self.proposal.forward[-1].operation)
            elif self.case.variant is Variant.ANSWER_LOST:
                self._inject("drop_after", self.proposal.forward[0].operation)
            reached = self._disturbed()
            state = self._until_done()
            self._end_operators()
            evidence = self._evidence(expected)
        finally:
            self.world.bury()
        ends = self._ends(evidence.ledger)
        violations = check_all([replace(one, ends=ends) for one in expected], evidence, PUBLIC_KEYS)
        log = "\n".join(one.log.read_text(encoding="utf-8")[-4000:] for one in self.operators) if violations else ""
        return Outcome(self.case.text, reached, state, time.monotonic() - begun, violations, self.met, log)

    # -- the course of events
    def _undo(self) -> None:
        """Carry the act out, ask for its undo and vote on that; from then on the run is about the undo."""
        act, operator = self.proposal, self._start("pod-z")
        assert self._wait_for(lambda: self.place.state(act.uid) == "Succeeded"), "the act did not succeed"
        ask_for_undo(self.place, act)
        assert self._wait_for(lambda: self._proposes_undo(act)), "nobody proposed the undo"
        operator.stop()
        self.operators.remove(operator)

    def _proposes_undo(self, act: Proposal) -> bool:
        undo = undo_of(self.place, act)
        self.proposal = undo or act
        return undo is not None

    def _disturbed(self) -> bool:
        """Start the first operator and do to it what the case says; return whether it came to the boundary."""
        first = self._start("pod-a", stop_at=self.case.boundary)
        if not self.case.boundary:
            return True
        if not self._wait_for(lambda: self._is_at_boundary(first), or_done=True):
            return False
        fault = self.case.fault
        if fault is Fault.KILL:
            first.signal(signal.SIGKILL)
            first.gone = True
            self._start("pod-a")
        elif fault is Fault.PAUSE:
            self._pause(first)
        elif fault is Fault.STORE_HANGS:
            self.world.hang_store()
            first.go_on()
            time.sleep(self.chance.uniform(0.2, 1.2 * LEASE_SECONDS))
            self.world.wake_store()
        elif fault is Fault.STATUS_REFUSED:
            self._refuse_statuses(first)
        elif fault is not None:
            for operation in {step.operation for step in (*self.proposal.forward, *self.proposal.back)}:
                self._inject(_AWS_FAULTS[fault], operation)
            self.world.aws.control.inject({"kind": _AWS_FAULTS[fault], "count": 1})
            first.go_on()
        return True

    def _pause(self, first: OperatorProcess) -> None:
        """Let the process stand still beyond its lease while a second operator is there, and wake it at some moment."""
        first.stand_still()
        # What it will read when it wakes: the boundary is behind it.
        first.go_on()
        second = self._start("pod-b")
        self._wait_for(lambda: self.place.holder().startswith("pod-b"))
        if self.chance.random() < 0.5:
            self._wait_for(lambda: False, or_done=True)
        else:
            time.sleep(self.chance.uniform(0.0, 1.0))
        first.signal(signal.SIGCONT)
        assert not second.gone

    def _refuse_statuses(self, first: OperatorProcess) -> None:
        """Refuse every status until the act is complete; before it begins only for a while: it waits for its status."""
        self.place.refuse_statuses(refused=True)
        first.go_on()
        deadline = time.monotonic() + 1.0
        while time.monotonic() < deadline or self._has_begun():
            if self._has_ended() or time.monotonic() > deadline + _RUN_SECONDS:
                break
            time.sleep(0.05)
        self.place.refuse_statuses(refused=False)

    # -- small steps
    def _start(self, pod: str, *, stop_at: str = "") -> OperatorProcess:
        process = self.world.start(self.place.order(pod, stop_at=stop_at, without=self.without))
        self.operators.append(process)
        return process

    def _is_at_boundary(self, process: OperatorProcess) -> bool:
        return any("reached" in message for message in process.messages(0.02))

    def _wait_for(self, test: Callable[[], bool], *, or_done: bool = False, seconds: float = _RUN_SECONDS) -> bool:
        """Wait for `test`; return False when the act ended first, or the time is up."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if test():
                return True
            if or_done and self._state() in _DONE:
                return False
            time.sleep(0.02)
        return False

    def _until_done(self) -> str:
        self._wait_for(lambda: self._state() in _DONE)
        if self.case.fault is Fault.PAUSE:
            time.sleep(_LATE_SECONDS)
        return self._state()

    def _state(self) -> str:
        return self.place.state(self.proposal.uid)

    def _end_operators(self) -> None:
        for process in self.operators:
            if not self.case.boundary:
                self.met.update(process.stop().get("met", {}))

    def _has_begun(self) -> bool:
        return any(record["kind"] == "intent" for record in self._records())

    def _has_ended(self) -> bool:
        return any(record["result"] in _DONE and record["kind"] != "decided" for record in self._records())

    def _records(self) -> list[dict[str, Any]]:
        """Return the ledger's records about the act that is disturbed."""
        uid = self.proposal.uid
        return [dict(one) for one in self.place.records() if one["request"].rpartition("/")[2] == uid]

    def _inject(self, kind: str, operation: str) -> None:
        service, action = as_seen(operation)
        self.world.aws.control.inject({"kind": kind, "service": service, "action": action, "count": 1})

    # -- what is judged
    def _expected(self) -> Expected:
        proposal = self.proposal
        running = frozenset(name for name, state in self.place.instances().items() if state == "running")
        operations = [step.operation for step in proposal.forward]
        stops = "ec2:StopInstances" in operations and "ec2:StartInstances" not in operations
        return Expected(
            uid=proposal.uid,
            name=proposal.name,
            plan_hash=proposal.plan_hash,
            required=2,
            forward=proposal.forward,
            back=proposal.back,
            ends=frozenset(),
            running=running,
            may_stop=frozenset({proposal.resource.id}) if stops else frozenset(),
            before={name: self.place.resource(name) for name in (id_in_double(proposal.resource),)},
        )

    def _ends(self, ledger: Iterable[str]) -> frozenset[str]:
        """Return the states in which the act may end, which its ledger may widen."""
        if self.case.variant is not Variant.TURNED_BACK:
            return frozenset({"Succeeded"})
        # When the one refusal is lost on its way, or so late that the session's deadline may be its reason, the call is
        # made once more and nothing refuses it.
        lost = self.case.fault in {Fault.DROP_AFTER, Fault.KILL, Fault.PAUSE, Fault.STORE_HANGS}
        late = any(DEADLINE_PASSED in line for line in ledger)
        return frozenset({"RolledBack", "Succeeded"} if lost or late else {"RolledBack"})

    def _evidence(self, expected: Iterable[Expected]) -> Evidence:
        """Read what was anchored before the sinks, which must hold it, and the ledger's file before its store."""
        calls, checkpoint = tuple(self.world.aws.calls), self.place.checkpoint()
        return Evidence(
            calls=calls,
            ledger=self.place.lines(),
            other_sink=self.place.exported(),
            checkpoint=checkpoint,
            requests=self.place.objects("actionrequests"),
            approvals=self.place.objects("approvals"),
            instances=self.place.instances(),
            resources={name: self._settled(name, was) for one in expected for name, was in one.before.items()},
        )

    def _settled(self, name: str, was: Mapping[str, Any]) -> dict[str, Any]:
        """Return a resource after the time that AWS takes to come back to what was, where an act led it back."""
        if self._state() == "RolledBack":
            self._wait_for(lambda: self.place.resource(name) == was, seconds=_SETTLING_SECONDS)
        return self.place.resource(name)
