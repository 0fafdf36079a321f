"""Every reason for which a service's act is refused is met by a test of that service, by its code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
SERVICES: Final = ROOT / "operator" / "finops_operator" / "services"
_REFUSED: Final = re.compile(r'Refusal\(\s*"([A-Za-z]+)"')


def refusals(folder: Path) -> Iterator[str]:
    """Yield the codes with which modules of a service refuse."""
    for module in folder.rglob("*.py"):
        yield from _REFUSED.findall(module.read_text(encoding="utf-8"))


def text_of_tests(service: str) -> str:
    """Return the text of all tests of a service."""
    files = (ROOT / "tests" / "unit" / "services" / service).rglob("test_*.py")
    return "\n".join(one.read_text(encoding="utf-8") for one in files)


REFUSING: Final = {one.name: sorted(set(refusals(one))) for one in sorted(SERVICES.iterdir()) if one.is_dir()}


@pytest.mark.parametrize("service", [name for name, codes in REFUSING.items() if codes])
def test_every_refusal_of_a_service_is_met_by_a_test_of_its_own(service: str) -> None:
    words = set(re.findall(r"\w+", text_of_tests(service)))
    assert [code for code in REFUSING[service] if code not in words] == []


def test_refusals_are_found_at_all() -> None:
    assert sum(map(len, REFUSING.values())) > 150
    assert "TargetsUnknown" in REFUSING["elasticloadbalancing"]
