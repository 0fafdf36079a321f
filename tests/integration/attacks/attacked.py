"""A request that people may vote on, the operator's parts one step at a time, and who called AWS with whose permission.

Used by the properties of this folder. The parts are the production's, joined in this process; only the lease is renewed
in a thread of its own. Nothing happens between two steps, so that the same sequence of steps does the same.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from redis.client import NEVER_DECODE
from tests.chaos.chaos_operator import Boundaries, ChaosOperator
from tests.chaos.chaos_proposal import Proposal, propose
from tests.chaos.chaos_world import Doubles, Place, policy
from tests.support.act_world import warm_sdk
from tests.support.ledger_keys import MEMBERSHIP_KEY

from finops.crds.approval import Approval
from finops.errors import FinopsError
from finops.k8s.connection import connect
from finops.k8s.kinds import approvals
from finops.ledger.durable import DurableLedger
from finops.store.connection import Store, open_store
from finops.store.slack_groups import SlackGroups

GROUP: Final = "S0SRE00001"
MEMBER, FORMER = "U0CAROL001", "U0FORMER01"
REQUIRED: Final = 2
VOTERS: Final[Mapping[str, str]] = {
    "alice": "kubernetes",
    "bob": "kubernetes",
    "carol": "kubernetes",
    MEMBER: "slack",
    FORMER: "slack",
}
"""Who votes, and by which way. Carol is no approver; the last one has left the group since the vote."""
ELIGIBLE: Final = frozenset({"alice", "bob", MEMBER})
_DESTROYING: Final = ("Delete", "Deregister", "Release", "Terminate")
_TEAM: Final = "T0FINOPS01"
_OPEN: Final = frozenset({"Approved", "Scheduled", "Executing", "Verifying"})
_TURNS: Final = 3
"""Runs that are packed in one step, at most."""
_PASSES: Final = 12
"""How often the operator looks in one step while an act is on its way."""


@dataclass(slots=True)
class Attacked:
    """One request and everything that was done about it.

    Attributes:
        approving: eligible people whose approval stands; nobody else's word counts for the oracle.
        denied: whether an eligible person's denial was read by the operator before anything was called.
        violations: what was called without permission, and what no approved plan calls.
    """

    place: Place
    proposal: Proposal
    operator: Stepped
    approving: set[str] = field(default_factory=set)
    denied: bool = False
    votes: int = 0
    called: int = 0
    violations: list[str] = field(default_factory=list)

    @property
    def state(self) -> str:
        return self.place.state()

    def run(self, first: str) -> bytes | None:
        """Return a packed run of the ledger as it lies in the store."""
        client: Any = self.operator.store.client
        found: bytes | None = client.execute_command("HGET", "finops:ledger:packed", first, **{NEVER_DECODE: True})
        return found

    def vote(self, person: str, decision: str = "Approve") -> None:
        """Let a person vote as themselves, by kubectl or by the bot; a vote that is refused was not made."""
        way = VOTERS[person]
        who: dict[str, Any] = {"source": way, "username": person}
        if way == "slack":
            at = datetime.now(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
            who = {"source": way, "slackTeam": _TEAM, "slackUser": person, "groups": [GROUP], "attestedAt": at}
        document = vote_document(self, who, decision, f"vote-{self.votes}")
        self.votes += 1
        context = "bot" if way == "slack" else person
        try:
            approvals(connect(str(self.place.world.k8s.kubeconfig_for(context)))).create(Approval.from_object(document))
        except FinopsError:
            return
        if person not in ELIGIBLE:
            return
        if decision == "Approve":
            self.approving.add(person)
        else:
            self.approving.discard(person)
            if decision == "Deny":
                self.look()
                self.denied = self.denied or not self.called

    def look(self) -> None:
        """Let the operator do what it finds, and note what it called without permission."""
        self.operator.step()
        for _ in range(_PASSES):
            if self.state not in _OPEN:
                break
            time.sleep(0.03)
            self.operator.step()
        calls = [call for call in self.place.world.aws.calls if not call.dry_run]
        before, self.called = self.called, len(calls)
        for place, call in enumerate(calls[before:], before):
            self.judge(f"{call.service}:{call.action}", place, [one.action for one in calls[:place]])

    def judge(self, called: str, place: int, earlier: Sequence[str]) -> None:
        """Note a call without permission, or more calls of a kind than plan and rollback have together.

        The first call needs permission, and so does each that destroys; nothing in these tests makes a call fail.

        Args:
            called: the service and the operation.
            place: how many calls there were before.
            earlier: their operations.
        """
        action = called.partition(":")[2]
        needs = place == 0 or action.startswith(_DESTROYING)
        if needs and (len(self.approving) < REQUIRED or self.denied):
            denied = ", one denied it" if self.denied else ""
            self.violations.append(f"{called} with the approvals of {sorted(self.approving)}{denied}")
        steps = (*self.proposal.forward, *self.proposal.back)
        if earlier.count(action) >= [one.operation.partition(":")[2] for one in steps].count(action):
            self.violations.append(f"{called}, which nobody approved, after {', '.join(earlier) or 'nothing'}")


def vote_document(attacked: Attacked, approver: Mapping[str, Any], decision: str, name: str) -> dict[str, Any]:
    """Return an Approval of the request as somebody would write it."""
    proposal = attacked.proposal
    request = {"name": proposal.name, "uid": proposal.uid}
    owner = {"apiVersion": "finops.dev/v1alpha1", "kind": "ActionRequest", **request}
    return {
        "apiVersion": "finops.dev/v1alpha1",
        "kind": "Approval",
        "metadata": {"name": name, "namespace": attacked.place.namespace, "ownerReferences": [owner]},
        "spec": {
            "request": request,
            "planHash": proposal.plan_hash,
            "decision": decision,
            "reason": "as the test says",
            "approver": dict(approver),
        },
    }


class Stepped(ChaosOperator):
    """The operator's parts, of which one step after the other is made; only the lease has a thread."""

    @property
    def store(self) -> Store:
        return self._authority.store

    @property
    def ledger(self) -> DurableLedger:
        return self._authority.ledger

    def step(self) -> None:
        """Read what the watches would show, decide, let each act that is due run once, and pack old records.

        What is packed is every record but the last few; nothing freezes, so that what is next tried meets no freeze.
        """
        self._decide()
        for _ in range(_TURNS):
            with suppress(FinopsError):
                self.ledger.keep_anchor()

    def _decide(self) -> None:
        with suppress(FinopsError):
            self._cluster.requests.read_again()
            self._cluster.approvals.read_again()
            with ThreadPoolExecutor(1) as pool:
                self._requests._refresh_all(pool)
            with ThreadPoolExecutor(1) as pool:
                self._requests._parts.runner.start_ready(pool)

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Hold the lease meanwhile."""
        stop = threading.Event()
        thread = threading.Thread(target=self._authority.keeper.run, args=(stop,))
        thread.start()
        try:
            deadline = time.monotonic() + 20.0
            while not self._authority.keeper.may_write():
                assert time.monotonic() < deadline, "the lease was not acquired"
                time.sleep(0.01)
            yield
        finally:
            stop.set()
            thread.join(20)
            self._authority.store.client.close()


class _Passing(Boundaries):
    """Boundaries at which nothing happens."""

    def __init__(self) -> None:
        """Listen to nobody."""

    def __call__(self, name: str) -> None:
        """Go on."""


@contextmanager
def attacked(world: Doubles, action: str) -> Iterator[Attacked]:
    """Propose an act that two of alice, bob and a Slack group must approve, and start an operator on an empty store."""
    empty = open_store(world.valkey.url, prefix=world.prefix)
    found: list[str] = list(empty.client.scan_iter("*"))
    if found:
        empty.client.delete(*found)
    place = world.fresh()
    SlackGroups(empty, MEMBERSHIP_KEY).put(GROUP, {MEMBER}, place.clock.now())
    empty.client.close()
    asked = policy(place.namespace)
    asked["spec"]["approval"]["approvers"].append({"slackUserGroup": GROUP})
    world.k8s.apply(asked)
    proposal = propose(place, action, voters=0)
    order = place.order("pod-a")
    Path(order.folder).mkdir(parents=True)
    operator = Stepped(order, _Passing(), warm_sdk())
    with operator.holding():
        made = Attacked(place, proposal, operator)
        # The request gets its state: from here on people may vote.
        operator.step()
        yield made
