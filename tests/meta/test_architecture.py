"""The shape of the house: sizes, names, edges, and which program can be started without what."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from finops_operator.killpoint import ACT_KILL_POINTS

ROOT: Final = Path(__file__).resolve().parents[2]
SOURCES: Final = sorted(path for root in ("operator", "slackbot", "tools") for path in (ROOT / root).rglob("*.py"))
TESTS: Final = sorted((ROOT / "tests").rglob("*.py"))
SERVICES: Final = "operator/finops_operator/services"
PLUGIN_FOLDERS: Final = {
    "operator/finops_operator/cli/commands": "",
    "operator/finops_operator/cluster/handlers": "",
    **{
        path.relative_to(ROOT).as_posix(): f"tests/unit/services/{path.relative_to(ROOT / SERVICES).as_posix()}"
        for folder in ("*", "*/checks", "*/actions")
        for path in sorted((ROOT / SERVICES).glob(folder))
        if (path / "__init__.py").is_file() and path.name not in {"rules", "sizing"}
    },
}
"""Folders in which each file is one plug-in → where its tests are, empty for those tested through the programs."""

LONGEST_FILE: Final = 500
LONGEST_FUNCTION: Final = 50
GRAB_BAGS: Final = frozenset({"utils", "util", "helpers", "helper", "common", "misc", "base"})
EDGES: Final = {
    "operator/finops_operator/background.py": "one defect must not stop the rest; a loop that dies ends the process",
    "operator/finops_sandbox/demo/run.py": "of errors that came together a person reads the first",
}
"""Where everything may be caught, and why."""
ALL: Final = frozenset({"Exception", "BaseException", "ExceptionGroup", "BaseExceptionGroup"})


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def plugin_files(folder: str) -> list[Path]:
    return [path for path in sorted((ROOT / folder).glob("*.py")) if path.stem != "__init__"]


def test_the_source_root_named_operator_is_no_package() -> None:
    # It would hide the standard library's module; the file is looked for, because some interpreters hide the damage.
    assert not (ROOT / "operator" / "__init__.py").exists()
    assert not (ROOT / "slackbot" / "__init__.py").exists()


ROOMS: Final = ROOT / "operator" / "finops_operator"
ENTRY_POINTS: Final = {
    "__init__": "the package",
    "__main__": "the operator's program",
    "bootstrap": "puts the operator together",
    "background": "what runs beside the event loop, and where its defects are caught",
    "scan_pod": "one pod of a scan, without the cluster",
    "store_users": "writes the access list of the store's users",
    "killpoint": "boundaries at which a test may kill the process",
    "make_secrets": "the program that makes the chart's secrets",
    "telemetry": "the operator's metrics",
}
"""The only modules outside a room."""


def test_every_module_of_the_operator_is_in_a_room() -> None:
    assert {path.stem for path in ROOMS.glob("*.py")} == set(ENTRY_POINTS)


def test_every_room_says_what_it_is_for_where_its_imports_are_ruled() -> None:
    rooms = {path.parent.name for path in ROOMS.glob("*/__init__.py")}
    text = (ROOT / ".importlinter").read_text(encoding="utf-8")
    meant = dict(re.findall(r"^; room (\w+): (.+)$", text, re.MULTILINE))
    assert meant.keys() == rooms
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for room, meaning in meant.items():
        assert f"| `{room}` | {meaning} |" in page


def test_every_boundary_of_an_act_is_in_the_list_that_the_kill_tests_walk() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOMS / "acts").glob("*.py")))
    named = set(re.findall(r'passage\(\s*"([^"]+)"', source))
    assert named == {point for point in ACT_KILL_POINTS if not point.startswith("ledger.")}


def test_no_test_folder_is_named_like_a_source_root_or_is_a_package() -> None:
    assert not [name_of(path) for path in (ROOT / "tests").rglob("operator")]
    assert not [name_of(path) for path in (ROOT / "tests").rglob("__init__.py")]


def test_test_files_have_names_of_their_own() -> None:
    seen: dict[str, Path] = {}
    for path in TESTS:
        if path.stem != "conftest":
            assert path.name not in seen, f"{name_of(path)} and {name_of(seen[path.name])}"
            seen[path.name] = path


def test_no_module_is_a_grab_bag() -> None:
    assert not [name_of(path) for path in SOURCES if path.stem in GRAB_BAGS or path.parent.name in GRAB_BAGS]


def test_files_are_short_enough_to_be_read() -> None:
    long = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in (*SOURCES, *TESTS)}
    assert {name: lines for name, lines in long.items() if lines > LONGEST_FILE} == {}


def test_functions_are_short_enough_to_be_seen_whole() -> None:
    assert [found for path in SOURCES for found in long_functions(path)] == []


def long_functions(path: Path) -> Iterator[str]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > LONGEST_FUNCTION:
                yield f"{name_of(path)}: {node.name} has {lines} lines"


def test_everything_is_caught_at_the_edges_only() -> None:
    found = {name_of(path) for path in SOURCES if any(catches_everything(node) for node in ast.walk(tree_of(path)))}
    assert found == set(EDGES)


def catches_everything(node: ast.AST) -> bool:
    match node:
        case ast.ExceptHandler(type=None):
            return True
        case ast.ExceptHandler(type=ast.Tuple(elts=caught)):
            pass
        case ast.ExceptHandler(type=ast.expr() as one):
            caught = [one]
        case ast.Call(func=ast.Name(id="suppress") | ast.Attribute(attr="suppress"), args=caught):
            pass
        case _:
            return False
    return any(isinstance(one, ast.Name | ast.Attribute) and ast.unparse(one).split(".")[-1] in ALL for one in caught)


@pytest.mark.parametrize(
    "line",
    [
        "try: pass\nexcept: pass",
        "try: pass\nexcept Exception as error: pass",
        "try: pass\nexcept (ValueError, builtins.BaseException): pass",
        "try: pass\nexcept* Exception: pass",
        "with contextlib.suppress(Exception): pass",
        "with suppress(OSError, BaseException): pass",
    ],
)
def test_every_way_to_catch_everything_is_seen(line: str) -> None:
    assert any(catches_everything(node) for node in ast.walk(ast.parse(line)))


def test_every_module_says_why_it_exists() -> None:
    silent = [name_of(path) for path in SOURCES if not ast.get_docstring(tree_of(path))]
    assert silent == []


def test_nothing_is_left_for_later_in_the_code() -> None:
    words = ("TO" + "DO", "FIX" + "ME", "raise NotImplemented" + "Error", "x" + "fail(", "pytest.sk" + "ip")
    found = [
        f"{name_of(path)}: {word}"
        for path in (*SOURCES, *TESTS)
        for word in words
        if word in path.read_text(encoding="utf-8")
    ]
    assert found == []


def test_no_source_names_a_path_of_the_machine_it_was_written_on() -> None:
    places = ("/wo" + "rk/", "/ho" + "me/", "/Us" + "ers/")
    found = [name_of(path) for path in (*SOURCES, *TESTS) for place in places if place in path.read_text("utf-8")]
    assert found == []


@pytest.mark.parametrize(("folder", "tests"), [pair for pair in PLUGIN_FOLDERS.items() if pair[1]])
def test_a_plug_in_is_tested(folder: str, tests: str) -> None:
    told = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / tests).glob("*.py")))
    missing = []
    for path in plugin_files(folder):
        has_file = (ROOT / tests / f"test_{path.stem}.py").is_file()
        if not has_file and (folder.endswith("checks") or path.stem not in told):
            missing.append(name_of(path))
    assert missing == []


@pytest.mark.parametrize(
    ("program", "without"),
    [
        (
            "finops_slackbot.bootstrap",
            ("boto3", "botocore", "kopf", "finops_operator", "finops_sandbox", "typer", "moto"),
        ),
        (
            "finops_operator.bootstrap",
            ("slack_bolt", "slack_sdk", "finops_slackbot", "finops_sandbox", "moto", "celpy"),
        ),
        ("finops.audit_verify", ("finops.domain", "finops.store", "redis", "pydantic", "kubernetes")),
        ("finops.domain.next_move", ("redis", "pydantic", "kubernetes", "yaml", "boto3", "kopf", "slack_sdk")),
    ],
)
def test_a_program_starts_without_what_its_image_does_not_have(program: str, without: tuple[str, ...]) -> None:
    code = (
        "import sys\n"
        f"for name in {without!r}: sys.modules[name] = None\n"
        f"import importlib; importlib.import_module({program!r})\n"
        "import operator; assert operator.attrgetter\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr


def test_nothing_happens_when_the_programs_are_imported() -> None:
    """No client, no thread, no configuration: an import must not need the world."""
    code = (
        "import os, socket, sys, threading\n"
        "os.environ.clear()\n"
        "def refuse(*_, **__): raise AssertionError('a connection at import')\n"
        "socket.socket.connect = refuse\n"
        "import finops_operator.bootstrap, finops_slackbot.bootstrap, finops_operator.cli.main\n"
        "assert threading.active_count() == 1, threading.enumerate()\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr


def test_the_verifier_imports_nothing_but_the_standard_library_itself_and_one_library_for_signatures() -> None:
    folder = ROOT / "operator/finops/audit_verify"
    modules = sorted(folder.glob("*.py"))
    assert modules
    for path in modules:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0
                names.append(node.module or "")
            for name in names:
                top = name.split(".")[0]
                of_signatures = path.stem == "signatures" and top == "cryptography"
                assert name.startswith("finops.audit_verify") or top in sys.stdlib_module_names or of_signatures, name
