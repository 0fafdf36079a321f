"""The heaps of `finops scan` are bounded where the C library can do that."""

from __future__ import annotations

import os
import sys

import pytest

from finops_operator.cli.heap import bound_heap


def _is_glibc() -> bool:
    return sys.platform.startswith("linux") and "CS_GNU_LIBC_VERSION" in os.confstr_names


@pytest.mark.skipif(not _is_glibc(), reason="only glibc keeps a heap per thread")
def test_glibc_takes_the_bounds() -> None:
    assert bound_heap()
