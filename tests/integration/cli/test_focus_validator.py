"""The FinOps Foundation's own validator finds nothing wrong with an export but what docs/focus.md announces.

It needs Python 3.12 or newer and libraries older than ours, so it lives in an environment of its own:
FINOPS_FOCUS_VALIDATOR names its program. Without it, this is left out.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Final

import pytest
from tests.integration.cli.aws_process import AwsProcess, account, policy
from tests.integration.cli.conftest import Files, Finops

from finops.domain.focus.columns import COLUMNS

_PROGRAM: Final = os.environ.get("FINOPS_FOCUS_VALIDATOR", "")
_FAILED: Final = re.compile(r"^❌ ([A-Za-z]+)-C-\d+-[A-Z]: FAIL", re.MULTILINE)
_WITH_NAMES: Final = {"ChargeDescription", "ResourceName"}
"""Names are written as their owners spell them, and one of the double's is not of ASCII."""
_PASSED: Final = re.compile(r"Pass: (\d+)")


@pytest.mark.skipif(not _PROGRAM, reason="FINOPS_FOCUS_VALIDATOR names no focus-validator")
def test_the_public_validator_fails_an_export_only_in_columns_that_are_announced(
    aws: AwsProcess, finops: Finops, files: Files, valkey_url: str, tmp_path: Path
) -> None:
    wanted = policy("production", resources=["ec2-instance", "ebs-volume"])
    finops("scan", "-f", files(wanted, account("production")), "--redis", valkey_url)
    # Parquet has types: of CSV the validator takes an account's twelve digits for a number.
    export = tmp_path / "focus.parquet"
    finops("costs", "--focus", "--parquet", str(export), "--redis", valkey_url)

    said = _validated(export)

    found = _PASSED.search(said)
    assert found, said
    assert int(found[1]) > 0, said
    announced = {column.name for column in COLUMNS if column.unknown}
    assert set(_FAILED.findall(said)) <= announced | _WITH_NAMES, said


def _validated(export: Path) -> str:
    """Return the validator's report. It opens its rules by a path from its own folder, and may fetch nothing."""
    program = Path(_PROGRAM).absolute()
    (home,) = program.parents[1].glob("lib/python*/site-packages")
    command = [str(program), "--data-file", str(export), "--validate-version", "1.2", "--block-download"]
    wanted = [*command, "--focus-dataset", "CostAndUsage", "--applicability-criteria", "ALL"]
    ended = subprocess.run(wanted, cwd=home, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
