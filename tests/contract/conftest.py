"""The behaviour suites are shared by files; those that write to a real API server stay in one process."""

from __future__ import annotations

from typing import Final

import pytest
from tests.support.by_file import ByFile
from xdist.remote import Producer

ONE_CLUSTER: Final = ("/kubernetes/", "/k8s_client/")
"""Folders whose tests install kinds on the cluster that they share."""


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile | None:
    """Replace `--dist loadfile`, which `make contract` asks for, by `ByFile`."""
    return ByFile(config, log, together=ONE_CLUSTER) if config.getoption("dist") == "loadfile" else None
