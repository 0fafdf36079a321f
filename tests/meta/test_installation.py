"""What is installed from the network is what the locks name: hashes are checked, and nothing is built on the way."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
PLACES: Final = ("Makefile", "Dockerfile", "*.md", "docs/**/*.md", ".ci/*", ".github/**/*.yml")


def installations(source: str) -> list[str]:
    """Every `pip install` of a file, with its options."""
    text = (ROOT / source).read_text(encoding="utf-8")
    return re.findall(r"pip install ([^\n&]+)", text)


SOURCES: Final = sorted(
    name
    for place in PLACES
    for name in (str(path.relative_to(ROOT)) for path in ROOT.glob(place) if path.is_file())
    if installations(name)
)
"""Every file that tells a person or a machine to install something."""


def test_the_places_that_install_something_are_found() -> None:
    assert {"Makefile", "Dockerfile", "docs/install.md"} <= set(SOURCES)


@pytest.mark.parametrize("source", SOURCES)
def test_every_installation_checks_hashes_or_installs_what_was_built_here(source: str) -> None:
    found = installations(source)
    assert found
    for options in found:
        assert "--no-deps" in options, options
        assert "--require-hashes" in options or options.split()[-1] == "." or ".whl" in options, options


@pytest.mark.parametrize("source", ["Makefile", "docs/install.md"])
def test_no_package_is_built_on_the_way_with_tools_that_no_hash_was_checked_for(source: str) -> None:
    for options in installations(source):
        if "--require-hashes" in options:
            assert "--only-binary :all:" in options, options
            assert "--no-binary" not in options, options
        else:
            assert "--no-build-isolation" in options, options
