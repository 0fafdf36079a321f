"""The batches of `make pod-kills`: acts are proposed and voted on, somebody is killed, all recovers, all is checked."""

from __future__ import annotations

import json
import random
import time
import urllib.error
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Final

import pytest
from tests.chaos.chaos_checker import Broken, Evidence, Expected, Violation, check_all
from tests.chaos.chaos_resources import members
from tests.e2e.cluster import Object, wait_until
from tests.e2e.loop.kills.kill_acts import BATCH, Act, Wish
from tests.e2e.loop.kills.kill_votes import WHILE_DOWN, People, cards
from tests.e2e.loop.kills.killer import Kill, Killer, choose
from tests.e2e.loop.world import Loop, state_of

from finops.audit_verify import Keys
from finops_sandbox.aws.record import CallRecord

PER_BATCH: Final = 25
_GAPS_SECONDS: Final = ((0.3, 2.2), (4.0, 12.0))
"""Between two kills, one of these: a successor is dead before it has begun, or in the middle of what it took over."""
_PROPOSED_SECONDS: Final = 400.0
_END_SECONDS: Final = 840.0
_UNDER_WAY: Final = frozenset({"Approved", "Scheduled", "Executing", "Verifying", "NeedsHuman"})


@dataclass(slots=True)
class KillRun:
    """What happened so far.

    Attributes:
        acts: of all batches.
        kills: how often who was killed.
        under_way: acts that were decided and not at their end when somebody was killed, one figure for each kill.
        violations: each once.
        missed: kills that could not be done, and why.
    """

    loop: Loop
    seed: int
    folder: Path
    acts: list[Act] = field(default_factory=list)
    kills: Counter[Kill] = field(default_factory=Counter)
    under_way: list[int] = field(default_factory=list)
    ends: Counter[tuple[str, str]] = field(default_factory=Counter)
    violations: list[Violation] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    records: int = 0
    _timeline: Path = field(init=False)

    def batch(self, number: int, kills: int) -> None:
        """Kill that often while a batch of acts is under way, let all recover, and check everything."""
        begun, chance = time.monotonic(), random.Random(f"{self.seed} {number}")
        folder = self.folder / f"batch-{number:02}"
        folder.mkdir(exist_ok=True)
        self._timeline = folder / "timeline.txt"
        killer = Killer(self.loop, chance, self._note, folder)
        two = number % 2 == 1
        killer.operators(2 if two else 1)
        acts = self._take_acts(chance)
        people = People(self.loop, random.Random(f"{self.seed} {number} people"), self._note)
        people.begin(acts)
        for kill in choose(kills, chance, two_operators=two):
            time.sleep(chance.uniform(*chance.choice(_GAPS_SECONDS)))
            self.under_way.append(self._acts_under_way())
            try:
                killer.strike(kill)
            except WHILE_DOWN as error:
                self.missed.append(f"{kill.value}: {error}")
                self._note(f"not killed: {self.missed[-1]}")
            else:
                self.kills[kill] += 1
        people.finish()
        self._recover(killer)
        self._wait_for_ends(acts)
        found = [*self._check(folder), *(Violation(Broken.NOT_ENDED, text) for text in people.unheard)]
        new = [one for one in found if one not in self.violations]
        self.violations += new
        states = self._states()
        self.ends.update((act.request["spec"]["action"], states.get(act.name, "gone")) for act in acts)
        killer.keep_logs()
        self._say(number, new, time.monotonic() - begun)

    def _take_acts(self, chance: random.Random) -> list[Act]:
        """Wait until a scan has proposed enough, and return a batch of requests that no batch had before."""
        taken = {act.name for act in self.acts}

        def enough() -> list[Act]:
            waiting = [one for one in self.loop.requests() if state_of(one) == "Pending"]
            free = [one for one in waiting if one["metadata"]["name"] not in taken and "undoes" not in one["spec"]]
            chosen: list[Act] = []
            for share in BATCH:
                of_it = [one for one in free if one["spec"]["action"] == share.action][: share.count]
                free = [one for one in free if one not in of_it]
                for one in of_it:
                    by_slack = share.wish is Wish.CARRIED_OUT and chance.random() < 0.3
                    before = self.loop.aws.resource(one["spec"]["resource"]["id"])
                    chosen.append(Act.of(one, share.wish, by_slack=by_slack, before=before))
            return chosen if len(chosen) == sum(share.count for share in BATCH) else []

        acts = wait_until("requests for a batch", enough, seconds=_PROPOSED_SECONDS)
        self.acts += acts
        return acts

    def _recover(self, killer: Killer) -> None:
        killer.operators(1)
        for component in ("valkey", "operator", "slackbot"):
            self.loop.release.wait_ready(component, seconds=_END_SECONDS, meanwhile=killer.keep_scheduler)
        self._note("all are ready again")

    def _wait_for_ends(self, acts: list[Act]) -> None:
        """Wait for ends; an act that does not come to one is found by the checker, which sees its state."""

        def over() -> bool:
            states = self._states()
            return all(states.get(act.name) in act.expected.ends for act in acts)

        try:
            wait_until("the ends of all acts", over, seconds=_END_SECONDS, every=2)
        except pytest.fail.Exception as error:
            self._note(str(error))

    def _states(self) -> dict[str, str]:
        return {one["metadata"]["name"]: str(state_of(one)) for one in self.loop.requests()}

    def _acts_under_way(self) -> int:
        try:
            return sum(state_of(one) in _UNDER_WAY for one in self.loop.requests())
        except WHILE_DOWN:
            return 0

    # -- what is judged
    def _check(self, folder: Path) -> list[Violation]:
        release = self.loop.release
        found: list[Violation] = []
        try:
            release.assert_ledger_intact()
        except (AssertionError, pytest.fail.Exception) as error:
            found.append(Violation(Broken.LEDGER, str(error)))
        evidence = self._evidence()
        self.records = sum('"record"' in line for line in evidence.ledger)
        _keep(folder, evidence)
        found += check_all(self.acts_expected, evidence, Keys(release.secret()["ledger-public-key"]))
        for act in self.acts:
            count = cards(self.loop, act.expected.uid)
            if count > 1:
                found.append(Violation(Broken.TWICE, f"{count} cards show it", act.name))
        return found

    @property
    def acts_expected(self) -> list[Expected]:
        return [act.expected for act in self.acts]

    def _evidence(self) -> Evidence:
        """Read calls first and the ledger last: whatever was called must be written down by then.

        What was anchored is read before the sinks, which must hold it.
        """
        calls = tuple(_call(one) for one in self.loop.aws.calls())
        release = self.loop.release
        checkpoint, file = release.checkpoint(), tuple(release.ledger_file().splitlines())
        instances = {
            act.instance: str(self.loop.aws.resource(act.instance)["state"]) for act in self.acts if act.instance
        }
        return Evidence(
            calls=calls,
            instances=instances,
            requests=tuple(self.loop.requests()),
            approvals=tuple(self.loop.cluster.list("approvals", self.loop.team)),
            ledger=tuple(release.finops("audit", "export").splitlines()),
            other_sink=file,
            checkpoint=checkpoint,
            resources={act.resource: self._members(act.resource) for act in self.acts},
        )

    def _members(self, resource: str) -> Object:
        """Return what AWS shows of a resource, nothing once it is gone."""
        try:
            return members(self.loop.aws.resource(resource))
        except urllib.error.HTTPError as error:
            if error.code != HTTPStatus.NOT_FOUND:
                raise
            return {}

    # -- what is said
    def _note(self, text: str) -> None:
        with self._timeline.open("a", encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC):%H:%M:%S.%f} {text}\n")

    def _say(self, number: int, new: list[Violation], seconds: float) -> None:
        print(
            f"batch {number}: {sum(self.kills.values())} kills, {len(self.acts)} acts, {self.records} records, "
            f"{len(self.violations)} violations ({seconds:.0f} s)",
            flush=True,
        )
        for one in new:
            print(f"  {one.broken.value}: {one.request} {one.evidence}", flush=True)


