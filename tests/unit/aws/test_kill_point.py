"""Kill points: off unless armed, and exactly at the passage that was named."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from finops.errors import InvalidInput
from finops_operator.killpoint import arm, killpoint

PROGRAM = """
import sys
from finops_operator.killpoint import arm, killpoint
arm(sys.argv[1])
for number in range(3):
    killpoint("other")
    killpoint("scan.page")
    print(number, flush=True)
"""


@pytest.mark.parametrize(
    ("specification", "printed", "code"),
    [("scan.page", "", -signal.SIGKILL), ("scan.page:3", "0\n1\n", -signal.SIGKILL), ("", "0\n1\n2\n", 0)],
)
def test_the_process_dies_at_the_named_passage_and_nowhere_else(specification: str, printed: str, code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, specification],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (done.stdout, done.returncode) == (printed, code)


def test_a_count_that_is_no_number_is_refused() -> None:
    with pytest.raises(InvalidInput, match="FINOPS_KILL_POINT"):
        arm("scan.page:soon")
    killpoint("scan.page")
