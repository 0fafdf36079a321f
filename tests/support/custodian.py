"""Cloud Custodian as its package has it, in an environment of its own that is made for a benchmark and thrown away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml
from tests.support.measured_process import Used, run_measured

VERSION: Final = "0.9.52"
_POLICY: Final = "idle"


class NotInstalled(Exception):
    """The package could not be installed; says what pip said."""


@dataclass(frozen=True, slots=True)
class Custodian:
    """An installed Cloud Custodian."""

    folder: Path

    @classmethod
    def installed(cls, folder: Path) -> Custodian:
        """Install the pinned version into `folder`.

        Raises:
            NotInstalled: there is no package index, or it does not have it.
        """
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=600)
        pip = [str(folder / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", f"c7n=={VERSION}"]
        done = subprocess.run(pip, capture_output=True, text=True, timeout=1800, check=False)
        if done.returncode:
            raise NotInstalled(f"c7n {VERSION} cannot be installed from the package index: {done.stderr.strip()}")
        return cls(folder)

    def idle_instances(
        self, environment: Mapping[str, str], work: Path, *, average_below: float
    ) -> tuple[Used, frozenset[str]]:
        """Run one policy: running instances with an average CPU of 14 days below a limit; return them by id.

        No cache, so that nothing is kept from run to run.
        """
        metric = {"type": "metrics", "name": "CPUUtilization", "days": 14, "value": average_below, "op": "less-than"}
        policy = {"name": _POLICY, "resource": "aws.ec2", "filters": [{"State.Name": "running"}, metric]}
        work.mkdir(parents=True)
        file = work / "policy.yaml"
        file.write_text(yaml.safe_dump({"policies": [policy]}), encoding="utf-8")
        command = [str(self.folder / "bin/custodian"), "run", "--cache-period", "0", "-s", str(work / "out")]
        command += ["--region", environment["AWS_DEFAULT_REGION"], str(file)]
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "FINOPS_", "PYTHON"))}
        used = run_measured(command, {**kept, **environment}, work / "printed.txt")
        found = work / "out" / _POLICY / "resources.json"
        resources = json.loads(found.read_text(encoding="utf-8")) if found.exists() else []
        return used, frozenset(one["InstanceId"] for one in resources)
