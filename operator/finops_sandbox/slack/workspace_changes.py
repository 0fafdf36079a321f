"""What changes around the app: people leave, groups and channels change, tokens are revoked.

The control API offers these as acts. Where the app is subscribed and connected, it gets the event that Slack would
send; what changed stays changed either way.
"""

from collections.abc import Sequence
from dataclasses import asdict

from finops_sandbox.slack.model import Json
from finops_sandbox.slack.people_acts import People
from finops_sandbox.slack.socket_mode import SocketHub
from finops_sandbox.slack.state import State


class WorkspaceChanges:
    """Acts as the workspace's administrator. All raise KeyError for an id that nobody has."""

    def __init__(self, state: State, hub: SocketHub, people: People) -> None:
        self._state = state
        self._hub = hub
        self._people = people

    async def change_group(self, *, group: str, add: Sequence[str] = (), remove: Sequence[str] = ()) -> Json:
        """Change a user group's members."""
        changed = self._state.directory.groups[group]
        for user in add:
            if self._state.directory.users[user].id not in changed.members:
                changed.members.append(user)
        changed.members = [user for user in changed.members if user not in remove]
        self._state.changes.touch()
        event: Json = {
            "type": "subteam_members_changed",
            "subteam_id": changed.id,
            "team_id": self._state.directory.team.id,
            "added_users": list(add),
            "removed_users": list(remove),
        }
        return {"members": changed.members, "event": await self._publish(event)}

    async def deactivate_user(self, *, user: str, deleted: bool = True) -> Json:
        """Deactivate an account, or bring it back."""
        now = self._state.directory.deactivate(user, deleted=deleted)
        self._state.changes.touch()
        event = {"type": "user_change", "user": {"id": now.id, "deleted": now.deleted, "team_id": now.team_id}}
        return {"deleted": now.deleted, "event": await self._publish(event)}

    async def change_channel(
        self, *, channel: str, archived: bool | None = None, add: Sequence[str] = (), remove: Sequence[str] = ()
    ) -> Json:
        """Archive a channel, or change its members."""
        changed = self._state.conversations.channels[channel]
        if archived is not None:
            changed.archived = archived
        known = [self._state.directory.users[user].id for user in add]
        self._state.conversations.change_members(changed, add=known, remove=remove)
        return {"channel": asdict(changed)}

    async def revoke_token(self, *, token: str, revoked: bool = True) -> Json:
        """Revoke a token, or undo that."""
        self._state.directory.tokens[token].revoked = revoked
        return {"revoked": revoked}

    async def set_scopes(self, *, token: str, scopes: list[str]) -> Json:
        """Replace a token's scopes."""
        self._state.directory.tokens[token].scopes = list(scopes)
        return {"scopes": scopes}

    async def reset(self) -> Json:
        """Go back to the seed; connections stay open."""
        self._state.reset()
        self._hub.deliveries.reset()
        return {}

    async def _publish(self, event: Json) -> Json:
        return await self._people.event(event) if self._hub.connections else {"sent": False}
