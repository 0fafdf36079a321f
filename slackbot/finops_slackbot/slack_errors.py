"""What a call to Slack can end in, besides an answer; the type says what may be done next.

Raised by `SlackCalls`, handled by the delivery worker, the click path and the group refresher.
"""

from __future__ import annotations

from typing import Final

from finops.errors import FinopsError, Unavailable

AUTHENTICATION: Final = frozenset(
    {"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "not_allowed_token_type"}
)
"""Nothing works until somebody replaces the token."""
CHANNEL: Final = frozenset(
    {
        "not_in_channel",
        "channel_not_found",
        "is_archived",
        "missing_scope",
        "restricted_action",
        "no_permission",
        "ekm_access_denied",
        "team_access_not_granted",
        "cannot_reply_to_message",
    }
)
"""This channel does not take messages from us until somebody corrects that."""
CONTENT: Final = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "msg_too_long", "msg_blocks_too_long", "metadata_too_large", "no_text"}
)
"""Slack does not like what we wrote: a plainer message may pass."""
MESSAGE_GONE: Final = frozenset(
    {"message_not_found", "edit_window_closed", "cant_update_message", "block_mismatch", "thread_not_found"}
)
"""The message can no longer be changed: a fresh one is needed."""

_HINTS: Final = {
    "not_in_channel": "invite the app to the channel: /invite @finops",
    "channel_not_found": "check the channel's id in the policy, and invite the app if the channel is private",
    "is_archived": "the channel is archived: unarchive it or name another one in the policy",
    "missing_scope": "add the scope to the Slack app and install it again (docs/slack-setup.md)",
    "token_revoked": "install the Slack app again and put the new token into the secret",
    "invalid_auth": "check SLACK_BOT_TOKEN",
    "account_inactive": "the workspace or the app was deactivated: install the app again",
    "plan_upgrade_required": "user groups need a paid Slack plan: name people instead of groups",
    "no_such_subteam": "the user group does not exist or is disabled: check its id in the policy",
}


class SlackRefused(FinopsError):
    """Slack answered and said no; `code` is Slack's own word, nothing was done."""

    def __init__(self, method: str, code: str, detail: str = "") -> None:
        what = f"Slack refused {method}: {code}"
        super().__init__(f"{what} ({detail})" if detail else what, code=code, hint=_HINTS.get(code, ""))
        self.method = method


class SlackRateLimited(Unavailable):
    """Too many calls; nothing was done, and nothing of this method may be called before `seconds` are over."""

    def __init__(self, method: str, seconds: int) -> None:
        super().__init__(f"Slack wants {seconds} s without an answer from {method}", code="ratelimited")
        self.method = method
        self.seconds = seconds


class SlackUnavailable(Unavailable):
    """No usable answer came. The call may have been carried out: repeat only what may happen twice."""

    def __init__(self, method: str, why: str) -> None:
        super().__init__(f"no answer from Slack to {method}: {why}", code="SlackUnavailable")
        self.method = method
