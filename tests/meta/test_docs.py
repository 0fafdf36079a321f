"""The documentation is a product: its links lead somewhere, its examples parse, its generated pages are up to date."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
import shlex
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final
from urllib.parse import unquote

import pytest
import typer
import yaml

from finops.crds.action_request import ActionRequest
from finops.crds.approval import Approval
from finops.crds.aws_account import AwsAccount
from finops.crds.budget import Budget
from finops.crds.part import API_VERSION, Kind
from finops.crds.policy_actions import Mode
from finops.crds.scan_policy import ScanPolicy
from finops.domain.decision import State
from finops_operator.aws.errors import CREDENTIALS, DENIED, REGION_DISABLED
from finops_operator.cli.main import application
from finops_operator.plugins.loaded import plugins
from finops_operator.rules.due import next_run
from finops_operator.scan.check import CheckSetting, enabled_checks
from finops_operator.scan.custom.checks import Catalog, custom_checks

ROOT: Final = Path(__file__).resolve().parents[2]
PAGES: Final = sorted((*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")))
KINDS: Final[dict[str, type[Kind]]] = {
    kind.crd.kind: kind for kind in (ScanPolicy, AwsAccount, ActionRequest, Approval, Budget)
}
FENCE: Final = re.compile(r"^```(?P<language>[a-z]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK: Final = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")
MACHINE: Final = re.compile(r"(?<![\w.])/(?:work|tmp|home|root|Users)/")
PLUGINS: Final = plugins()
NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def prose_of(path: Path) -> str:
    return re.sub(r"`[^`\n]+`", "", FENCE.sub("", text_of(path)))


def anchors_of(path: Path) -> set[str]:
    """The anchors that GitHub makes of headings."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text_of(path)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


def yaml_documents() -> Iterator[tuple[str, dict[str, Any]]]:
    sources = [
        (name_of(page), m["body"]) for page in PAGES for m in FENCE.finditer(text_of(page)) if m["language"] == "yaml"
    ]
    sources += [(name_of(path), text_of(path)) for path in sorted((ROOT / "docs").rglob("*.yaml"))]
    for where, body in sources:
        for document in yaml.safe_load_all(body):
            if isinstance(document, dict) and document.get("apiVersion") == API_VERSION:
                yield f"{where}:{document['kind']}/{document['metadata']['name']}", document


EXAMPLES: Final = list(yaml_documents())


def fenced(page: Path) -> str:
    """The blocks of a page that people paste into a shell."""
    return "\n".join(match["body"] for match in FENCE.finditer(text_of(page)) if match["language"] == "")


def command_lines() -> list[tuple[str, str, bool]]:
    """Every `finops …` in a block, where it must be whole, and in prose, where it may lack what it needs."""
    found = []
    for page in PAGES:
        if page.name == "commands.md":
            continue
        blocks = re.findall(r"(?:^|-- )finops ([a-z][^>|#\n]*)", fenced(page), re.MULTILINE)
        inline = re.findall(r"`finops ([a-z][^`\n]*)`", FENCE.sub("", text_of(page)))
        found += [(name_of(page), line.strip(), True) for line in blocks]
        found += [(name_of(page), line.strip(), False) for line in inline]
    return found


@cache
def build_docs() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_docs", ROOT / "tools" / "build_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def built_pages() -> dict[str, str]:
    pages: dict[str, str] = build_docs().build()
    return pages


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_to_a_file_and_a_heading_that_exist(page: Path) -> None:
    for match in LINK.finditer(prose_of(page)):
        target = match["target"]
        if re.match(r"[a-z]+:", target):
            assert target.startswith("https://"), target
            continue
        file, _, anchor = unquote(target).partition("#")
        where = (page.parent / file).resolve() if file else page
        assert where.exists(), f"{name_of(page)} links to {target}"
        assert where.is_relative_to(ROOT), f"{name_of(page)} links out of the project: {target}"
        if anchor:
            assert anchor in anchors_of(where), f"{name_of(page)} links to {target}, which has no such heading"


@pytest.mark.parametrize("path", sorted(build_docs().PAGES))
def test_a_generated_page_says_what_the_code_says(path: str) -> None:
    wanted = built_pages()[path]
    assert text_of(ROOT / path) == wanted, f"{path} is older than the code: run make generate"


