"""The registry on packages made for the test: exactly one typed constant per file, named after it, or no start."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from finops_operator.plugins.registry import BrokenPlugin, load, load_services


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


def test_a_file_without_a_plugin_stops_the_start(package: Path) -> None:
    write(package, "reading", "")
    assert "must export exactly PLUG: Plug, it exports nothing" in broken(package)


def service(package: Path, name: str, folder: str = "") -> Path:
    place = package / name / folder
    place.mkdir(parents=True)
    for one in {package / name, place}:
        (one / "__init__.py").write_text("")
    return place


def test_the_files_of_all_services_are_found_and_may_leave_out_the_first_words_of_the_id(package: Path) -> None:
    write(service(package, "ec2"), "volume", "PLUG = Plug('ebs-volume')")
    write(service(package, "rds"), "instance", "PLUG = Plug('rds-instance')")
    write(service(package, "s3", "checks"), "s3_bucket_idle", "PLUG = Plug('s3_bucket_idle')")
    assert list(load_services(package.name, "", "PLUG", Plug)) == ["ebs-volume", "rds-instance"]
    assert list(load_services(package.name, "checks", "PLUG", Plug)) == ["s3_bucket_idle"]


@pytest.mark.parametrize(("folder", "file"), [("", "olume"), ("checks", "volume")])
def test_an_id_that_does_not_end_with_whole_words_of_the_file_stops_the_start(
    package: Path, folder: str, file: str
) -> None:
    write(service(package, "ec2", folder), file, "PLUG = Plug('ebs-volume')")
    with pytest.raises(BrokenPlugin, match="is not the file's name"):
        load_services(package.name, folder, "PLUG", Plug)


def test_one_id_in_two_services_stops_the_start(package: Path) -> None:
    write(service(package, "ec2"), "volume", "PLUG = Plug('ebs-volume')")
    write(service(package, "ebs"), "volume", "PLUG = Plug('ebs-volume')")
    with pytest.raises(BrokenPlugin, match="id 'ebs-volume' exists already"):
        load_services(package.name, "", "PLUG", Plug)


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
