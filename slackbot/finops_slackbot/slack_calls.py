"""Every Web API call the bot makes, once each: no retries hide in here, because a post must not happen twice.

The SDK's answers become plain dictionaries and its errors ours. Used by the delivery worker, the guards, the modals.
"""

from __future__ import annotations

import http.client
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from slack_sdk import WebClient
from slack_sdk.models.metadata import Metadata
from slack_sdk.webhook import WebhookClient

from finops_slackbot.metrics import Metrics
from finops_slackbot.slack_errors import SlackRefused
from finops_slackbot.slack_history import LINES_EVENT, REQUEST_EVENT, SlackHistory
from finops_slackbot.slack_web import SlackWeb

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

    Attributes:
        history: finds what was posted before.

    Every method raises SlackRefused, SlackRateLimited or SlackUnavailable.
    """

    def __init__(self, client: WebClient, metrics: Metrics) -> None:
        self._client = client
        self._web = SlackWeb(metrics)
        self.history = SlackHistory(client, self._web.call)

    def identity(self) -> Identity:
        """Ask who the token is."""
        answer = self._web.call("auth.test", self._client.auth_test)
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
        answer = self._web.call(
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
        self._web.call(
            "chat.update",
            lambda: self._client.chat_update(channel=channel, ts=ts, text=text, blocks=[dict(b) for b in blocks]),
        )

    def post_ephemeral(self, channel: str, user: str, text: str) -> None:
        """Say something that only `user` sees, in the channel."""
        self._web.call(
            "chat.postEphemeral", lambda: self._client.chat_postEphemeral(channel=channel, user=user, text=text)
        )

    def respond(self, response_url: str, text: str) -> None:
        """Say something that only the person who clicked sees, by the address that came with the click."""
        try:
            answer = WebhookClient(response_url, timeout=_ANSWER_TIMEOUT_SECONDS, retry_handlers=[]).send(
                text=text, response_type="ephemeral", replace_original=False
            )
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._web.lost("response_url", error) from error
        self._web.count("response_url", str(answer.status_code))
        if answer.status_code != http.HTTPStatus.OK:
            raise SlackRefused("response_url", str(answer.body)[:60])

    def open_modal(self, trigger_id: str, view: Mapping[str, Any]) -> None:
        """Open a modal; a trigger works once and for three seconds."""
        self._web.call("views.open", lambda: self._client.views_open(trigger_id=trigger_id, view=dict(view)))

    def user(self, user: str) -> Mapping[str, Any]:
        """Return Slack's record of a person."""
        found: Mapping[str, Any] = self._web.call("users.info", lambda: self._client.users_info(user=user))["user"]
        return found

    def group_members(self, group: str) -> frozenset[str]:
        """Return the user ids in a user group."""
        answer = self._web.call(
            "usergroups.users.list", lambda: self._client.usergroups_users_list(usergroup=group, include_disabled=False)
        )
        return frozenset(str(user) for user in answer["users"])

    def permalink(self, channel: str, ts: str) -> str:
        """Return the address of a message."""
        answer = self._web.call(
            "chat.getPermalink", lambda: self._client.chat_getPermalink(channel=channel, message_ts=ts)
        )
        return str(answer["permalink"])
