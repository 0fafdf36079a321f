"""The page: who one is, the channels, the messages of one of them, the person's modal."""

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from finops_sandbox.slack.model import Channel, Message, User
from finops_sandbox.slack.page.block_view import Surface, blocks_html, modal_html
from finops_sandbox.slack.page.markup import EMPTY, Attributes, Html, join, tag
from finops_sandbox.slack.state import State


@dataclass(frozen=True, slots=True)
class Scene:
    """Who is at the page, and what is open. Made from the address, so that every state of the page can be linked to."""

    user: User
    channel: Channel | None
    thread: str = ""

    def link(self, **changes: str) -> str:
        """Return the address of another scene of the same person."""
        wanted = {"user": self.user.id, "channel": self.channel.id if self.channel else ""} | changes
        return "/?" + urlencode({key: value for key, value in wanted.items() if value})


def scene_from(state: State, query: dict[str, str]) -> Scene:
    """Read a scene from the address; anything unknown falls back to the first person and their first channel."""
    people = [user for user in state.directory.users.values() if not user.is_bot and not user.deleted]
    user = next((user for user in people if user.id == query.get("user")), people[0])
    mine = _channels_of(state, user)
    channel = next((one for one in mine if one.id == query.get("channel")), mine[0] if mine else None)
    thread = query.get("thread", "")
    return Scene(user, channel, thread if channel and thread in state.conversations.messages[channel.id] else "")


