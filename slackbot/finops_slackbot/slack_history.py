"""Finds in Slack what the bot posted before its answer was lost: cards and thread lines, by the metadata they carry.

Used by the delivery worker through `SlackCalls`. A channel's history is read for a few pages only: what is sought
is minutes old.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from slack_sdk import WebClient

REQUEST_EVENT: Final = "finops_request"
LINES_EVENT: Final = "finops_lines"
"""event_type of the metadata on cards and on thread messages."""
_PAGE: Final = 200
_PAGES: Final = 5


class SlackHistory:
    """The messages of one workspace. Every method raises SlackRefused, SlackRateLimited or SlackUnavailable."""

    def __init__(self, client: WebClient, call: Callable[[str, Callable[[], Any]], dict[str, Any]]) -> None:
        self._client = client
        self._call = call

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

    def _history(self, channel: str, oldest_seconds: float, cursor: str | None) -> Any:
        return self._client.conversations_history(
            channel=channel,
            oldest=f"{oldest_seconds:.6f}",
            limit=_PAGE,
            include_all_metadata=True,
            cursor=cursor,
        )

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


def _payload(message: Mapping[str, Any], event_type: str) -> Mapping[str, Any]:
    metadata = message.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("event_type") != event_type:
        return {}
    payload = metadata.get("event_payload")
    return payload if isinstance(payload, dict) else {}
