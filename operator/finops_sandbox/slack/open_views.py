"""The modals and App Homes of the workspace's people."""

import copy
from dataclasses import asdict

from finops_sandbox.slack.changes import Changes
from finops_sandbox.slack.model import Json, View


class OpenViews:
    """Views by id, also closed ones; per person the stack of open modals and the App Home."""

    def __init__(self, changes: Changes) -> None:
        self.by_id: dict[str, View] = {}
        self.stacks: dict[str, list[str]] = {}
        self.homes: dict[str, str] = {}
        self._changes = changes

    def add(self, view: View) -> None:
        """Put a modal on top of its user's stack, or set the App Home."""
        self.by_id[view.id] = view
        if view.type == "home":
            self.homes[view.user] = view.id
        else:
            self.stacks.setdefault(view.user, []).append(view.id)
        self._changes.touch()

    def stack(self, user: str) -> list[View]:
        """Return the user's open modals, bottom first."""
        return [self.by_id[key] for key in self.stacks.get(user, [])]

    def home(self, user: str) -> View | None:
        """Return the user's App Home, None while the app has published none."""
        view_id = self.homes.get(user)
        return self.by_id[view_id] if view_id else None

    def close(self, user: str, *, everything: bool) -> list[View]:
        """Take the top modal, or all of them, off the stack; return what was closed, top first."""
        keys = self.stacks.get(user, [])
        closed = keys if everything else keys[-1:]
        self.stacks[user] = [key for key in keys if key not in closed]
        self._changes.touch()
        return [self.by_id[key] for key in reversed(closed)]

    def as_json(self) -> Json:
        """Return views, stacks and homes as JSON values."""
        return {
            "views": [asdict(item) for item in self.by_id.values()],
            "stacks": copy.deepcopy(self.stacks),
            "homes": dict(self.homes),
        }
