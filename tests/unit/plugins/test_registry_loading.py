"""The registry on packages made for the test: exactly one typed constant per file, named after it, or no start."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from finops_operator.registry import BrokenPlugin, load


@dataclass(frozen=True)
class Plug:
    id: str


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    name = f"plugins_of_{abs(hash(str(tmp_path)))}"
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(sys.modules, "plug_of_the_test", sys.modules[Plug.__module__])
    yield folder
    for module in [key for key in sys.modules if key.split(".")[0] == name]:
        del sys.modules[module]


def write(package: Path, file: str, body: str) -> None:
    head = "from plug_of_the_test import Plug\n"
    (package / f"{file}.py").write_text(head + textwrap.dedent(body))


def broken(package: Path) -> str:
    with pytest.raises(BrokenPlugin) as caught:
        load(package.name, "PLUG", Plug)
    return str(caught.value)


def test_every_file_gives_its_constant_by_id_in_order(package: Path) -> None:
    write(package, "ebs_volume", "PLUG = Plug('ebs-volume')")
    write(package, "alb", "PLUG = Plug('alb')")
    (package / "nested").mkdir()
    (package / "nested" / "__init__.py").write_text("")
    assert list(load(package.name, "PLUG", Plug)) == ["alb", "ebs-volume"]


def test_files_that_are_no_plugins_are_named_by_the_caller(package: Path) -> None:
    write(package, "alb", "PLUG = Plug('alb')")
    write(package, "reading", "")
    assert list(load(package.name, "PLUG", Plug, ignore=frozenset({"reading"}))) == ["alb"]
    assert "must export exactly PLUG: Plug, it exports nothing" in broken(package)


def test_an_id_that_is_not_the_files_name_stops_the_start(package: Path) -> None:
    write(package, "alb", "PLUG = Plug('nlb')")
    assert "id 'nlb' is not the file's name" in broken(package)


def test_two_constants_in_one_file_stop_the_start(package: Path) -> None:
    write(package, "alb", "PLUG = Plug('alb')\nOTHER = Plug('alb')")
    assert "it exports OTHER, PLUG" in broken(package)


def test_a_constant_of_another_type_stops_the_start(package: Path) -> None:
    write(package, "alb", "PLUG = 'alb'")
    assert "it exports nothing" in broken(package)


@pytest.mark.parametrize("body", ["def (", "import nowhere_to_be_found", "1 / undefined", "{}['x']"])
def test_a_file_that_does_not_load_stops_the_start_with_its_name(package: Path, body: str) -> None:
    (package / "alb.py").write_text(body)
    assert f"{package.name}.alb does not load" in broken(package)