def test_every_plug_in_has_its_heading() -> None:
    assert set(PLUGINS.checks) <= anchors_of(ROOT / "docs/checks.md")
    assert set(PLUGINS.actions) <= anchors_of(ROOT / "docs/actions.md")
    permissions = text_of(ROOT / "docs/permissions.md")
    for kind in PLUGINS.kinds:
        assert f"`{kind}`" in permissions


def test_every_state_of_a_request_is_explained() -> None:
    glossary = text_of(ROOT / "docs/glossary.md")
    for state in State:
        assert f"\n| {state.value} | " in glossary


@pytest.mark.parametrize(("where", "document"), EXAMPLES, ids=[where for where, _ in EXAMPLES])
def test_an_example_is_an_object_that_the_product_takes(where: str, document: dict[str, Any]) -> None:
    parsed = KINDS[document["kind"]].from_object(document)
    if isinstance(parsed, ScanPolicy):
        spec = parsed.spec
        enabled_checks(PLUGINS.checks, [CheckSetting(one.id, one.enabled, one.parameters) for one in spec.checks])
        custom_checks(spec.custom_checks, Catalog(PLUGINS.kinds, PLUGINS.checks, PLUGINS.actions))
        assert set(spec.actions.allowed) <= set(PLUGINS.actions)
        for schedule, zone in [(spec.schedule, spec.time_zone)] + [
            (w.schedule, w.time_zone) for w in spec.actions.windows
        ]:
            assert next_run(schedule, zone, NOW) > NOW, where


def test_the_policy_page_shows_every_field_of_a_policy() -> None:
    shown: set[str] = set()
    for where, document in EXAMPLES:
        if where.startswith("docs/policy.md"):
            shown |= field_paths(document["spec"], "spec")
    assert field_paths_of_schema() - shown == set()


def field_paths(value: Any, path: str) -> set[str]:
    if isinstance(value, dict):
        free = path.endswith(("Tags", "parameters"))
        return {path}.union(*(field_paths(inner, path if free else f"{path}.{key}") for key, inner in value.items()))
    if isinstance(value, list):
        return {path}.union(*(field_paths(inner, path) for inner in value))
    return {path}


def field_paths_of_schema() -> set[str]:
    definition = yaml.safe_load(text_of(ROOT / "crds/scanpolicies.yaml"))
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return schema_paths(schema, "spec")


def schema_paths(schema: dict[str, Any], path: str) -> set[str]:
    inner = schema.get("items", schema)
    return {path}.union(*(schema_paths(child, f"{path}.{name}") for name, child in inner.get("properties", {}).items()))


def test_the_readme_begins_with_two_commands_that_the_makefile_has() -> None:
    readme, makefile = text_of(ROOT / "README.md"), text_of(ROOT / "Makefile")
    first = next(FENCE.finditer(readme))
    assert re.findall(r"^(make \w+)", first["body"], re.MULTILINE) == ["make demo", "make test"]
    assert first.start() < readme.index("\n## ")
    for page in PAGES:
        for target in re.findall(
            r"^make ([\w-]+)", "".join(m["body"] for m in FENCE.finditer(text_of(page))), re.MULTILINE
        ):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"{name_of(page)} names make {target}"


@pytest.mark.parametrize(("where", "line", "whole"), command_lines(), ids=lambda text: str(text)[:60])
def test_a_command_line_in_the_docs_is_one_that_the_program_takes(where: str, line: str, *, whole: bool) -> None:
    words = shlex.split(line)
    command: Any = typer.main.get_command(application([]))
    while getattr(command, "commands", None):
        assert words, f"{where}: {line}"
        assert words[0] in command.commands, f"{where}: finops {line}"
        command = command.commands[words.pop(0)]
    # Parses as the program would, and raises a usage error that names what is wrong.
    command.make_context("finops", words, resilient_parsing=not whole)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_names_no_path_of_a_machine(page: Path) -> None:
    assert MACHINE.search(text_of(page)) is None


def test_every_test_file_and_source_file_that_the_docs_name_exists() -> None:
    for page in PAGES:
        for path in re.findall(r"`((?:tests|operator|slackbot|charts|tools|locks|crds)/[\w./-]+)`", text_of(page)):
            # Words in capitals stand for a name of one's own.
            named = ROOT / re.sub(r"/[\w-]*[A-Z]{2,}.*$", "", path)
            assert named.exists(), f"{name_of(page)} names {path}"


