"""An operator that is asked to stop gives the Lease away at once, whatever its scan still waits for."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from tests.support.operator_estate import Obj
from tests.support.operator_rig import Rig, eventually, running_rig

_HANGS = 12.0
"""Seconds for which AWS does not answer; the client waits longer than that."""
_RELEASED_WITHIN = 4.0
"""A second for the loops to heed the stop, and what a busy machine needs to carry it out."""


@pytest.fixture
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with running_rig(tmp_path_factory.mktemp("stops"), start=False) as rig:
        yield rig


def lease(rig: Rig) -> Obj:
    found: list[Obj] = rig.k8s.objects("leases.coordination.k8s.io")
    return found[0]["spec"] if found else {}


def test_the_lease_is_released_while_a_scan_still_waits_for_an_answer_of_aws(rig: Rig) -> None:
    name = rig.aws.control.inject(
        {"kind": "hang", "service": "ec2", "action": "DescribeInstances", "seconds": _HANGS, "count": 1}
    )
    rig.start()
    rig.case().apply()

    def is_hanging() -> bool:
        return any(one["id"] == name and one["hits"] for one in rig.aws.control.faults.listing())

    eventually(lambda: lease(rig).get("holderIdentity") and is_hanging(), seconds=180.0)
    assert rig.process is not None
    asked = time.monotonic()
    rig.process.terminate()
    eventually(lambda: not lease(rig).get("holderIdentity"), seconds=_RELEASED_WITHIN)
    assert rig.process.poll() is None, "the scan had ended before the Lease was released: this shows nothing"
    assert rig.process.wait(40) == 0, rig.tail()
    assert time.monotonic() - asked < 40
