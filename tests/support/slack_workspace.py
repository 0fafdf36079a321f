"""A workspace of the Slack double whose app has what the product's has not: a command, a Home, events, more scopes."""

from __future__ import annotations

from pathlib import Path

import yaml

from finops_sandbox.slack.workspace import DEFAULT_WORKSPACE

_MORE_SCOPES = (
    *("commands", "users:read.email", "team:read", "im:write", "im:history", "im:read", "channels:join"),
    "reactions:write",
)


def workspace_of_a_larger_app(folder: Path) -> Path:
    """Write the workspace into `folder` and return its file."""
    document = yaml.safe_load(DEFAULT_WORKSPACE.read_text(encoding="utf-8"))
    document["app"]["commands"] = ["/finops"]
    document["app"]["events"] = ["app_home_opened", "subteam_members_changed", "user_change"]
    (token,) = [one for one in document["tokens"] if one["token"] == "xoxb-sandbox-finops"]
    token["scopes"] += _MORE_SCOPES
    path = folder / "larger-app.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path