def test_chart_values_in_the_docs_exist() -> None:
    values = yaml.safe_load(text_of(ROOT / "charts/finops-operator/values.yaml"))
    for page in PAGES:
        for path in re.findall(r"--set(?:-string)? '?([a-z][\w.]*?)(?:\.annotations[^=]*)?=", fenced(page)):
            found: Any = values
            for key in path.split("."):
                assert isinstance(found, dict), f"{name_of(page)}: {path}"
                assert key in found, f"{name_of(page)}: {path}"
                found = found[key]


def test_every_code_of_an_identity_a_right_or_a_region_is_explained() -> None:
    page = text_of(ROOT / "docs/operations.md")
    own = set(re.findall(r'code = "(\w+)"', text_of(ROOT / "operator/finops_operator/scan/discover.py")))
    assert own
    for code in own | CREDENTIALS | DENIED | REGION_DISABLED:
        assert re.search(rf"^\| [^|]*`{code}`", page, re.MULTILINE), code


def test_where_a_page_names_the_plug_in_of_kubectl_it_says_where_to_get_it() -> None:
    elsewhere = {"docs/install.md", "docs/commands.md", "CHANGELOG.md"}
    for page in PAGES:
        if "kubectl finops" in text_of(page) and name_of(page) not in elsewhere:
            assert "install.md#the-command-for-approvers)" in text_of(page), name_of(page)
    assert "bin/kubectl-finops" in fenced(ROOT / "docs/install.md")


def test_the_guide_to_slack_begins_a_search_for_errors_where_they_are_shown() -> None:
    search = text_of(ROOT / "docs/slack-setup.md").partition("## When something does not work")[2]
    assert "-- finops doctor\n" in search.partition("\n| ")[0]


def test_an_upgrade_takes_the_defaults_of_the_new_chart() -> None:
    for page in PAGES:
        for command in re.findall(r"helm upgrade (?:.*\\\n)*.*", fenced(page)):
            assert "--reset-then-reuse-values" in command, f"{name_of(page)}: {command}"


def test_every_dependency_is_explained() -> None:
    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]
    wanted = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    page = text_of(ROOT / "docs/dependencies.md")
    for requirement in wanted:
        name = re.split(r"[\[<>=!~ ]", requirement)[0]
        if name != project["name"]:
            assert re.search(rf"^\| .*\b{re.escape(name)}\b", page, re.MULTILINE), f"{name} is not explained"


def test_every_guide_is_linked_from_a_page_that_is_no_guide() -> None:
    guides = {path.resolve() for path in (ROOT / "docs/how-to").glob("*.md")}
    assert guides
    linked = {
        (page.parent / match["target"].partition("#")[0]).resolve()
        for page in PAGES
        if page.resolve() not in guides
        for match in LINK.finditer(text_of(page))
    }
    assert guides - linked == set()


def test_every_decision_record_is_in_the_list_and_names_context_decision_and_costs() -> None:
    listed = text_of(ROOT / "docs/adr/README.md")
    for record in sorted((ROOT / "docs/adr").glob("0*.md")):
        text = text_of(record)
        assert f"]({record.name})" in listed
        assert text.startswith(f"# {record.name[:4]} ")
        assert [f"**{part}.**" in text for part in ("Context", "Decision", "Costs")] == [True] * 3


def test_modes_of_a_policy_are_explained() -> None:
    page = text_of(ROOT / "docs/policy.md")
    assert all(mode.value in page for mode in Mode)


def test_the_licence_is_the_whole_apache_licence() -> None:
    text = text_of(ROOT / "LICENSE")
    assert text.lstrip().startswith("Apache License\n                           Version 2.0, January 2004")
    assert "END OF TERMS AND CONDITIONS" in text


@pytest.mark.parametrize(("page", "folder"), [("actions", "actions"), ("checks", "checks")])
def test_each_section_begins_with_the_docstring_of_its_own_file(page: str, folder: str) -> None:
    text = text_of(ROOT / "docs" / f"{page}.md")
    files = sorted((ROOT / "operator/finops_operator/services").glob(f"*/{folder}/*.py"))
    for path in (one for one in files if one.stem != "__init__"):
        story = inspect.cleandoc(ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "")
        section = text.partition(f"\n## {path.stem}\n")[2].partition("\n## ")[0]
        assert story, path.stem
        assert story in section, path.stem
