"""The heaps of `finops scan` are bounded where the C library can do that, and Python searches for garbage rarely."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from finops_operator.cli.heap import bound_heap


def _is_glibc() -> bool:
    return sys.platform.startswith("linux") and "CS_GNU_LIBC_VERSION" in os.confstr_names


@pytest.mark.skipif(not _is_glibc(), reason="only glibc keeps a heap per thread")
def test_glibc_takes_the_bounds() -> None:
    assert bound_heap()


def test_what_a_command_loads_is_never_searched_for_garbage() -> None:
    lines = [
        "import gc, json, sys",
        "from finops_operator.cli.main import main",
        "sys.argv = ['finops', 'scan', '--help']",
        "main()",
        "print(json.dumps([gc.get_stats()[2]['collections'], len(gc.get_objects()), gc.get_freeze_count()]))",
    ]
    done = subprocess.run([sys.executable, "-c", "; ".join(lines)], capture_output=True, text=True, check=True)
    searched, left, frozen = json.loads(done.stdout.splitlines()[-1])
    assert searched == 0
    assert left < 1_000 < frozen
