"""The bot's image holds neither the operator nor an AWS SDK; it must not even try to import them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
_PROGRAM = """
import importlib, pkgutil, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"boto3", "botocore", "kopf", "finops_operator", "finops_sandbox", "moto", "aiohttp"}:
            raise ModuleNotFoundError(f"{name} is not in the bot's image", name=name)

sys.meta_path.insert(0, Blocked())
import finops_slackbot
for module in pkgutil.walk_packages(finops_slackbot.__path__, "finops_slackbot."):
    importlib.import_module(module.name)
    print(module.name)
"""


def test_the_bot_imports_without_operator_kopf_and_aws_sdk() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _PROGRAM],
        env={"PYTHONPATH": f"{ROOT / 'operator'}:{ROOT / 'slackbot'}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "finops_slackbot.bootstrap" in done.stdout.split()
