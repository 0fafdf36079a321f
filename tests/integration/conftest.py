"""The tests that start whole programs are shared by files, a long one by its tests."""

from __future__ import annotations

from typing import Final

import pytest
from tests.support.by_file import ByFile
from xdist.remote import Producer

DIVIDED: Final = ("/act/test_act_kills.py",)
"""Files whose tests start so little that it costs less than one process that has all of their minutes to itself."""


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile | None:
    """Replace `--dist loadfile`, which `make integration` asks for, by `ByFile`."""
    return ByFile(config, log, divided=DIVIDED) if config.getoption("dist") == "loadfile" else None
