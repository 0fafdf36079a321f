"""Reminders and mentions in the thread of a request that nobody decides."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tests.integration.slackbot.bot_world import World

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
    return [line for line in world.thread(request).splitlines() if "Reminder" in line]


def settled(world: World, bot: Bot) -> None:
    """Wait until everything is in Slack that the bot wants to be there."""
    world.until(lambda: bot.outbox.depth(int(bot.clock.now().timestamp() * 1000))[0] == 0)


def test_each_reminder_comes_once_over_a_restart_and_only_while_the_request_waits(world: World) -> None:
    clock, status = Ahead(), SlackStatus(world.store)
    with world.bot(clock):
        request, decided = proposed(world), proposed(world)
        clock.hours = 24.5
        first = world.until(lambda: reminders(world, request))
        assert first[0].startswith("Reminder: 1 approval is missing")
        world.until(lambda: reminders(world, decided))
    world.set_status(decided, state="Denied")
    status.put_frozen("an administrator looks into a fault")
    clock.hours = 49
    with world.bot(clock) as bot:
        world.shown(decided, "Denied")
        settled(world, bot)
        assert reminders(world, request) == first, "nothing while all acts are frozen"
        status.put_frozen("")
        clock.hours = 49.5
        late = world.until(lambda: reminders(world, request)[1:])
        assert late[0].startswith("<!subteam^S0SRE00001> Reminder: this has waited for 48 hours")
        settled(world, bot)
        assert reminders(world, request) == [*first, late[0]], "one late message, not the backlog, and none twice"
        assert len(reminders(world, decided)) == 1
