"""Values as people read them."""

from __future__ import annotations

import pytest

from finops_operator.plugins.loaded import plugins
from finops_web.formats import heading


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("maximumCpuPercent", "Maximum CPU percent"),
        ("maximumMeanIops", "Maximum mean IOPS"),
        ("minimumStoredGib", "Minimum stored GiB"),
        ("minimumVcpus", "Minimum vCPUs"),
        ("throughput_mibps", "Throughput MiB/s"),
        ("noticeDays", "Notice days"),
        ("", ""),
    ],
)
def test_units_and_abbreviations_keep_their_spelling_in_a_heading(name: str, shown: str) -> None:
    assert heading(name) == shown


def test_no_threshold_of_a_check_is_shown_with_an_abbreviation_in_small_letters() -> None:
    names = {one.name for check in plugins().checks.values() for one in check.parameters}
    small = {"cpu", "iops", "gib", "mib", "mibps", "vcpus", "cpus", "acu", "io", "gb", "mb"}
    assert [name for name in sorted(names) if small & set(heading(name).split())] == []
