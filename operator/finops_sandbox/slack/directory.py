"""Who and what is registered in the workspace: the team, its one app, accounts, user groups and tokens.

A reset of the state reads it anew from the seed, so that changes made by a test are gone.
"""

from dataclasses import asdict, replace

from finops_sandbox.slack.model import Json, User
from finops_sandbox.slack.workspace import Seed


class Directory:
    """The records of one workspace, by id (tokens by their text)."""

    def __init__(self, seed: Seed) -> None:
        self.team = seed.team()
        self.app = seed.app()
        self.tokens = seed.tokens()
        self.users = seed.users()
        self.groups = seed.groups()

    def deactivate(self, user_id: str, *, deleted: bool) -> User:
        """Deactivate an account or bring it back. Raises KeyError for an unknown id."""
        user = self.users[user_id] = replace(self.users[user_id], deleted=deleted)
        return user

    def as_json(self) -> Json:
        """Return all records as JSON values."""
        return {
            "team": asdict(self.team),
            "app": asdict(self.app),
            "tokens": [asdict(item) for item in self.tokens.values()],
            "users": [asdict(item) for item in self.users.values()],
            "groups": [asdict(item) for item in self.groups.values()],
        }
