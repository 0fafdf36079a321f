"""No class with more than 15 methods or 10 fields: what is larger does more than one thing.

A record is exempt from the limit of fields: a frozen dataclass, an object of the API, the settings. Its fields are the
columns of something outside the code (a report, a plug-in's declaration, AWS's facts of an instance), so that their
number is not ours to choose; grouping them would only hide the shape. Records are held to the limit of methods like all
others.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
SOURCES: Final = tuple(
    path for folder in ("operator", "slackbot") for path in sorted((ROOT / folder).rglob("*.py")) if path.is_file()
)
MOST_METHODS: Final = 15
MOST_FIELDS: Final = 10
API_OBJECTS: Final = frozenset({"Part", "Crd", "BaseModel", "BaseSettings", "PushedFields"})


def sizes(path: Path) -> Iterator[tuple[str, int, int]]:
    """Yield name, methods and fields of every class; the fields of a record count as none."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef):
            methods = [one for one in node.body if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef))]
            fields = 0 if is_record(node) else len(set(declared(node)) | set(assigned(methods)))
            yield f"{path.relative_to(ROOT).as_posix().partition('/')[2]}:{node.name}", len(methods), fields


def is_record(node: ast.ClassDef) -> bool:
    frozen = any("frozen=True" in ast.unparse(one) for one in node.decorator_list)
    return frozen or any(ast.unparse(base).partition("[")[0] in API_OBJECTS for base in node.bases)


def declared(node: ast.ClassDef) -> Iterator[str]:
    for one in node.body:
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name):
            yield one.target.id


def assigned(methods: list[ast.FunctionDef | ast.AsyncFunctionDef]) -> Iterator[str]:
    """Yield what `__init__` sets on the object."""
    for method in methods:
        for inner in ast.walk(method):
            if method.name == "__init__" and isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Store):
                yield inner.attr


@cache
def found() -> dict[str, tuple[int, int]]:
    """Return methods and fields of every class."""
    return {name: (methods, fields) for path in SOURCES for name, methods, fields in sizes(path)}


def test_no_class_is_too_large() -> None:
    large = {name: size for name, size in found().items() if size[0] > MOST_METHODS or size[1] > MOST_FIELDS}
    assert large == {}


def test_the_rule_reads_classes_with_their_methods_and_fields() -> None:
    assert len(found()) > 300
    assert any(methods > 10 for methods, _ in found().values())
    assert any(fields > 5 for _, fields in found().values())