def _call(document: Object) -> CallRecord:
    """Return a call as the double's control API tells it."""
    return CallRecord(
        sequence=document["sequence"],
        time=datetime.fromisoformat(document["time"]),
        service=document["service"],
        action=document["action"],
        account=document["account"],
        region=document["region"],
        access_key=document["accessKeyId"],
        principal_arn=document["principalArn"],
        role_arn=document["roleArn"],
        session_name=document["sessionName"],
        source_identity=document["sourceIdentity"],
        session_tags=document["sessionTags"],
        dry_run=document["dryRun"],
        parameters=document["parameters"],
        targets=tuple(document["targets"]),
        result=document["result"],
        status=document["status"],
        strict=document["strict"],
    )


def _keep(folder: Path, evidence: Evidence) -> None:
    """Keep what the checker judged."""
    (folder / "ledger.jsonl").write_text("\n".join(evidence.ledger) + "\n", encoding="utf-8")
    objects = {"requests": evidence.requests, "approvals": evidence.approvals, "instances": evidence.instances}
    (folder / "objects.json").write_text(json.dumps(objects, indent=1), encoding="utf-8")
    calls = "\n".join(
        f"{one.time.isoformat()} {one.session_name} {one.service}:{one.action} {one.result} "
        f"{json.dumps(one.parameters)}"
        for one in evidence.calls
    )
    (folder / "calls.txt").write_text(calls + "\n", encoding="utf-8")
