"""The model of the protocol speaks of the steps and guards that the source has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from tests.support.protocol_guards import GUARDS
from tests.support.protocol_steps import DECIDING

ROOT: Final = Path(__file__).resolve().parents[2]


def source_of(folder: str, pattern: str) -> str:
    return "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / folder).glob(pattern)))


def test_the_steps_of_deciding_are_kill_points_of_the_operator() -> None:
    source = source_of("operator/finops_operator/decisions", "*.py")
    assert set(DECIDING) <= set(re.findall(r'killpoint\("([^"]+)"\)', source))


def test_every_guard_that_can_be_taken_away_is_taken_away() -> None:
    source = source_of("tests/support", "protocol_*.py")
    named = {*re.findall(r'\.has\("([^"]+)"\)', source), *re.findall(r'self\.removed == "([^"]+)"', source)}
    assert named == set(GUARDS)
