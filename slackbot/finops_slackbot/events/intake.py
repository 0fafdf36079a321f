"""The door for everything a person does: hand the work to our own threads, acknowledge within a second, answer.

Used by every listener. The acknowledgement waits for the work up to a bound below Slack's three seconds; what takes
longer goes on and is answered when it is done.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from typing import Any, Final

from finops_slackbot.button_targets import ClickResult
from finops_slackbot.click_answers import ClickAnswers
from finops_slackbot.metrics import Metrics
from finops_slackbot.views import answers
from finops_slackbot.workers import Workers

ACK_SECONDS: Final = 0.8
ENVELOPE: Final = "finops_envelope_id"
"""Where the socket handler leaves the envelope's id in a payload."""
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Person:
    """Who did something, and how to answer."""

    user: str
    username: str
    team: str
    channel: str
    response_url: str


def person_of(body: Mapping[str, Any], channel: str = "") -> Person | None:
    """Return who acted in an interaction payload, None when its shape is not Slack's."""
    user = body.get("user")
    if not isinstance(user, dict) or not isinstance(user.get("id"), str):
        return None
    team = user.get("team_id") or (body.get("team") or {}).get("id") or ""
    found = channel or str(
        (body.get("channel") or {}).get("id") or (body.get("container") or {}).get("channel_id") or ""
    )
    return Person(
        user=user["id"],
        username=str(user.get("username") or user.get("name") or ""),
        team=str(team),
        channel=found,
        response_url=str(body.get("response_url") or ""),
    )


class Intake:
    """Runs jobs for listeners."""

    def __init__(self, workers: Workers, answering: ClickAnswers, metrics: Metrics) -> None:
        self._workers = workers
        self._answering = answering
        self._metrics = metrics

    def run(
        self,
        ack: Callable[..., Any],
        person: Person,
        job: Callable[[], ClickResult | None],
        *,
        in_modal: Callable[[ClickResult], Mapping[str, Any] | None] = lambda _: None,
    ) -> None:
        """Do `job` in our own threads, acknowledge in time, and send the person the answer it returns.

        `in_modal` may put the answer into the acknowledgement of a submission instead.
        """
        future = self._workers.submit(job)
        if future is None:
            self._metrics.clicks.labels("busy").inc()
            ack()
            self._answering.send(
                channel=person.channel, user=person.user, text=answers.busy(), response_url=person.response_url
            )
            return
        try:
            result = future.result(ACK_SECONDS)
        except FutureTimeoutError:
            ack()
            future.add_done_callback(lambda done: self._late(person, done))
            return
        shown = in_modal(result) if result is not None else None
        if result is not None and shown is not None:
            self._metrics.clicks.labels(result.outcome).inc()
            ack(**shown)
            return
        ack()
        # Slack needs a moment to take the answer too: not on Bolt's threads.
        if self._workers.submit(lambda: self._answer(person, result)) is None:
            self._answer(person, result)

    def _late(self, person: Person, done: Future[ClickResult | None]) -> None:
        if not done.cancelled() and done.exception() is None:
            self._answer(person, done.result())

    def _answer(self, person: Person, result: ClickResult | None) -> None:
        if result is None:
            self._metrics.clicks.labels("duplicate").inc()
            return
        self._metrics.clicks.labels(result.outcome).inc()
        if result.text:
            self._answering.send(
                channel=person.channel, user=person.user, text=result.text, response_url=person.response_url
            )
