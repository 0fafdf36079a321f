"""A test uses what stands in its own folder, in a folder above it, or in `tests/support`: no suite leans on another's.

What two suites need moves to `tests/support`. `tests/chaos` is no suite but the program of `make chaos`, which tests
may import.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
TESTS: Final = ROOT / "tests"
SHARED: Final = (TESTS / "support", TESTS / "chaos")
FILES: Final = sorted(TESTS.rglob("*.py"))


def imported(source: str) -> Iterator[Path]:
    """Yield the files of ours that a module of tests imports."""
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            file = ROOT / f"{name.replace('.', '/')}.py"
            if name.startswith("tests.") and file.is_file():
                yield file


def foreign_to(path: Path, source: str) -> list[str]:
    """Return what the module at `path` imports of another suite."""
    return [str(file.relative_to(ROOT)) for file in imported(source) if file.parent not in (*SHARED, *path.parents)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_test_imports_from_its_folder_those_above_it_and_support(path: Path) -> None:
    assert foreign_to(path, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "line",
    [
        "from tests.integration.demo.demo_process import DemoProcess",
        "from tests.integration.demo import demo_process",
        "import tests.integration.demo.demo_process",
        "from tests.unit.cli.test_demo_guide import ROOT",
    ],
)
def test_an_import_of_another_suite_is_found(line: str) -> None:
    assert foreign_to(TESTS / "unit/slackbot/test_new.py", line)


@pytest.mark.parametrize(
    "line",
    ["from tests.support.valkey import Valkey", "from tests.e2e.cluster import RealCluster", "import finops"],
)
def test_an_import_of_support_or_from_above_is_left_alone(line: str) -> None:
    assert foreign_to(TESTS / "e2e/chart/test_new.py", line) == []
