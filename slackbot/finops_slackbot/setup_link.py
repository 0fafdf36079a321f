"""The one-click link that makes the Slack app, built from the manifest; `python -m finops_slackbot.setup_link FILE`.

Used when the manifest changes: docs/slack-setup.md holds the link, and a test compares the two.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final
from urllib.parse import quote

_NEW_APP: Final = "https://api.slack.com/apps?new_app=1&manifest_yaml="


def setup_link(manifest: str) -> str:
    """Return the address under which Slack offers to make the app; comments are left out to keep it short."""
    lines = [line for line in manifest.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return _NEW_APP + quote("\n".join(lines) + "\n", safe="")


if __name__ == "__main__":
    sys.stdout.write(setup_link(Path(sys.argv[1]).read_text(encoding="utf-8")) + "\n")
