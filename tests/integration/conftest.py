"""How the processes of one run share the tests of whole programs: by files, whose tests share what they started."""

from __future__ import annotations

from typing import Final

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

DIVIDED: Final = ("/act/test_act_kills.py",)
"""Files whose tests start so little that it costs less than one process that has all of their minutes to itself."""


class ByFile(LoadFileScheduling):  # type: ignore[misc] # xdist ships no types
    """Gives a file to one process, and of the long ones each test to whichever is free."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return nodeid if file.endswith(DIVIDED) else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    """Replace `--dist loadfile`, which `make integration` asks for, by `ByFile`."""
    return ByFile(config, log) if config.getoption("dist") == "loadfile" else None
