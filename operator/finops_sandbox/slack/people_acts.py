"""What people do in the workspace: click, fill in and submit, close, type a command.

The control API and the page both come through here, so a person's click and a test's click are the same thing.
Everything Slack would not let a person do is refused with `RefusedError`.
"""

from typing import Any

from finops_sandbox.slack import payloads
from finops_sandbox.slack.blocks import interactive
from finops_sandbox.slack.deliveries import Deliveries, Envelope
from finops_sandbox.slack.model import Channel, Json, Message
from finops_sandbox.slack.screen import RefusedError, Screen, element_of
from finops_sandbox.slack.state import State
from finops_sandbox.slack.text import escape
from finops_sandbox.slack.view_answers import apply_response, fill_in, required_errors
from finops_sandbox.slack.web_api.views import value_key


class People:
    """Acts for the people of the workspace."""

    def __init__(self, state: State, deliveries: Deliveries) -> None:
        self._state = state
        self._deliveries = deliveries

    async def click(
        self,
        *,
        user: str,
        action: str,
        channel: str = "",
        message: str = "",
        block: str = "",
        option: str = "",
        confirm: bool | None = None,
        stale: bool = False,
    ) -> Json:
        """Click an element of a message. Without `message`: the newest one in the channel that has the action."""
        screen = Screen(self._state, user)
        found = screen.message(screen.channel(channel), message, action)
        shown, pair = element_of(found, action, block, stale=stale)
        dismissed = _check_confirm(pair[1], confirm)
        if dismissed:
            return {"sent": False, "delivered": False, "acked": False}
        chosen = _chosen(pair[1], option)
        entry = payloads.action_of(self._state, *pair, chosen)
        payload = payloads.message_action(self._state, screen.person, found, shown, entry)
        return self._result(await self._deliveries.deliver("interactive", payload))

    async def view_action(
        self, *, user: str, action: str, view: str = "", option: str = "", confirm: bool | None = None
    ) -> Json:
        """Click an element in the person's modal, or on their App Home when `view` is "home"."""
        screen = Screen(self._state, user)
        target = screen.home() if view == "home" else screen.modal(view)
        for block, element in interactive(target.body["blocks"]):
            if element["action_id"] == action:
                if _check_confirm(element, confirm):
                    return {"sent": False, "delivered": False, "acked": False}
                entry = payloads.action_of(self._state, block, element, _chosen(element, option))
                payload = payloads.view_action(self._state, screen.person, target, entry)
                return self._result(await self._deliveries.deliver("interactive", payload))
        raise RefusedError("element_not_in_view", action)

    async def submit_view(self, *, user: str, values: dict[str, dict[str, Any]] | None = None, view: str = "") -> Json:
        """Fill in and submit a modal; the app's answer (errors, update, push, clear) is carried out."""
        screen = Screen(self._state, user)
        target = screen.modal(view)
        if target.body.get("submit") is None:
            raise RefusedError("view_has_no_submit")
        try:
            fill_in(target, values or {})
        except ValueError as error:
            raise RefusedError("no_such_input", str(error)) from error
        if errors := required_errors(target):
            # The client checks these by itself; nothing is sent.
            target.errors = errors
            self._state.changes.touch()
            return {"sent": False, "delivered": False, "acked": False, "errors": errors}
        payload = payloads.view_submission(self._state, screen.person, target)
        envelope = await self._deliveries.deliver("interactive", payload)
        problem = apply_response(self._state, target, envelope.response) if envelope.acked else "not_acknowledged"
        if problem:
            self._state.record.fail("view_response", problem=problem, response=envelope.response)
            target.errors = {"": "We had some trouble connecting. Try again?"}
            self._state.changes.touch()
        return self._result(envelope) | {"errors": target.errors, "response": envelope.response}

    async def close_view(self, *, user: str, everything: bool = False) -> Json:
        """Close the top modal (or all). The app gets notice only where the view asked for it."""
        person = Screen(self._state, user).person
        closed = self._state.views.close(person.id, everything=everything)
        if not closed:
            raise RefusedError("no_open_view")
        result: Json = {"sent": False, "closed": [view.id for view in closed]}
        for view in closed:
            if view.body.get("notify_on_close"):
                payload = payloads.view_closed(self._state, person, view, cleared=everything)
                result |= self._result(await self._deliveries.deliver("interactive", payload))
        return result

    async def slash(self, *, user: str, command: str = "/finops", text: str = "", channel: str = "") -> Json:
        """Type a slash command; an answer in the acknowledgement is shown as Slack would."""
        screen = Screen(self._state, user)
        person, place = screen.person, screen.channel(channel)
        if command not in self._state.directory.app.commands:
            raise RefusedError("unknown_command", command)
        payload = payloads.slash_command(self._state, person, place.id, command, text)
        envelope = await self._deliveries.deliver("slash_commands", payload)
        answer = envelope.response
        if answer.get("text") or answer.get("blocks"):
            visible = answer.get("response_type") == "in_channel"
            self._bot_says(place, answer, only_for="" if visible else person.id)
        return self._result(envelope) | {"response": answer}

    async def open_home(self, *, user: str) -> Json:
        """Open the app's Home tab."""
        person = Screen(self._state, user).person
        event: Json = {
            "type": "app_home_opened",
            "user": person.id,
            "channel": self._state.conversations.open_dm(person.id).id,
            "tab": "home",
            "event_ts": self._state.issuer.next_ts(),
        }
        return await self.event(event)

    async def event(self, event: Json) -> Json:
        """Send an Events API event, if the app is subscribed to its type."""
        if event.get("type") not in self._state.directory.app.events:
            return {"sent": False, "delivered": False, "acked": False}
        envelope = await self._deliveries.deliver("events_api", payloads.event_callback(self._state, event))
        return self._result(envelope)

    def say(self, *, user: str, text: str, channel: str = "", thread: str = "") -> Json:
        """Write a plain message."""
        screen = Screen(self._state, user)
        person, place = screen.person, screen.channel(channel)
        if place.archived:
            raise RefusedError("is_archived")
        message = Message(self._state.issuer.next_ts(), place.id, person.id, escape(text), [], thread_ts=thread)
        self._state.conversations.add(message)
        return {"ts": message.ts}

    def _bot_says(self, channel: Channel, answer: Json, *, only_for: str) -> None:
        state = self._state
        self._state.conversations.add(
            Message(
                ts=state.issuer.next_ts(),
                channel=channel.id,
                user=state.directory.app.bot_user,
                text=escape(str(answer.get("text", ""))),
                blocks=answer.get("blocks", []),
                bot_id=state.directory.app.bot_id,
                app_id=state.directory.app.id,
                ephemeral_for=only_for,
            )
        )

    def _result(self, envelope: Envelope) -> Json:
        return {
            "sent": True,
            "delivered": envelope.deliveries > 0,
            "acked": envelope.acked,
            "ack_ms": envelope.ack_ms,
            "envelope_id": envelope.id,
            "trigger_id": envelope.payload.get("trigger_id", ""),
            "response_url": envelope.payload.get("response_url", ""),
        }


def _check_confirm(element: Json, confirm: bool | None) -> bool:
    """Return True if the person dismissed the dialog. Raises when dialog and answer do not fit together."""
    if "confirm" in element and confirm is None:
        raise RefusedError("confirm_required", str(element["confirm"]["text"]["text"]))
    if "confirm" not in element and confirm is not None:
        raise RefusedError("no_confirm_dialog", str(element["action_id"]))
    return confirm is False


def _chosen(element: Json, option: str) -> Json:
    kind = element["type"]
    if kind == "button":
        return {}
    key = value_key(kind) if kind != "overflow" else "selected_option"
    if "options" not in element and "option_groups" not in element:
        return {key: option}
    groups = element.get("option_groups", [{"options": element.get("options", [])}])
    for candidate in (item for group in groups for item in group["options"]):
        if candidate["value"] == option:
            return {key: [candidate] if key.endswith("s") else candidate}
    raise RefusedError("no_such_option", option)
