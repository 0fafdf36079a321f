"""People who vote while everything around them is killed: they try again until their vote is there."""

from __future__ import annotations

import json
import random
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import pytest
from tests.e2e.documents import vote
from tests.e2e.loop.kills.kill_acts import Act, Wish
from tests.e2e.loop.world import CHANNEL, Loop

from finops.domain.decision import Choice
from finops_sandbox.slack import ControlRefusedError

BY_KUBECTL = ("alice", "bob")
IN_SLACK = ("U0ALICE001", "U0BOB00001")
WHILE_DOWN = (
    AssertionError,
    pytest.fail.Exception,
    subprocess.TimeoutExpired,
    OSError,
    ControlRefusedError,
    json.JSONDecodeError,
)
"""What a look or a vote meets while the API server, the bot or a pod is gone."""
_PATIENCE_SECONDS = 240.0


@dataclass(slots=True)
class People:
    """Vote with kubectl and in Slack side by side, each on one act after the other.

    Attributes:
        unheard: acts whose votes did not come through although somebody tried for minutes.
    """

    loop: Loop
    chance: random.Random
    note: Callable[[str], None]
    unheard: list[str] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)

    def begin(self, acts: Iterable[Act]) -> None:
        """Begin to vote: as fast as it goes, so that several acts are under way at once."""
        waiting = list(acts)
        self.chance.shuffle(waiting)
        for by_slack in (False, True):
            chosen = [act for act in waiting if act.by_slack is by_slack]
            self._threads.append(threading.Thread(target=self._vote_on_all, args=(chosen,), daemon=True))
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        """Wait until everybody has voted."""
        for thread in self._threads:
            thread.join()

    def _vote_on_all(self, acts: list[Act]) -> None:
        for act in acts:
            for person in range(1 if act.wish is not Wish.CARRIED_OUT else act.expected.required):
                self._insist(act, person)

    def _insist(self, act: Act, person: int) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        why: object = "nobody saw it"
        while time.monotonic() < deadline:
            try:
                self._vote(act, person)
                if self._is_there(act, person):
                    self.note(f"{act.name}: vote of {_name(act, person)} is there")
                    return
            except WHILE_DOWN as error:
                why = error
            time.sleep(1)
        self.unheard.append(f"{act.name}: the vote of {_name(act, person)}: {why}")

    def _vote(self, act: Act, person: int) -> None:
        if act.by_slack:
            self.loop.click(act.request, IN_SLACK[person])
            time.sleep(1)
            return
        choice = Choice.DENY if act.wish is Wish.DENIED else Choice.APPROVE
        reason = "It is needed." if choice is Choice.DENY else ""
        user = BY_KUBECTL[person]
        self.loop.cluster.try_create(vote(act.request, user, choice, reason), user)

    def _is_there(self, act: Act, person: int) -> bool:
        """Return whether the vote's object is in the cluster."""
        return any(
            one["spec"]["request"]["uid"] == act.expected.uid
            and _name(act, person) in {one["spec"]["approver"].get(key) for key in ("slackUser", "username")}
            for one in self.loop.cluster.list("approvals", self.loop.team)
        )


def _name(act: Act, person: int) -> str:
    return (IN_SLACK if act.by_slack else BY_KUBECTL)[person]


def cards(loop: Loop, uid: str) -> int:
    """Return how many cards in Slack show a request."""
    return sum(
        (message.get("metadata") or {}).get("event_type") == "finops_request"
        and message["metadata"]["event_payload"]["uid"] == uid
        for message in loop.slack.observed.messages(channel=CHANNEL)
    )
