"""A restarted container takes over from the process that died in it, and from no process that may be alive."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from finops_operator.cluster.predecessor import PredecessorLock

_HOLD = """
import sys, time
from pathlib import Path
from finops_operator.cluster.predecessor import PredecessorLock
kept = PredecessorLock(Path(sys.argv[1]))
kept.take_over("operator-0_first")
print("held", flush=True)
time.sleep(60)
"""


def _other_process(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", _HOLD, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_killed_process_is_succeeded_and_a_living_one_is_not(tmp_path: Path) -> None:
    """Only a dead one is taken over from."""
    path = tmp_path / "holder"
    with _other_process(path) as other:
        assert PredecessorLock(path).take_over("operator-0_second") == ""
        other.kill()

    assert PredecessorLock(path).take_over("operator-0_third") == "operator-0_first"


def test_a_first_process_and_a_folder_that_cannot_be_written_succeed_nobody(tmp_path: Path) -> None:
    assert PredecessorLock(tmp_path / "holder").take_over("operator-0_first") == ""
    assert PredecessorLock(tmp_path / "missing" / "holder").take_over("operator-0_first") == ""
