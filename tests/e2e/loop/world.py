"""An installation that can do all it was made for: doubles of AWS and Slack, a team with a policy, people who vote."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.e2e.cluster import Object, RealCluster, wait_until
from tests.e2e.documents import vote
from tests.e2e.doubles import ACCOUNT, REGION, Aws
from tests.e2e.release import Release

from finops.domain.decision import Choice
from finops_sandbox.aws.estate import resource_id
from finops_sandbox.slack import SlackControl

POLICY = "everything"
CHANNEL = "C0FINOPS01"
RESIZE, DELETE_VOLUME, STOP = "ec2_instance_resize", "ebs_volume_delete", "ec2_instance_stop"
ENDED = {"Succeeded", "RolledBack", "Stale", "Denied", "Expired", "Withdrawn", "Superseded", "Snoozed"}
"""NeedsHuman is no end: the act goes on when what was silent answers again."""


@dataclass(slots=True)
class Loop:
    """Everything a story of this folder needs. Each story takes instances and volumes of its own."""

    cluster: RealCluster
    release: Release
    team: str
    aws: Aws
    slack: SlackControl
    slack_url: str
    _workers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _volumes: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def policy(self) -> Object:
        return self.cluster.get("scanpolicies", POLICY, self.team)

    def requests(self) -> list[Object]:
        return self.cluster.list("actionrequests", self.team)

    def request(self, name: str) -> Object:
        return self.cluster.get("actionrequests", name, self.team)

    def next_worker(self) -> Object:
        """The request to resize an oversized instance that no other story has."""
        return self.request_for(resource_id("instance", ACCOUNT, REGION, f"worker-{next(self._workers)}"), RESIZE)

    def next_volume(self) -> Object:
        """The request to delete an unattached volume that no other story has."""
        name = f"forgotten-{next(self._volumes)}"
        return self.request_for(resource_id("volume", ACCOUNT, REGION, name), DELETE_VOLUME)

    def request_for(self, target: str, action: str) -> Object:
        def found() -> Object | None:
            for one in self.requests():
                if one["spec"]["resource"]["id"] == target and one["spec"]["action"] == action:
                    return one if state_of(one) == "Pending" else None
            return None

        return wait_until(f"a pending {action} of {target}", found, seconds=60)

    def vote(self, request: Object, user: str, choice: Choice = Choice.APPROVE, reason: str = "") -> Object:
        """Send a vote with kubectl as a person, and return the Approval with the operator's answer."""
        return self.send(vote(request, user, choice, reason), user)

    def send(self, approval: Object, user: str) -> Object:
        done = self.cluster.try_create(approval, user)
        assert done.returncode == 0, done.stderr
        name = approval["metadata"]["name"]

        def answered() -> Object | None:
            seen = self.cluster.get("approvals", name, self.team)
            return seen if seen.get("status", {}).get("result") else None

        return wait_until(f"the operator answers {name} of {user}", answered, seconds=60)

    def ended(self, name: str, seconds: float = 100) -> Object:
        """Wait until a request has come to its end, whichever."""

        def over() -> Object | None:
            seen = self.request(name)
            return seen if state_of(seen) in ENDED else None

        return wait_until(f"the end of request {name}", over, seconds=seconds)

    def wait_state(self, name: str, state: str, seconds: float = 60) -> Object:
        def reached() -> Object | None:
            seen = self.request(name)
            return seen if state_of(seen) == state else None

        return wait_until(f"request {name} is {state}", reached, seconds=seconds)

    def records(self, request: Object) -> list[Object]:
        """The ledger's records of one request, in order."""
        name = request["metadata"]["name"]
        return [one for one in self.release.ledger() if name in one["request"].split("/")]

    def scan_now(self, stamp: str) -> None:
        self.cluster.kubectl(
            *("annotate", "scanpolicies", POLICY, "-n", self.team, "--overwrite", f"finops.dev/requestedAt={stamp}")
        )

    def scanned(self, stamp: str, seconds: float = 90) -> Object:
        """Wait until the scan asked for with `stamp` has ended."""

        def done() -> Object | None:
            seen = self.policy()
            return seen if seen["status"].get("lastHandledRequestedAt") == stamp else None

        return wait_until(f"the scan of {stamp} ended", done, seconds=seconds)

    def card(self, request: Object) -> Object:
        """The one card in Slack that shows a request."""
        uid = request["metadata"]["uid"]

        def found() -> Object | None:
            cards = [
                message
                for message in self.slack.observed.messages(channel=CHANNEL)
                if (message.get("metadata") or {}).get("event_type") == "finops_request"
                and message["metadata"]["event_payload"]["uid"] == uid
            ]
            assert len(cards) <= 1, f"{len(cards)} cards for one request"
            return cards[0] if cards else None

        return wait_until(f"a card of {request['metadata']['name']}", found, seconds=60)

    def shown(self, request: Object, text: str) -> Object:
        """Wait until the card says a text."""

        def says() -> Object | None:
            card = self.card(request)
            return card if text in json.dumps(card["blocks"], ensure_ascii=False) else None

        return wait_until(f"the card says {text!r}", says, seconds=60)

    def click(self, request: Object, user: str, action: str = "finops_approve") -> Object:
        message = self.card(request)["ts"]
        confirm = True if action == "finops_approve" else None
        sent: Object = self.slack.people.click(
            user=user, action=action, message=message, channel=CHANNEL, confirm=confirm
        )
        return sent

    def answered(self, user: str, text: str) -> str:
        """Wait until somebody got a text that only they see."""

        def found() -> str:
            heard = [one["text"] for one in self.slack.observed.ephemerals(user=user)]
            return next((one for one in heard if text in one), "")

        return wait_until(f"{user} gets {text!r}", found, seconds=30)

    def assert_resized_once(self, request: Object) -> None:
        """The instance runs at the proposed type; every change happened once, and the ledger knew before."""
        target = request["spec"]["resource"]["id"]
        now = self.aws.resource(target)
        assert now["state"] == "running"
        assert now["type"] == request["spec"]["parameters"]["instanceType"]
        changes = Counter(call["action"] for call in self.aws.changes(target))
        assert changes == {"StopInstances": 1, "ModifyInstanceAttribute": 1, "StartInstances": 1}
        self.assert_every_change_has_its_intent(request)

    def assert_every_change_has_its_intent(self, request: Object) -> None:
        """Each call that AWS saw was written down before it was made, and what came of it after."""
        records = self.records(request)
        kinds = [one["kind"] for one in records]
        assert kinds.index("voted") < kinds.index("decided") < kinds.index("intent")
        intents = [one for one in records if one["kind"] == "intent"]
        for intent in intents:
            assert any(_answers(one, intent) for one in records), intent
        for call in self.aws.changes(request["spec"]["resource"]["id"]):
            assert any(_announces(intent, call) for intent in intents), (call, intents)
        self.release.assert_ledger_intact()


def _answers(outcome: Object, intent: Object) -> bool:
    return (
        outcome["kind"] == "outcome"
        and outcome["sequence"] > intent["sequence"]
        and (outcome["step"], outcome["attempt"]) == (intent["step"], intent["attempt"])
    )


def _announces(intent: Object, call: Object) -> bool:
    before = datetime.fromisoformat(intent["time"]) <= datetime.fromisoformat(call["time"])
    return before and str(intent["detail"]["operation"]).endswith(str(call["action"]))


def state_of(request: Object) -> Any:
    return request.get("status", {}).get("state")
