"""Reminders and mentions in the thread of a request that nobody decides."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tests.integration.slackbot.bot_world import CHANNEL, World

from finops.crds.action_request import ActionRequest
from finops.ports.clock import SystemClock
from finops.store.slack_status import SlackStatus
from finops_slackbot.bootstrap import Bot


@dataclass(slots=True)
class Ahead:
    """The machine's clock, some hours ahead."""

    hours: float = 0
    system: SystemClock = field(default_factory=SystemClock)

    def now(self) -> datetime:
        return self.system.now() + timedelta(hours=self.hours)

    def monotonic(self) -> float:
        return self.system.monotonic() + self.hours * 3600

    def sleep(self, seconds: float) -> None:
        self.system.sleep(seconds)


def proposed(world: World) -> ActionRequest:
    request = world.propose(
        remind_after=["24h", "25h"],
        escalate=[{"after": "48h", "to": {"slackUserGroup": "S0SRE00001"}}],
        expires=datetime.now(UTC) + timedelta(hours=72),
    )
    world.until(lambda: world.card(request))
    return request


def reminders(world: World, request: ActionRequest) -> list[str]:
    card = world.card(request)
    answers = world.control.observed.messages(channel=CHANNEL, thread=card["ts"])
    return [one["text"] for one in answers if "Reminder" in one["text"]]


def settled(world: World, bot: Bot, marker: ActionRequest) -> None:
    """Wait until the bot has brought everything to Slack that it wants after its start, up to the marker's reminder."""
    world.until(lambda: reminders(world, marker))
    world.until(lambda: bot.outbox.depth(int(bot.clock.now().timestamp() * 1000))[0] == 0)


def test_each_reminder_comes_once_over_restarts_and_only_while_the_request_waits(world: World) -> None:
    clock, frozen = Ahead(), SlackStatus(world.store)
    with world.bot(clock):
        request, decided = proposed(world), proposed(world)
        clock.hours = 24.5
        first = world.until(lambda: reminders(world, request))
        assert len(first) == 1
        assert first[0].startswith("Reminder: 1 approval is missing")
        world.until(lambda: reminders(world, decided))
    world.set_status(decided, state="Denied")
    frozen.put_frozen("an administrator looks into a fault")
    clock.hours = 49
    with world.bot(clock) as bot:
        world.shown(decided, "Denied")
        world.until(lambda: bot.outbox.wanted(request.metadata.uid or "") is not None)
        assert reminders(world, request) == first, "nothing while all acts are frozen"
        frozen.put_frozen("")
        clock.hours = 49.5
        late = world.until(lambda: reminders(world, request)[1:])
        assert late[0].startswith("<!subteam^S0SRE00001> Reminder: this has waited for 48 hours")
    with world.bot(clock) as bot:
        marker = world.propose(remind_after=["1m"], expires=datetime.now(UTC) + timedelta(hours=72))
        settled(world, bot, marker)
        assert reminders(world, request) == [*first, *late], "one late message, not the backlog, and none twice"
        assert len(reminders(world, decided)) == 1
