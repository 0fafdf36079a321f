"""Carries out the pages of `docs/how-to` as they stand: their code blocks go into a copy of the operator's source.

A block that opens with `python PATH` is the file PATH in the operator's package; one that goes on with
`insert-after: TEXT` adds its lines below the one line of that file in which TEXT stands.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PAGES: Final = ("add-a-kind", "add-a-check", "add-an-action")
"""In the order in which each goes on where the one before it ends."""

_BLOCK: Final = re.compile(r"^```python (\S+)(?: insert-after: ([^\n]+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """One block of code: a whole file, or lines that go below the line with `after`."""

    path: str
    after: str
    text: str


def blocks(page: str) -> Iterator[Block]:
    """Yield the blocks of one page, in its order."""
    text = (ROOT / "docs" / "how-to" / f"{page}.md").read_text(encoding="utf-8")
    for path, after, code in _BLOCK.findall(text):
        yield Block(path, after, code)


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of the operator's source in which recipes were carried out."""

    folder: Path

    @property
    def package(self) -> Path:
        return self.folder / "finops_operator"

    def carry_out(self, page: str) -> None:
        """Do what the page says."""
        for block in blocks(page):
            target = self.package / block.path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(_edited(target, block) if block.after else block.text, encoding="utf-8")

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run Python with the copy in place of the source; nothing of the caller's own settings counts."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("FINOPS_", "AWS_", "KUBE", "PYTHON"))
        }
        return subprocess.run(
            [sys.executable, *arguments],
            env={**kept, "PYTHONPATH": str(self.folder), **environment},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def finops(self, environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one command of the command line."""
        return self.run("-c", "from finops_operator.cli.main import main; main()", *arguments, **environment)


def copy_of_source(folder: Path, *pages: str) -> Copy:
    """Return a copy of the operator's source in which the pages were carried out."""
    for package in ("finops", "finops_operator"):
        shutil.copytree(ROOT / "operator" / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    made = Copy(folder)
    for page in pages:
        made.carry_out(page)
    return made


def _edited(target: Path, block: Block) -> str:
    lines = target.read_text(encoding="utf-8").splitlines(keepends=True)
    (at,) = (number for number, line in enumerate(lines) if block.after in line)
    return "".join((*lines[: at + 1], block.text, *lines[at + 1 :]))
