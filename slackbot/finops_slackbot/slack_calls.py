"""Every Web API call the bot makes, once each: no retries hide in here, because a post must not happen twice.

The SDK's answers become plain dictionaries and its errors ours. Used by the delivery worker, the guards, the modals.
"""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.models.metadata import Metadata
from slack_sdk.webhook import WebhookClient

from finops_slackbot.metrics import Metrics
from finops_slackbot.slack_errors import SlackRateLimited, SlackRefused, SlackUnavailable

REQUEST_EVENT: Final = "finops_request"
LINES_EVENT: Final = "finops_lines"
"""event_type of the metadata on cards and on thread messages."""
_PAGE: Final = 200
_PAGES: Final = 5
_ANSWER_TIMEOUT_SECONDS: Final = 5


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose the bot token is: workspace, organisation (empty outside Enterprise Grid), bot user, workspace's name."""

    team: str
    enterprise: str
    bot_user: str
    team_name: str


class SlackCalls:
    """Calls to one workspace.

    Every method raises SlackRefused, SlackRateLimited or SlackUnavailable.
    """

    def __init__(self, client: WebClient, metrics: Metrics) -> None:
        self._client = client
        self._metrics = metrics

    def identity(self) -> Identity:
        """Ask who the token is."""
        answer = self._call("auth.test", self._client.auth_test)
        return Identity(
            team=str(answer["team_id"]),
            enterprise=str(answer.get("enterprise_id") or ""),
            bot_user=str(answer.get("user_id", "")),
            team_name=str(answer.get("team", "")),
        )

    def post_card(
        self, channel: str, text: str, blocks: Sequence[Mapping[str, Any]], payload: Mapping[str, Any], thread: str = ""
    ) -> str:
        """Post a card, into a thread where one is named, and return its ts."""
        return self._post(channel, text, blocks, Metadata(REQUEST_EVENT, dict(payload)), thread or None)

    def post_lines(
        self, channel: str, thread: str, text: str, blocks: Sequence[Mapping[str, Any]], payload: Mapping[str, Any]
    ) -> str:
        """Post into a card's thread and return the ts."""
        return self._post(channel, text, blocks, Metadata(LINES_EVENT, dict(payload)), thread)

    def _post(
        self,
        channel: str,
        text: str,
        blocks: Sequence[Mapping[str, Any]],
        metadata: Metadata,
        thread: str | None = None,
    ) -> str:
        answer = self._call(
            "chat.postMessage",
            lambda: self._client.chat_postMessage(
                channel=channel,
                text=text,
                blocks=[dict(block) for block in blocks],
                metadata=metadata,
                thread_ts=thread,
                unfurl_links=False,
                unfurl_media=False,
            ),
        )
        return str(answer["ts"])

    def update_card(self, channel: str, ts: str, text: str, blocks: Sequence[Mapping[str, Any]]) -> None:
        """Replace what a card says; its metadata stays."""
        self._call(
            "chat.update",
            lambda: self._client.chat_update(channel=channel, ts=ts, text=text, blocks=[dict(b) for b in blocks]),
        )

    def post_ephemeral(self, channel: str, user: str, text: str) -> None:
        """Say something that only `user` sees, in the channel."""
        self._call("chat.postEphemeral", lambda: self._client.chat_postEphemeral(channel=channel, user=user, text=text))

    def respond(self, response_url: str, text: str) -> None:
        """Say something that only the person who clicked sees, by the address that came with the click."""
        try:
            answer = WebhookClient(response_url, timeout=_ANSWER_TIMEOUT_SECONDS, retry_handlers=[]).send(
                text=text, response_type="ephemeral", replace_original=False
            )
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._lost("response_url", error) from error
        self._metrics.slack_calls.labels("response_url", str(answer.status_code)).inc()
        if answer.status_code != http.HTTPStatus.OK:
            raise SlackRefused("response_url", str(answer.body)[:60])

    def open_modal(self, trigger_id: str, view: Mapping[str, Any]) -> None:
        """Open a modal; a trigger works once and for three seconds."""
        self._call("views.open", lambda: self._client.views_open(trigger_id=trigger_id, view=dict(view)))

    def user(self, user: str) -> Mapping[str, Any]:
        """Return Slack's record of a person."""
        found: Mapping[str, Any] = self._call("users.info", lambda: self._client.users_info(user=user))["user"]
        return found

    def group_members(self, group: str) -> frozenset[str]:
        """Return the user ids in a user group."""
        answer = self._call(
            "usergroups.users.list", lambda: self._client.usergroups_users_list(usergroup=group, include_disabled=False)
        )
        return frozenset(str(user) for user in answer["users"])

    def permalink(self, channel: str, ts: str) -> str:
        """Return the address of a message."""
        answer = self._call("chat.getPermalink", lambda: self._client.chat_getPermalink(channel=channel, message_ts=ts))
        return str(answer["permalink"])

    def find_card(self, channel: str, uid: str, oldest_seconds: float) -> str:
        """Return the ts of the newest card of a request in the channel's history, or an empty text."""
        cursor: str | None = None
        for _ in range(_PAGES):
            page = self._call("conversations.history", partial(self._history, channel, oldest_seconds, cursor))
            for message in page["messages"]:
                if _payload(message, REQUEST_EVENT).get("uid") == uid:
                    return str(message["ts"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return ""
        return ""

    def _history(self, channel: str, oldest_seconds: float, cursor: str | None) -> Any:
        return self._client.conversations_history(
            channel=channel,
            oldest=f"{oldest_seconds:.6f}",
            limit=_PAGE,
            include_all_metadata=True,
            cursor=cursor,
        )

    def find_card_in_thread(self, channel: str, thread: str, uid: str) -> str:
        """Return the ts of a request's card in a digest's thread, or an empty text."""
        for message in self._replies(channel, thread):
            if _payload(message, REQUEST_EVENT).get("uid") == uid:
                return str(message["ts"])
        return ""

    def find_lines(self, channel: str, thread: str, uid: str) -> Mapping[str, str]:
        """Return which lines about a request stand in a thread: key → ts of the message."""
        found = ((message, _payload(message, LINES_EVENT)) for message in self._replies(channel, thread))
        return {
            str(key): str(message["ts"])
            for message, payload in found
            if payload.get("uid") == uid
            for key in payload.get("keys", [])
        }

    def _replies(self, channel: str, thread: str) -> Iterator[Mapping[str, Any]]:
        cursor: str | None = None
        for _ in range(_PAGES):
            page = self._call("conversations.replies", partial(self._reply_page, channel, thread, cursor))
            yield from page["messages"]
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return

    def _reply_page(self, channel: str, thread: str, cursor: str | None) -> Any:
        return self._client.conversations_replies(
            channel=channel, ts=thread, limit=_PAGE, include_all_metadata=True, cursor=cursor
        )

    def _call(self, method: str, send: Callable[[], Any]) -> dict[str, Any]:
        try:
            answer = send()
        except SlackApiError as error:
            raise self._translated(method, error) from error
        except (OSError, http.client.HTTPException) as error:
            raise self._lost(method, error) from error
        self._metrics.slack_calls.labels(method, "ok").inc()
        data: dict[str, Any] = answer.data
        return data

    def _translated(self, method: str, error: SlackApiError) -> Exception:
        response: Any = error.response
        # The SDK gives its own class for JSON answers, a plain dictionary for everything else.
        by_sdk = not isinstance(response, dict)
        status = int(response.status_code if by_sdk else response.get("status", 0))
        headers: Mapping[str, Any] = response.headers if by_sdk else response.get("headers", {})
        code = str(response.get("error") or "") if by_sdk else ""
        self._metrics.slack_calls.labels(method, code or str(status)).inc()
        if status == http.HTTPStatus.TOO_MANY_REQUESTS or code == "ratelimited":
            return SlackRateLimited(method, _seconds(headers))
        if status != http.HTTPStatus.OK or not code:
            return SlackUnavailable(method, f"HTTP status {status}")
        detail = response.get("needed") or "; ".join((response.get("response_metadata") or {}).get("messages", [])[:3])
        if code in {"internal_error", "fatal_error", "service_unavailable", "request_timeout"}:
            # Slack's own words for "it may or may not have happened".
            return SlackUnavailable(method, code)
        return SlackRefused(method, code, str(detail or ""))

    def _lost(self, method: str, error: Exception) -> SlackUnavailable:
        self._metrics.slack_calls.labels(method, "lost").inc()
        return SlackUnavailable(method, f"{type(error).__name__}: {error}")


def _seconds(headers: Mapping[str, Any]) -> int:
    value = next((value for name, value in headers.items() if name.lower() == "retry-after"), "30")
    text = str(value[0] if isinstance(value, list) else value)
    return max(1, int(text)) if text.isdecimal() else 30


def _payload(message: Mapping[str, Any], event_type: str) -> Mapping[str, Any]:
    metadata = message.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("event_type") != event_type:
        return {}
    payload = metadata.get("event_payload")
    return payload if isinstance(payload, dict) else {}
