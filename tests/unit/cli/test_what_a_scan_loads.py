"""A scan from a terminal loads nothing that only a cluster, Slack or the dashboard needs: each start pays for it."""

from __future__ import annotations

import subprocess
import sys

_OTHERS = {
    "kopf",
    "kubernetes",
    "aiohttp",
    "fastapi",
    "starlette",
    "uvicorn",
    "jinja2",
    "slack_sdk",
    "slack_bolt",
    "boto3",
}
_LOAD = """
import sys
from finops_operator.cli.main import main
sys.argv = ["finops", "scan", "--help"]
main()
from finops_operator.plugins.loaded import plugins_with
plugins_with("")
print(*sorted(sys.modules))
"""


def test_a_scan_loads_no_library_that_it_does_not_use() -> None:
    done = subprocess.run([sys.executable, "-c", _LOAD], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "finops_operator.scan.scan" in loaded
    assert {one.partition(".")[0] for one in loaded} & _OTHERS == set()
    rooms = (
        "finops_operator.cluster",
        "finops_operator.acts",
        "finops_operator.upkeep",
        "finops_slackbot",
        "finops_web",
    )
    assert not [one for one in loaded if one.startswith((*rooms, "finops_sandbox"))]
    commands = {one for one in loaded if one.startswith("finops_operator.cli.commands.")}
    assert commands == {"finops_operator.cli.commands.scan"}
