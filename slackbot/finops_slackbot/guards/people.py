"""Whether the account that clicked is a person of this workspace. Asked before anything is recorded.

Slack's record is at most ten seconds old: one burst of clicks asks once. Whether the person is an approver is the
operator's to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from finops.ports.clock import Clock
from finops_slackbot.slack_calls import Identity, SlackCalls
from finops_slackbot.slack_errors import SlackRefused

FRESH_SECONDS: Final = 10.0
_FLAGS: Final = (
    ("deleted", "a deactivated account"),
    ("is_bot", "a bot"),
    ("is_workflow_bot", "a bot"),
    ("is_stranger", "a member of another workspace"),
    ("is_ultra_restricted", "a guest"),
    ("is_restricted", "a guest"),
)


class People:
    """Slack's records of people, remembered for ten seconds."""

    def __init__(self, calls: SlackCalls, clock: Clock) -> None:
        self._calls = calls
        self._clock = clock
        self._known: dict[str, tuple[float, Mapping[str, Any]]] = {}

    def objection(self, user: str, team: str, identity: Identity) -> str:
        """Return why `user` may not vote at all (`a guest`), or an empty text.

        Args:
            user: Slack user id of the click.
            team: the workspace the click names for that user.
            identity: our own workspace.

        Raises:
            SlackRateLimited, SlackUnavailable: Slack does not say who that is.
        """
        home = {identity.team, identity.enterprise} - {""}
        if team not in home:
            return "a member of another workspace"
        try:
            record = self._record(user)
        except SlackRefused as error:
            if error.code in {"user_not_found", "user_not_visible"}:
                return "an account that this workspace does not know"
            raise
        if str(record.get("team_id", identity.team)) not in home:
            return "a member of another workspace"
        for flag, who in _FLAGS:
            if record.get(flag):
                return who
        if record.get("is_email_confirmed") is False:
            return "an account with an unconfirmed e-mail address"
        return ""

    def _record(self, user: str) -> Mapping[str, Any]:
        now = self._clock.monotonic()
        known = self._known.get(user)
        if known is not None and now - known[0] < FRESH_SECONDS:
            return known[1]
        record = self._calls.user(user)
        self._known = {key: item for key, item in self._known.items() if now - item[0] < FRESH_SECONDS}
        self._known[user] = (now, record)
        return record
