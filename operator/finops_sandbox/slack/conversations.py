"""The channels of the workspace and the messages in them.

Messages are frozen: an edit stores another record under the same timestamp and keeps what the message said before.
"""

from collections.abc import Iterable
from dataclasses import asdict, replace

from finops_sandbox.slack.changes import Changes
from finops_sandbox.slack.clock import Clock
from finops_sandbox.slack.model import Channel, Json, Message


class Conversations:
    """Channels by id; messages by channel and timestamp; ephemeral messages, which only one person sees."""

    def __init__(self, channels: dict[str, Channel], bot_user: str, clock: Clock, changes: Changes) -> None:
        self.channels = channels
        self.messages: dict[str, dict[str, Message]] = {channel: {} for channel in channels}
        self.ephemerals: list[Message] = []
        self._bot_user = bot_user
        self._clock = clock
        self._changes = changes

    def find_channel(self, reference: str) -> Channel | None:
        """Return a channel by id or by name, as chat methods accept either."""
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
            members=[user_id, self._bot_user],
            created=int(self._clock.now()),
        )
        self.channels[channel.id] = channel
        self.messages[channel.id] = {}
        self._changes.touch()
        return channel

    def change_members(self, channel: Channel, *, add: Iterable[str], remove: Iterable[str]) -> None:
        """Add and remove members of a channel."""
        gone = set(remove)
        channel.members += [user for user in add if user not in channel.members]
        channel.members = [user for user in channel.members if user not in gone]
        self._changes.touch()

    def add(self, message: Message) -> None:
        """Store a message where it belongs: for everybody, or for one person only."""
        if message.ephemeral_for:
            self.ephemerals.append(message)
        else:
            self.messages[message.channel][message.ts] = message
        self._changes.touch()

    def find(self, channel: str, ts: str) -> Message | None:
        """Return a message by place and time, ephemeral ones included."""
        found = self.messages.get(channel, {}).get(ts)
        return found or next((m for m in self.ephemerals if m.channel == channel and m.ts == ts), None)

    def edit(self, message: Message, *, text: str, blocks: list[Json], metadata: Json | None = None) -> Message:
        """Replace what a message says and keep what it said before.

        Metadata stays when none is given, and goes when it is empty, as in Slack. Returns the message as it is now.
        """
        now = self._clock.now()
        edited = replace(
            message,
            text=text,
            blocks=blocks,
            edited_ts=f"{int(now)}.000000",
            metadata=message.metadata if metadata is None else metadata or None,
            history=(*message.history, {"text": message.text, "blocks": message.blocks, "until": now}),
        )
        self._replace(message, edited)
        return edited

    def react(self, message: Message, name: str, user: str) -> None:
        """Add a person's reaction to a message."""
        reactions = {**message.reactions, name: (*message.reactions.get(name, ()), user)}
        self._replace(message, replace(message, reactions=reactions))

    def remove(self, message: Message) -> None:
        """Delete a message."""
        if message.ephemeral_for:
            self.ephemerals.remove(message)
        else:
            del self.messages[message.channel][message.ts]
        self._changes.touch()

    def replies(self, message: Message) -> list[Message]:
        """Return the replies in a message's thread, oldest first."""
        return [m for m in self.messages[message.channel].values() if m.thread_ts == message.ts and m.ts != message.ts]

    def as_json(self) -> Json:
        """Return channels and messages as JSON values."""
        return {
            "channels": [asdict(item) for item in self.channels.values()],
            "messages": {key: [asdict(m) for m in found.values()] for key, found in self.messages.items()},
            "ephemerals": [asdict(item) for item in self.ephemerals],
        }

    def _replace(self, old: Message, new: Message) -> None:
        if old.ephemeral_for:
            self.ephemerals[self.ephemerals.index(old)] = new
        else:
            self.messages[new.channel][new.ts] = new
        self._changes.touch()
