"""The page's regions: the person switcher with the channels, the messages, the thread, the modal.

Each region is a fragment of HTML that the script replaces when the workspace changes; `page_html` is the whole page
for the first load.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from finops_sandbox.slack.model import Channel, Message, User
from finops_sandbox.slack.page.block_view import Surface, blocks_html
from finops_sandbox.slack.page.input_view import modal_html
from finops_sandbox.slack.page.markup import EMPTY, Html, join, tag
from finops_sandbox.slack.page.mrkdwn import EMOJI, mrkdwn
from finops_sandbox.slack.state import State


@dataclass(frozen=True, slots=True)
class Look:
    """Who looks, and at what. Made from the address, so that every state of the page can be linked to."""

    user: User
    channel: Channel | None
    thread: str = ""
    home: bool = False

    def link(self, **changes: str) -> str:
        """Return the address of another look of the same person."""
        wanted = {"user": self.user.id, "channel": self.channel.id if self.channel else ""} | changes
        return "/?" + urlencode({key: value for key, value in wanted.items() if value})


def look_from(state: State, query: dict[str, str]) -> Look:
    """Read a look from the address; anything unknown falls back to the first person and their first channel."""
    people = [user for user in state.users.values() if not user.is_bot and not user.deleted]
    user = next((user for user in people if user.id == query.get("user")), people[0])
    mine = channels_of(state, user)
    home = query.get("home") == "1" and _has_home(state)
    channel = next((c for c in mine if c.id == query.get("channel")), mine[0] if mine else None)
    thread = query.get("thread", "")
    if channel is None or thread not in state.messages[channel.id]:
        thread = ""
    return Look(user, channel, thread, home)


def channels_of(state: State, user: User) -> list[Channel]:
    """Return the conversations a person has in the side bar."""
    return [channel for channel in state.channels.values() if user.id in channel.members]


def _has_home(state: State) -> bool:
    """Tell whether the app has a Home at all: one that never hears of its being opened has nothing to show there."""
    return "app_home_opened" in state.app.events


def fragments(state: State, look: Look) -> dict[str, str]:
    """Return the regions by the id of their place in the page."""
    return {
        "sidebar": _sidebar(state, look),
        "main": _home(state, look) if look.home else _conversation(state, look),
        "thread": EMPTY if look.home else _thread(state, look),
        "modal": _modal(state, look),
    }


def page_html(state: State, look: Look) -> str:
    """Return the whole page."""
    parts = fragments(state, look)
    title = "Home" if look.home else f"#{look.channel.name or 'finops'}" if look.channel else "No channels"
    head = tag(
        "head",
        None,
        tag("meta", {"charset": "utf-8"}),
        tag("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        tag("title", None, f"{title} · {state.team.name}"),
        tag("link", {"rel": "icon", "href": "data:,"}),
        tag("link", {"rel": "stylesheet", "href": "/_page/static/style.css"}),
        tag("script", {"src": "/_page/static/app.js", "defer": True}),
    )
    banner = tag(
        "p",
        {"class": "banner"},
        tag("strong", None, "Sandbox"),
        " A stand-in for Slack. Nothing you do here leaves this machine.",
    )
    main: dict[str, str | bool | None] = {"id": "main", "data-home": "1" if look.home else None}
    body = tag(
        "body",
        {"data-version": str(state.version), "class": "with-thread" if look.thread else None},
        tag("a", {"class": "skip", "href": "#main"}, "Skip to the messages"),
        banner,
        tag("nav", {"id": "sidebar", "aria-label": "Workspace"}, Html(parts["sidebar"])),
        tag("main", main, Html(parts["main"])),
        tag("aside", {"id": "thread", "aria-label": "Thread"}, Html(parts["thread"])),
        tag("div", {"id": "modal"}, Html(parts["modal"])),
        tag("div", {"id": "toast", "role": "status", "aria-live": "polite"}),
        tag("noscript", None, tag("p", {"class": "banner"}, "Buttons need JavaScript; messages can be read without.")),
    )
    return "<!doctype html>" + tag("html", {"lang": "en"}, head, body)


def _sidebar(state: State, look: Look) -> Html:
    options = []
    for user in state.users.values():
        if user.is_bot:
            continue
        groups = ", ".join(f"@{group.handle}" for group in state.groups.values() if user.id in group.members)
        note = "deactivated" if user.deleted else _kind(user) or groups or "in no group"
        attributes: dict[str, str | bool | None] = {
            "value": user.id,
            "selected": user.id == look.user.id,
            "disabled": user.deleted,
        }
        options.append(tag("option", attributes, f"{user.real_name} – {note}"))
    links = []
    for channel in channels_of(state, look.user):
        current = "page" if look.channel and channel.id == look.channel.id and not look.home else None
        name = ("#", channel.name) if channel.kind != "im" else ("●", state.app.name)
        sign = "🔒" if channel.kind == "private" else name[0]
        shown = join(tag("span", {"class": "sign", "aria-hidden": "true"}, sign), name[1])
        archived = tag("small", None, " archived") if channel.archived else None
        href = f"/?{urlencode({'user': look.user.id, 'channel': channel.id})}"
        links.append(tag("li", None, tag("a", {"href": href, "aria-current": current}, shown, archived)))
    return join(
        tag("h1", None, state.team.name),
        tag(
            "form",
            {"class": "switcher", "method": "get", "action": "/"},
            tag("label", {"for": "user"}, "You are"),
            tag("select", {"id": "user", "name": "user"}, *options),
            tag("noscript", None, tag("button", {"class": "button"}, "Switch")),
        ),
        tag(
            "div",
            {"class": "lists"},
            tag("h2", None, "Channels"),
            tag("ul", None, *links) if links else tag("p", {"class": "muted"}, "No channels yet."),
            _home_link(state, look) if _has_home(state) else EMPTY,
        ),
    )


def _home_link(state: State, look: Look) -> Html:
    home = tag(
        "a",
        {"href": look.link(home="1"), "aria-current": "page" if look.home else None},
        tag("span", {"class": "sign", "aria-hidden": "true"}, "⌂"),
        f"{state.app.name} Home",
    )
    return join(tag("h2", None, "Apps"), tag("ul", None, tag("li", None, home)))


def _kind(user: User) -> str:
    if user.is_stranger:
        return "another company"
    return "guest" if user.is_restricted or user.is_ultra_restricted else ""


def _conversation(state: State, look: Look) -> Html:
    channel = look.channel
    if channel is None:
        return tag("div", {"class": "empty"}, tag("h2", None, "No channels"), tag("p", None, "This person is in none."))
    name = f"# {channel.name}" if channel.kind != "im" else f"{state.app.name} (direct message)"
    count = f"{len(channel.members)} members"
    top = tag("header", {"class": "top"}, tag("h2", None, name), tag("p", {"class": "muted"}, channel.topic or count))
    visible = [m for m in state.messages[channel.id].values() if not m.thread_ts or m.broadcast]
    visible += [
        m for m in state.ephemerals if m.channel == channel.id and m.ephemeral_for == look.user.id and not m.thread_ts
    ]
    visible.sort(key=lambda message: message.ts)
    if visible:
        messages = tag("ol", {"class": "messages"}, *_dated(state, look, visible))
    else:
        hint = f"When {state.app.name} posts, it appears here by itself."
        messages = tag("div", {"class": "empty"}, tag("h3", None, f"Nothing in {name} yet"), tag("p", None, hint))
    scroll = tag(
        "div", {"class": "scroll", "id": "scroll", "tabindex": "0", "aria-label": f"Messages in {name}"}, messages
    )
    return join(top, scroll, _composer(state, look, channel))


def _composer(state: State, look: Look, channel: Channel) -> Html:
    if channel.archived:
        return tag("p", {"class": "composer muted"}, "This channel is archived.")
    hint = f"Message, or a command such as {state.app.commands[0]} help" if state.app.commands else "Message"
    thread = {"data-thread": look.thread} if look.thread else {}
    return tag(
        "form",
        {"class": "composer", "data-act": "say", "data-channel": channel.id, **thread},
        tag("label", {"for": "text", "class": "hidden"}, f"Write as {look.user.real_name}"),
        tag("input", {"id": "text", "name": "text", "autocomplete": "off", "placeholder": hint}),
        tag("button", {"class": "button primary", "type": "submit"}, "Send"),
    )


def _dated(state: State, look: Look, messages: list[Message]) -> list[Html]:
    parts: list[Html] = []
    day = ""
    for message in messages:
        moment = datetime.fromtimestamp(float(message.ts), UTC)
        today = moment.strftime("%A, %-d %B")
        if today != day:
            parts.append(tag("li", {"class": "day", "role": "separator"}, tag("span", None, today)))
            day = today
        parts.append(_message(state, look, message))
    return parts


def _message(state: State, look: Look, message: Message, *, in_thread: bool = False) -> Html:
    author = state.users[message.user]
    moment = datetime.fromtimestamp(float(message.ts), UTC)
    key = f"{'t' if in_thread else 'm'}-{message.ts.replace('.', '-')}"
    surface = Surface(state, key, channel=message.channel, message=message.ts)
    app = tag("span", {"class": "app"}, "APP") if message.bot_id else None
    edited = tag("small", {"class": "muted"}, "(edited)") if message.edited_ts else None
    clock = tag("time", {"datetime": moment.isoformat(), "title": moment.strftime("%c UTC")}, moment.strftime("%H:%M"))
    only_you = tag("p", {"class": "only-you"}, "👁 Only visible to you") if message.ephemeral_for else None
    if message.blocks:
        content = blocks_html(surface, message.blocks)
    else:
        content = tag("div", {"class": "block text"}, mrkdwn(state, message.text))
    hue = f"hue-{sum(map(ord, author.id)) % 6}" if not message.bot_id else "bot"
    return tag(
        "li",
        {"class": "message ephemeral" if message.ephemeral_for else "message", "id": key, "data-ts": message.ts},
        tag("span", {"class": f"avatar {hue}", "aria-hidden": "true"}, author.real_name[:1] if not app else "$"),
        tag(
            "article",
            {"aria-label": f"{author.real_name} at {moment:%H:%M}"},
            only_you,
            tag("p", {"class": "by"}, tag("strong", None, author.real_name), app, clock, edited),
            content,
            _reactions(message),
            EMPTY if in_thread or message.ephemeral_for else _thread_link(state, look, message),
        ),
    )


def _reactions(message: Message) -> Html:
    if not message.reactions:
        return EMPTY
    shown = [
        tag("span", {"class": "reaction"}, EMOJI.get(name, f":{name}:"), f" {len(users)}")
        for name, users in message.reactions.items()
    ]
    return tag("p", {"class": "reactions"}, *shown)


def _thread_link(state: State, look: Look, message: Message) -> Html:
    replies = state.replies(message)
    mine = [m for m in state.ephemerals if m.thread_ts == message.ts and m.ephemeral_for == look.user.id]
    if not replies and not mine:
        return EMPTY
    count = len(replies) + len(mine)
    text = "1 reply" if count == 1 else f"{count} replies"
    current = "true" if look.thread == message.ts else None
    return tag("a", {"class": "thread-link", "href": look.link(thread=message.ts), "aria-current": current}, text)


def _thread(state: State, look: Look) -> Html:
    if not look.thread or look.channel is None:
        return EMPTY
    root = state.messages[look.channel.id][look.thread]
    mine = [m for m in state.ephemerals if m.thread_ts == root.ts and m.ephemeral_for == look.user.id]
    messages = sorted([*state.replies(root), *mine], key=lambda message: message.ts)
    close = tag("a", {"class": "icon", "href": look.link(), "aria-label": "Close the thread"}, "✕")
    shown = [_message(state, look, message, in_thread=True) for message in [root, *messages]]
    return join(
        tag("header", {"class": "top"}, tag("h2", None, "Thread"), close),
        tag(
            "div",
            {"class": "scroll", "tabindex": "0", "aria-label": "Thread"},
            tag("ol", {"class": "messages"}, *shown),
        ),
    )


def _home(state: State, look: Look) -> Html:
    top = tag("header", {"class": "top"}, tag("h2", None, f"{state.app.name} Home"))
    view_id = state.homes.get(look.user.id)
    if view_id is None:
        text = f"{state.app.name} has published no Home for {look.user.real_name} yet."
        return join(top, tag("div", {"class": "empty"}, tag("h3", None, "Nothing here yet"), tag("p", None, text)))
    view = state.views[view_id]
    content = blocks_html(Surface(state, f"v-{view.id}", view="home"), view.body.get("blocks", []))
    return join(top, tag("div", {"class": "scroll home", "tabindex": "0", "aria-label": "Home"}, content))


def _modal(state: State, look: Look) -> Html:
    stack = state.stack(look.user.id)
    return modal_html(state, stack[-1], len(stack)) if stack else EMPTY
