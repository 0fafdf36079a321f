"""The words that the product does not use (docs/glossary.md) stay out of what users and developers read.

Every text constant of the programs and tools counts that is a phrase (cards, messages, conditions, events, options,
logs), and every page of the documentation, the chart's values and templates and the dashboard's pages included; and, of
the code, all names, docstrings and comments; of a test, its name. A name is searched word by word: `lookAgain`,
`look_again` and `look again` are one phrase.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PROGRAMS: Final = (
    "operator/finops",
    "operator/finops_operator",
    "operator/finops_sandbox",
    "operator/finops_web",
    "slackbot/finops_slackbot",
    "tools",
)
CODE: Final = (*PROGRAMS, "tests/support")
PAGES: Final = (
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted(ROOT.glob("*.md")),
    ROOT / "charts/finops-operator/values.yaml",
    *(path for path in sorted((ROOT / "charts/finops-operator/templates").rglob("*")) if path.is_file()),
    *(path for path in sorted((ROOT / "operator/finops_web").rglob("*")) if path.suffix in {".html", ".js"}),
)
BANNED: Final = re.compile(
    r"\b(tells?|told|telling|hears?|heard|hearing|look(s|ed|ing)?|silence[ds]?|silent(ly)?|mend(s|ed|ing)?"
    r"|bill(s|ed)? on|way back|for good"
    r"|something twice|a text in quotes|is no text|cannot be asked)\b",
    re.IGNORECASE,
)
_BOUNDARY: Final = re.compile(r"_+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
ALLOWED: Final = {
    ("docs/glossary.md", "not our words"): "the list itself",
}
"""(file, part of the line) → why the word is right there."""


def phrases(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the text constants of a module that are phrases or parts of one, docstrings left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) and id(node) not in docs else None
        if isinstance(node, ast.Constant) and isinstance(text, str) and " " in text:
            yield node.lineno, text


def code_words(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the names, docstrings and comments of a module, the words of a name apart, and the name of its file."""
    text = path.read_text(encoding="utf-8")
    yield 1, _words(path.stem)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NAME:
            yield token.start[0], _words(token.string)
        elif token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            for offset, line in enumerate(node.value.value.splitlines()):
                yield node.lineno + offset, " ".join(map(_words, line.split()))


def names_of_tests(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the names of the tests of a module: the sentences that describe the product."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_"):
            yield node.lineno, _words(node.name)


def _words(name: str) -> str:
    return _BOUNDARY.sub(" ", name)


def found_in(place: str, texts: Iterator[tuple[int, str]]) -> list[str]:
    """Return what is banned there, with file and line."""
    return [
        f"{place}:{line}: {match[0]!r} in {text.strip()[:120]!r}"
        for line, text in texts
        if (match := BANNED.search(text)) and not any(place == file and part in text for file, part in ALLOWED)
    ]


@pytest.mark.parametrize("program", PROGRAMS)
def test_no_text_of_the_programs_has_a_word_that_is_not_ours(program: str) -> None:
    modules = sorted((ROOT / program).rglob("*.py"))
    assert modules
    found = [line for path in modules for line in found_in(str(path.relative_to(ROOT)), phrases(path))]
    assert found == []


@pytest.mark.parametrize("root", CODE)
def test_no_name_docstring_or_comment_has_a_word_that_is_not_ours(root: str) -> None:
    modules = sorted((ROOT / root).rglob("*.py"))
    assert modules
    found = [line for path in modules for line in found_in(str(path.relative_to(ROOT)), code_words(path))]
    assert found == []


def test_no_name_of_a_test_has_a_word_that_is_not_ours() -> None:
    modules = sorted((ROOT / "tests").rglob("test_*.py"))
    assert len(modules) > 100
    found = [line for path in modules for line in found_in(str(path.relative_to(ROOT)), names_of_tests(path))]
    assert found == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_of_the_documentation_has_a_word_that_is_not_ours(page: Path) -> None:
    lines = enumerate(page.read_text(encoding="utf-8").splitlines(), start=1)
    assert found_in(str(page.relative_to(ROOT)), iter(lines)) == []


def test_the_search_finds_a_word_in_a_message_and_passes_docstrings(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(
        '"""Told here."""\nMESSAGE = f"{1} was told to wait"\nLABEL = f"Look: {1}"\nKEY = "told"\n', encoding="utf-8"
    )
    assert found_in("module.py", phrases(module)) == [
        "module.py:2: 'told' in 'was told to wait'",
        "module.py:3: 'Look' in 'Look:'",
    ]


def test_the_search_finds_words_inside_names_and_in_every_line_of_a_docstring(tmp_path: Path) -> None:
    module = tmp_path / "tell_people.py"
    module.write_text(
        '"""Shows.\n\nSee `look_again`.\n"""\nOutlook = recommend = 1\nlookAgain = _LOOK = 2  # told\nKEY = "told"\n',
        encoding="utf-8",
    )
    found = {tuple(line.split(": ")[:2]) for line in found_in("m.py", code_words(module))}
    assert found == {
        ("m.py:1", "'tell' in 'tell people'"),
        ("m.py:3", "'look' in 'See `look again`.'"),
        ("m.py:6", "'look' in 'look Again'"),
        ("m.py:6", "'LOOK' in 'LOOK'"),
        ("m.py:6", "'told' in '# told'"),
    }


def test_the_search_finds_a_word_in_the_name_of_a_test_and_passes_its_body(tmp_path: Path) -> None:
    module = tmp_path / "test_module.py"
    module.write_text(
        "def test_people_are_told() -> None:\n    told = 1\n\n\ndef tell() -> None: ...\n", encoding="utf-8"
    )
    assert found_in("m.py", names_of_tests(module)) == ["m.py:1: 'told' in 'test people are told'"]
