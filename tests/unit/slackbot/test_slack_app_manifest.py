"""The app's manifest and the guide that hands it to people."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from finops_slackbot.setup_link import setup_link

ROOT = Path(__file__).parents[3]
MANIFEST = ROOT / "slackbot" / "manifest.yaml"
GUIDE = ROOT / "docs" / "slack-setup.md"


def manifest() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))
    return found


def test_the_guides_link_is_made_of_the_manifest() -> None:
    link = setup_link(MANIFEST.read_text(encoding="utf-8"))
    assert f"]({link})" in GUIDE.read_text(encoding="utf-8"), "python -m finops_slackbot.setup_link prints the new one"


def test_the_manifest_keeps_slacks_limits() -> None:
    shown = manifest()["display_information"]
    assert len(shown["name"]) <= 35
    assert len(shown["description"]) <= 140
    assert 175 <= len(shown["long_description"]) <= 4000
    assert len(manifest()["features"]["bot_user"]["display_name"]) <= 80


def test_the_app_uses_the_socket_and_needs_no_public_address() -> None:
    settings = manifest()["settings"]
    assert settings["socket_mode_enabled"] is True
    assert settings["interactivity"] == {"is_enabled": True}
    assert "request_url" not in MANIFEST.read_text(encoding="utf-8")


def test_every_scope_is_explained_in_the_guide() -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    scopes = manifest()["oauth_config"]["scopes"]["bot"]
    assert len(scopes) == len(set(scopes))
    for scope in scopes:
        assert re.search(rf"^\|[^|]*`{scope}`", guide, re.MULTILINE), scope
