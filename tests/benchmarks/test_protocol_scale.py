"""The protocol with a fault and an interference in one run: more than a million states, each keeps its promises."""

from __future__ import annotations

import time

import pytest
from tests.support.protocol_search import search
from tests.support.protocol_steps import Protocol


@pytest.mark.timeout(900)
def test_a_fault_and_an_interference_together_break_no_promise() -> None:
    began = time.perf_counter()
    found = search(Protocol(faults=1, events=1))
    seconds = time.perf_counter() - began
    print(f"{found.states:,} states in {seconds:.1f} s: {found.states / seconds:,.0f} a second")
    assert not found.violation
    assert found.states >= 1_000_000
