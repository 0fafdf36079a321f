"""Answers what people ask in the dashboard: what a policy would find with another spec. A loop of its own.

One question at a time, from stored data alone: no call to AWS, and nothing written but the answer. What is asked can be
anything, so a trial ends after a time and a number of resources, and a question with which a process ended is not tried
again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from finops.crds.aws_account import AwsAccount
from finops.crds.invalid import InvalidObject
from finops.crds.part import API_VERSION
from finops.crds.scan_policy import ScanPolicy
from finops.errors import FinopsError, InvalidInput, Unavailable
from finops.ports.clock import Clock
from finops.store.connection import Store
from finops.store.recommendations import PolicyHead, RecommendationStore
from finops.store.what_if import Answer, Outcome, Question, State, WhatIfs
from finops_operator.background import Background
from finops_operator.plugins.loaded import Plugins
from finops_operator.rules.known_ids import KnownIds
from finops_operator.scan.trial import Observed, try_on_store
from finops_operator.scan.what_if import known_checks, needs_scan, outcome_of

logger = logging.getLogger(__name__)
MOST_SECONDS: Final = 30.0
MOST_RESOURCES: Final = 30_000
_TURN_SECONDS: Final = 1.0
_SHOWN_SECONDS: Final = 1.0
_PUBLISHED_SECONDS: Final = 600.0
"""The checks are said again so often: a store that was emptied does not know them."""
_BREATH: Final = 20
"""After so many resources the thread rests for a millisecond: whatever else waits to run, an act before all, does."""
_BREATH_SECONDS: Final = 0.001
_AGAIN: Final = "ask again; nothing was changed"


class TrialEnded(FinopsError):
    """A trial takes more than a question may."""


@dataclass(slots=True)
class AnsweredWhatIfs:
    """The loop that answers.

    Attributes:
        live: (namespace, name) → the policy as the cluster has it, None where there is none.
        accounts: the AwsAccounts of the cluster.
        may_write: whether this process holds the lease; one process answers.
    """

    store: Store
    offered: Plugins
    known: KnownIds
    live: Callable[[str, str], ScanPolicy | None]
    accounts: Callable[[], Iterable[AwsAccount]]
    clock: Clock
    may_write: Callable[[], bool]
    background: Background
    _publish_at: float = field(default=0.0, init=False)

    def run(self, stop: threading.Event) -> None:
        """Answer questions as they come until `stop` is set."""
        while not stop.wait(_TURN_SECONDS):
            if self.may_write() and not self.background.rests("what-ifs", "turn"):
                self.background.attempt(
                    "what-ifs", "what-ifs", partial(self.turn, stop), lambda _defect: None, about="turn"
                )

    def turn(self, stop: threading.Event) -> None:
        """Answer the question that waits longest."""
        desk = WhatIfs(self.store)
        try:
            if self.clock.monotonic() >= self._publish_at:
                desk.publish_checks(known_checks(self.offered.checks))
                self._publish_at = self.clock.monotonic() + _PUBLISHED_SECONDS
            question = desk.next()
            if question is not None:
                desk.put(self._answer(desk, question, stop))
        except Unavailable as error:
            logger.info("what-ifs: %s", error)

    def _answer(self, desk: WhatIfs, question: Question, stop: threading.Event) -> Answer:
        if desk.begun(question):
            why = "the operator ended while it worked on this question"
            return Answer(question, State.FAILED, why, hint=_AGAIN)
        desk.put(Answer(question, State.RUNNING))
        return self.background.attempt(
            "what-ifs",
            "a what-if was not answered",
            lambda: self._judged(desk, question, stop),
            lambda _defect: Answer(
                question, State.FAILED, "an error that nobody expected; the operator's log has it", hint=_AGAIN
            ),
            fields={"namespace": question.namespace, "policy": question.policy},
        )

    def _judged(self, desk: WhatIfs, question: Question, stop: threading.Event) -> Answer:
        try:
            return Answer(question, State.ANSWERED, outcome=self._outcome(desk, question, stop))
        except InvalidObject as error:
            first = error.fields[0]
            more = f" ({len(error.fields) - 1} more)" if len(error.fields) > 1 else ""
            return Answer(question, State.REFUSED, f"{first.rule}{more}", first.hint, first.path)
        except InvalidInput as error:
            return Answer(question, State.REFUSED, error.message, error.hint, error.field)
        except TrialEnded as error:
            return Answer(question, State.FAILED, error.message, error.hint)

    def _outcome(self, desk: WhatIfs, question: Question, stop: threading.Event) -> Outcome:
        """Raises InvalidInput, TrialEnded, StoreUnavailable."""
        key = question.namespace, question.policy
        live, stored = self.live(*key), RecommendationStore(self.store)
        head = stored.head(key)
        if live is None or head is None:
            raise TrialEnded("no scan of this policy is stored, or it is gone", hint="wait for its next scan")
        tried = policy_of(question)
        self.known.require(tried)
        accounts = {one.metadata.name: one for one in self.accounts()}
        watched = partial(self._watched, desk, question, head, stop)
        trial, compared = try_on_store(tried, accounts, self.offered, self.store, self.clock, key, watched)
        after = stored.head(key)
        if after is None or after.generation != head.generation:
            raise TrialEnded("a scan of this policy ended in between", hint=_AGAIN)
        return outcome_of(head, trial, compared, needs_scan(tried, live, head, self.offered, accounts.values()))

    def _watched(
        self,
        desk: WhatIfs,
        question: Question,
        head: PolicyHead,
        stop: threading.Event,
        observed: Iterable[Observed],
    ) -> Iterator[Observed]:
        """Pass resources on, say now and then how many, and end a trial that takes too much. Raises TrialEnded."""
        began = shown = self.clock.monotonic()
        running = Answer(question, State.RUNNING, total=head.summary.resources)
        for done, one in enumerate(observed):
            if done >= MOST_RESOURCES:
                raise _too_much(f"the last scan read more than {MOST_RESOURCES:,} resources")
            now = self.clock.monotonic()
            if now - began > MOST_SECONDS:
                raise _too_much(f"it takes longer than {MOST_SECONDS:.0f} seconds")
            if now - shown > _SHOWN_SECONDS:
                shown = now
                desk.put(replace(running, done=done))
            if done % _BREATH == 0 and stop.wait(_BREATH_SECONDS):
                raise TrialEnded("the operator stops", hint=_AGAIN)
            yield one


def policy_of(question: Question) -> ScanPolicy:
    """Return the policy that is asked about. Raises InvalidObject."""
    return ScanPolicy.from_object(
        {
            "apiVersion": API_VERSION,
            "kind": "ScanPolicy",
            "metadata": {"name": question.policy, "namespace": question.namespace},
            "spec": question.spec,
        }
    )


def _too_much(why: str) -> TrialEnded:
    hint = "finops policy test -f policy.yaml answers without these bounds, on a machine of yours"
    return TrialEnded(f"{why}, and the operator has other work", hint=hint)
