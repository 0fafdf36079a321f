"""What one person sees of the workspace: their channels, the messages in them, their modal and their App Home.

Acts go through here, so that nobody clicks what Slack's own surface would not show them.
"""

from finops_sandbox.slack.blocks import interactive
from finops_sandbox.slack.model import Channel, Json, Message, User, View
from finops_sandbox.slack.state import State

Element = tuple[Json, Json]
"""A block and the interactive element in it."""


class RefusedError(Exception):
    """Slack's own surface would not have let the person do this."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


class Screen:
    """One person's view of the workspace.

    Raises RefusedError (when made): nobody has the id, or the account is a bot's or deactivated.
    """

    def __init__(self, state: State, user_id: str) -> None:
        user = state.directory.users.get(user_id)
        if user is None:
            raise RefusedError("user_not_found", user_id)
        if user.deleted or user.is_bot:
            raise RefusedError("user_cannot_act", f"{user.name} is {'deactivated' if user.deleted else 'a bot'}")
        self.person: User = user
        self._state = state

    def channel(self, reference: str) -> Channel:
        """Return a channel by id or name, the workspace's first without one. Raises RefusedError."""
        conversations = self._state.conversations
        channel = conversations.find_channel(reference) if reference else next(iter(conversations.channels.values()))
        if channel is None:
            raise RefusedError("channel_not_found", reference)
        if self.person.id not in channel.members:
            raise RefusedError("user_not_in_channel", f"{self.person.name} does not see {channel.name or channel.id}")
        return channel

    def message(self, channel: Channel, ts: str, action: str) -> Message:
        """Return the message of a timestamp; without one, the newest that has the action. Raises RefusedError."""
        if ts:
            found = self._state.conversations.find(channel.id, ts)
            if found is None or found.ephemeral_for not in {"", self.person.id}:
                raise RefusedError("message_not_found", ts)
            return found
        for candidate in self._newest_first(channel):
            if any(element["action_id"] == action for _, element in interactive(candidate.blocks)):
                return candidate
        raise RefusedError("button_not_on_card", f"no message in {channel.id} has the action {action}")

    def modal(self, view_id: str) -> View:
        """Return the modal on top, which must be the one named if one is. Raises RefusedError."""
        stack = self._state.views.stack(self.person.id)
        if not stack or (view_id and stack[-1].id != view_id):
            raise RefusedError("no_open_view", view_id)
        return stack[-1]

    def home(self) -> View:
        """Return the App Home. Raises RefusedError while the app has published none."""
        home = self._state.views.home(self.person.id)
        if home is None:
            raise RefusedError("no_home", self.person.id)
        return home

    def _newest_first(self, channel: Channel) -> list[Message]:
        conversations = self._state.conversations
        own = [m for m in conversations.ephemerals if m.channel == channel.id and m.ephemeral_for == self.person.id]
        messages = [*conversations.messages[channel.id].values(), *own]
        return sorted(messages, key=lambda message: message.ts, reverse=True)


def element_of(message: Message, action: str, block_id: str, *, stale: bool) -> tuple[Json, Element]:
    """Return the content that holds an action, and its element; earlier contents count when the click is stale.

    Raises RefusedError: no content has it.
    """
    versions: list[Json] = [{"text": message.text, "blocks": message.blocks}]
    if stale:
        versions += [{"text": v["text"], "blocks": v["blocks"]} for v in reversed(message.history)]
    for version in versions:
        for block, element in interactive(version["blocks"]):
            if element["action_id"] == action and block_id in {"", block["block_id"]}:
                return version, (block, element)
    raise RefusedError("button_not_on_card", action)
