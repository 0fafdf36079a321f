"""Reads the seed of a workspace from YAML. Called by the command and by `SlackDouble`; raises on anything unknown."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml

from finops_sandbox.slack.model import App, Channel, Group, Json, Team, Token, User

T = TypeVar("T")
DEFAULT_WORKSPACE = Path(__file__).with_name("workspace.yaml")


class WorkspaceFileError(ValueError):
    """The seed file does not describe a workspace; the message names the file and the entry."""


@dataclass(frozen=True, slots=True)
class Seed:
    """A parsed workspace file. Records are built anew by each call of `records`, so that a reset forgets changes."""

    path: Path
    document: Json

    def team(self) -> Team:
        return _build(self.path, "team", Team, self.document["team"])

    def app(self) -> App:
        return _build(self.path, "app", App, self.document["app"])

    def tokens(self) -> dict[str, Token]:
        return {item.token: item for item in self._list("tokens", Token)}

    def users(self) -> dict[str, User]:
        team = self.document["team"]["id"]
        found = {}
        for raw in self.document.get("users", []):
            full = {"team_id": team, "email": f"{raw.get('name', '')}@example.com", **raw}
            user = _build(self.path, "users", User, full)
            found[user.id] = user
        return found

    def channels(self) -> dict[str, Channel]:
        found = {}
        for raw in self.document.get("channels", []):
            channel = _build(self.path, "channels", Channel, {"kind": "public", **raw})
            channel.members = list(channel.members)
            found[channel.id] = channel
        return found

    def groups(self) -> dict[str, Group]:
        groups = {item.id: item for item in self._list("groups", Group)}
        for group in groups.values():
            group.members = list(group.members)
        return groups

    def _list(self, section: str, kind: type[T]) -> list[T]:
        return [_build(self.path, section, kind, raw) for raw in self.document.get(section, [])]


def read_workspace(path: Path = DEFAULT_WORKSPACE) -> Seed:
    """Parse and check a workspace file.

    Raises WorkspaceFileError for unreadable YAML, unknown or missing keys, and members or tokens nobody defines.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise WorkspaceFileError(f"{path}: {error}") from error
    if not isinstance(document, dict) or not {"team", "app", "users", "channels"} <= document.keys():
        raise WorkspaceFileError(f"{path}: a workspace has at least team, app, users and channels")
    seed = Seed(path, document)
    users = seed.users()
    memberships = [(c.id, c.members) for c in seed.channels().values()]
    memberships += [(g.id, g.members) for g in seed.groups().values()]
    memberships.append(("app", [seed.app().bot_user]))
    for owner, members in memberships:
        for member in members:
            if member not in users:
                raise WorkspaceFileError(f"{path}: {owner} names the user {member}, who is not defined")
    seed.tokens()
    seed.team()
    return seed


def _build(path: Path, section: str, kind: type[T], raw: Any) -> T:
    if not isinstance(raw, dict):
        raise WorkspaceFileError(f"{path}: {section} must hold mappings, not {type(raw).__name__}")
    try:
        return kind(**raw)
    except TypeError as error:
        raise WorkspaceFileError(f"{path}: {section}: {error}") from error