def page_html(state: State, scene: Scene) -> str:
    """Return the whole page; the script fetches it anew when the workspace changes."""
    name = _name(state, scene.channel) if scene.channel else "No channels"
    head = tag(
        "head",
        None,
        tag("meta", {"charset": "utf-8"}),
        tag("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        tag("title", None, f"{name} · {state.directory.team.name}"),
        tag("link", {"rel": "icon", "href": "data:,"}),
        tag("link", {"rel": "stylesheet", "href": "/_page/static/style.css"}),
        tag("script", {"src": "/_page/static/app.js", "defer": True}),
    )
    stack = state.views.stack(scene.user.id)
    note = " A stand-in for Slack. Nothing you do here leaves this machine."
    body = tag(
        "body",
        {"data-version": str(state.changes.version)},
        tag("p", {"class": "banner"}, tag("strong", None, "Sandbox"), note),
        tag("nav", {"id": "sidebar", "aria-label": "Workspace"}, *_people(state, scene), *_links(state, scene)),
        tag("main", None, *_conversation(state, scene, name)),
        tag("div", {"id": "modal"}, modal_html(state, stack[-1], len(stack)) if stack else EMPTY),
        tag("div", {"id": "toast", "role": "status", "aria-live": "polite"}),
    )
    return "<!doctype html>" + tag("html", {"lang": "en"}, head, body)


def _channels_of(state: State, user: User) -> list[Channel]:
    return [channel for channel in state.conversations.channels.values() if user.id in channel.members]


def _name(state: State, channel: Channel) -> str:
    return f"# {channel.name}" if channel.kind != "im" else f"{state.directory.app.name} (direct message)"


def _people(state: State, scene: Scene) -> list[Html]:
    options = []
    for user in state.directory.users.values():
        groups = ", ".join(f"@{group.handle}" for group in state.directory.groups.values() if user.id in group.members)
        guest = "guest" if user.is_restricted or user.is_ultra_restricted else groups or "in no group"
        note = "deactivated" if user.deleted else "another company" if user.is_stranger else guest
        if not user.is_bot:
            chosen: Attributes = {"value": user.id, "selected": user.id == scene.user.id, "disabled": user.deleted}
            options.append(tag("option", chosen, f"{user.real_name} – {note}"))
    return [tag("label", {"for": "user"}, "You are"), tag("select", {"id": "user"}, *options)]


def _links(state: State, scene: Scene) -> list[Html]:
    links = []
    for channel in _channels_of(state, scene.user):
        current = "page" if scene.channel and channel.id == scene.channel.id else None
        sign = "🔒" if channel.kind == "private" else ""
        links.append(
            tag("a", {"href": scene.link(channel=channel.id), "aria-current": current}, sign, _name(state, channel))
        )
    return links


def _conversation(state: State, scene: Scene, name: str) -> list[Html]:
    channel = scene.channel
    if channel is None:
        return [tag("div", {"class": "empty"}, tag("h2", None, name), tag("p", None, "This person is in none."))]
    visible = [one for one in state.conversations.messages[channel.id].values() if not one.thread_ts or one.broadcast]
    visible += [one for one in _only_for(state, scene) if one.channel == channel.id and not one.thread_ts]
    visible.sort(key=lambda message: message.ts)
    if visible:
        content = tag("ol", {"class": "messages"}, *(_message(state, scene, message) for message in visible))
    else:
        hint = tag("p", None, f"When {state.directory.app.name} posts, it appears here by itself.")
        content = tag("div", {"class": "empty"}, tag("h2", None, f"Nothing in {name} yet"), hint)
    scroll: Attributes = {"id": "scroll", "tabindex": "0", "aria-label": f"Messages in {name}"}
    return [tag("div", scroll, content), _composer(state, scene, channel)]


def _only_for(state: State, scene: Scene) -> list[Message]:
    return [one for one in state.conversations.ephemerals if one.ephemeral_for == scene.user.id]


def _composer(state: State, scene: Scene, channel: Channel) -> Html:
    if channel.archived:
        return tag("p", {"class": "composer muted"}, "This channel is archived.")
    hint = (
        f"Message, or a command such as {state.directory.app.commands[0]} help"
        if state.directory.app.commands
        else "Message"
    )
    label = f"Write as {scene.user.real_name}"
    return tag(
        "form",
        {"class": "composer", "data-act": "say", "data-channel": channel.id},
        tag("input", {"id": "text", "autocomplete": "off", "placeholder": hint, "aria-label": label}),
        tag("button", {"class": "button primary", "type": "submit"}, "Send"),
    )


def _message(state: State, scene: Scene, message: Message, *, in_thread: bool = False) -> Html:
    author = state.directory.users[message.user]
    moment = datetime.fromtimestamp(float(message.ts), UTC)
    # A reply that was also sent to the channel stands on the page twice.
    key = f"{'t' if in_thread and message.broadcast else 'm'}-{message.ts.replace('.', '-')}"
    blocks = message.blocks or [{"type": "section", "text": {"type": "mrkdwn", "text": message.text}}]
    only_you = tag("p", {"class": "muted"}, "👁 Only visible to you") if message.ephemeral_for else EMPTY
    by = tag(
        "p",
        {"class": "by"},
        tag("strong", None, author.real_name),
        tag("span", {"class": "app"}, "APP") if message.bot_id else EMPTY,
        tag("time", {"datetime": moment.isoformat(), "title": moment.strftime("%c UTC")}, f"{moment:%-d %b %H:%M}"),
        tag("small", {"class": "muted"}, "(edited)") if message.edited_ts else EMPTY,
    )
    content = blocks_html(Surface(state, key, message.channel, message.ts), blocks)
    return tag(
        "li",
        {"class": "message ephemeral" if message.ephemeral_for else "message", "id": key},
        tag("article", {"aria-label": f"{author.real_name} at {moment:%H:%M}"}, only_you, by, content),
        EMPTY if in_thread or message.ephemeral_for else _thread(state, scene, message),
    )


def _thread(state: State, scene: Scene, message: Message) -> Html:
    """Return the link that opens or closes a thread, and the replies below it while it is open."""
    mine = [one for one in _only_for(state, scene) if one.thread_ts == message.ts]
    replies = sorted([*state.conversations.replies(message), *mine], key=lambda reply: reply.ts)
    if not replies:
        return EMPTY
    if scene.thread != message.ts:
        text = "1 reply" if len(replies) == 1 else f"{len(replies)} replies"
        return tag("a", {"class": "thread-link", "href": scene.link(thread=message.ts)}, text)
    shown = [_message(state, scene, reply, in_thread=True) for reply in replies]
    close = tag("a", {"class": "thread-link", "href": scene.link()}, "Close the thread")
    return join(close, tag("ol", {"id": "thread", "class": "messages"}, *shown))
