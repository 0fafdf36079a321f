"""The workspace's whole state in memory, and the few rules that belong to it rather than to one method.

The server owns one instance; the Web API, the socket, the control API and the page all work on it from one event loop,
so nothing here locks.
"""

import asyncio
import copy
import random
from collections import deque
from dataclasses import asdict
from typing import Any

from finops_sandbox.slack.clock import Clock
from finops_sandbox.slack.faults import FaultBook
from finops_sandbox.slack.limits import RateLimiter
from finops_sandbox.slack.model import CallRecord, Channel, Json, Message, ResponseUrl, Trigger, View
from finops_sandbox.slack.workspace import Seed

TRIGGER_SECONDS = 3.0
RESPONSE_URL_SECONDS = 30 * 60.0
RESPONSE_URL_USES = 5
# Older calls are dropped so that a demo left running for days stays small.
CALLS_KEPT = 20_000


class State:
    """Everything the double remembers. `version` grows with every visible change; `changed` wakes the page."""

    def __init__(self, seed: Seed, clock: Clock) -> None:
        self.seed = seed
        self.clock = clock
        self.limiter = RateLimiter(clock)
        self.faults = FaultBook()
        self.advertised_url = ""
        self.version = 0
        self._changed = asyncio.Event()
        self.reset()

    def reset(self) -> None:
        """Go back to the seed; time stays where it is."""
        self.random = random.Random(4)  # noqa: S311 - ids only have to resemble Slack's and repeat between runs
        self.team = self.seed.team()
        self.app = self.seed.app()
        self.tokens = self.seed.tokens()
        self.users = self.seed.users()
        self.channels = self.seed.channels()
        self.groups = self.seed.groups()
        self.messages: dict[str, dict[str, Message]] = {channel: {} for channel in self.channels}
        self.ephemerals: list[Message] = []
        # Socket tickets and when they were issued.
        self.tickets: dict[str, float] = {}
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.views: dict[str, View] = {}
        self.stacks: dict[str, list[str]] = {}
        self.homes: dict[str, str] = {}
        self.calls: deque[CallRecord] = deque(maxlen=CALLS_KEPT)
        self.failures: list[Json] = []
        self._last_ts = 0
        self._counter = 0
        self.limiter.reset()
        self.faults.clear()
        self.touch()

    # Change notice

    def touch(self) -> None:
        """Notify the page that something visible changed."""
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait_newer(self, version: int, timeout_seconds: float) -> int:
        """Wait until the version is above the given one, or the time is over; return the version now."""
        changed = self._changed
        if self.version <= version:
            try:
                await asyncio.wait_for(changed.wait(), timeout=timeout_seconds)
            except TimeoutError:
                return self.version
        return self.version

    # Identifiers

    def next_ts(self) -> str:
        """Return a message timestamp: seconds with six decimals, unique and growing."""
        micros = max(int(self.clock.now() * 1_000_000), self._last_ts + 1)
        self._last_ts = micros
        return f"{micros // 1_000_000}.{micros % 1_000_000:06d}"

    def action_ts(self) -> str:
        """Return the moment of an action; never the same twice."""
        return self.next_ts()

    def new_id(self, prefix: str) -> str:
        """Return an id of Slack's shape: prefix and ten letters or digits."""
        return prefix + "".join(self.random.choices("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", k=10))

    def new_hex(self, length: int = 32) -> str:
        """Return random hexadecimal digits (secrets of triggers and hooks, hashes of views)."""
        return "".join(self.random.choices("0123456789abcdef", k=length))

    # Triggers and response URLs

    def new_trigger(self, user: str) -> str:
        """Issue a trigger id for what the user just did."""
        self._counter += 1
        trigger_id = f"{int(self.clock.now() * 1000)}.{self._counter}.{self.new_hex()}"
        self.triggers[trigger_id] = Trigger(trigger_id, user, self.clock.now())
        return trigger_id

    def new_response_url(self, user: str, channel: str, message_ts: str = "", thread_ts: str = "") -> str:
        """Issue a response URL that points back to this server."""
        key = self.new_hex(24)
        url = f"{self.advertised_url}/actions/{self.team.id}/{int(self.clock.now())}/{key}"
        self.response_urls[key] = ResponseUrl(key, url, user, channel, self.clock.now(), message_ts, thread_ts)
        return url

    # Conversations

    def find_channel(self, reference: str) -> Channel | None:
        """Find a channel by id or by name, as chat methods do."""
        if reference in self.channels:
            return self.channels[reference]
        name = reference.removeprefix("#")
        return next((c for c in self.channels.values() if c.name == name and c.kind != "im"), None)

    def open_dm(self, user_id: str) -> Channel:
        """Return the direct message channel between the bot and a user, created on first use."""
        for channel in self.channels.values():
            if channel.kind == "im" and user_id in channel.members:
                return channel
        channel = Channel(
            id="D" + user_id[1:],
            name="",
            kind="im",
            members=[user_id, self.app.bot_user],
            created=int(self.clock.now()),
        )
        self.channels[channel.id] = channel
        self.messages[channel.id] = {}
        self.touch()
        return channel

    def add_message(self, message: Message) -> None:
        """Store a message where it belongs: for everybody, or for one person only."""
        if message.ephemeral_for:
            self.ephemerals.append(message)
        else:
            self.messages[message.channel][message.ts] = message
        self.touch()

    def find_message(self, channel: str, ts: str) -> Message | None:
        """Return a message by place and time, ephemeral ones included."""
        found = self.messages.get(channel, {}).get(ts)
        return found or next((m for m in self.ephemerals if m.channel == channel and m.ts == ts), None)

    def edit_message(self, message: Message, *, text: str, blocks: list[Json]) -> None:
        """Replace what a message says and keep what it said before."""
        message.history.append({"text": message.text, "blocks": message.blocks, "until": self.clock.now()})
        message.text = text
        message.blocks = blocks
        message.edited_ts = f"{int(self.clock.now())}.000000"
        self.touch()

    def remove_message(self, message: Message) -> None:
        """Forget a message."""
        if message.ephemeral_for:
            self.ephemerals.remove(message)
        else:
            del self.messages[message.channel][message.ts]
        self.touch()

    def replies(self, message: Message) -> list[Message]:
        """Return the replies in a message's thread, oldest first."""
        return [m for m in self.messages[message.channel].values() if m.thread_ts == message.ts and m.ts != message.ts]

    # Views

    def add_view(self, view: View) -> None:
        """Put a modal on top of its user's stack, or set the App Home."""
        self.views[view.id] = view
        if view.type == "home":
            self.homes[view.user] = view.id
        else:
            self.stacks.setdefault(view.user, []).append(view.id)
        self.touch()

    def stack(self, user: str) -> list[View]:
        """Return the user's open modals, bottom first."""
        return [self.views[key] for key in self.stacks.get(user, [])]

    def close_views(self, user: str, *, everything: bool) -> list[View]:
        """Take the top modal, or all of them, off the stack; return what was closed, top first."""
        keys = self.stacks.get(user, [])
        closed = keys if everything else keys[-1:]
        self.stacks[user] = [key for key in keys if key not in closed]
        self.touch()
        return [self.views[key] for key in reversed(closed)]

    # Reading state

    def fail(self, what: str, **details: Any) -> None:
        """Record something that must not happen in a test run, such as a call of an unknown method."""
        self.failures.append({"time": self.clock.now(), "what": what, **details})

    def dump(self) -> Json:
        """Return everything as JSON values."""
        return {
            "now": self.clock.now(),
            "clock_offset_seconds": self.clock.offset_seconds,
            "team": asdict(self.team),
            "app": asdict(self.app),
            "tokens": [asdict(item) for item in self.tokens.values()],
            "users": [asdict(item) for item in self.users.values()],
            "channels": [asdict(item) for item in self.channels.values()],
            "groups": [asdict(item) for item in self.groups.values()],
            "messages": {key: [asdict(m) for m in found.values()] for key, found in self.messages.items()},
            "ephemerals": [asdict(item) for item in self.ephemerals],
            "views": [asdict(item) for item in self.views.values()],
            "stacks": copy.deepcopy(self.stacks),
            "homes": dict(self.homes),
            "response_urls": [asdict(item) for item in self.response_urls.values()],
            "failures": list(self.failures),
            "faults": self.faults.as_json(),
            "rates": self.limiter.rates(),
        }
