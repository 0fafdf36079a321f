"""Workflows, templates, hooks and the gate's own programs, checked before anybody depends on them."""

from __future__ import annotations

import configparser
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

ROOT: Final = Path(__file__).resolve().parents[2]
GITHUB: Final = ROOT / ".github"
WORKFLOWS: Final = sorted((GITHUB / "workflows").glob("*.yml"))
SCHEMAS: Final = (
    *((path, "vendor.github-workflows") for path in WORKFLOWS),
    *((path, "custom.github-workflows-require-timeout") for path in WORKFLOWS),
    (GITHUB / "dependabot.yml", "vendor.dependabot"),
    (GITHUB / "ISSUE_TEMPLATE" / "config.yml", "vendor.github-issue-config"),
    *(
        (path, "vendor.github-issue-forms")
        for path in sorted((GITHUB / "ISSUE_TEMPLATE").glob("*.yml"))
        if path.name != "config.yml"
    ),
)


def linted(path: Path, schema: str) -> subprocess.CompletedProcess[str]:
    """Hold a file against a schema that comes with the linter: nothing is fetched."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)


@pytest.mark.parametrize(("path", "schema"), SCHEMAS, ids=lambda value: getattr(value, "name", value))
def test_every_file_for_github_follows_its_published_schema(path: Path, schema: str) -> None:
    done = linted(path, schema)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_workflow_with_a_mistake_is_refused(tmp_path: Path) -> None:
    text = (GITHUB / "workflows" / "ci.yml").read_text(encoding="utf-8")
    broken = tmp_path / "ci.yml"
    broken.write_text(text.replace("runs-on:", "run-on:", 1), encoding="utf-8")
    assert linted(broken, "vendor.github-workflows").returncode == 1


def document(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def steps(path: Path) -> Iterator[dict[str, Any]]:
    for job in document(path)["jobs"].values():
        yield from job["steps"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit_and_name_their_version(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    lines = re.findall(r"^ *(?:- )?uses: (.+)$", text, re.MULTILINE)
    assert lines
    for line in lines:
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_one_action_has_one_pin_in_all_workflows() -> None:
    pins: dict[str, set[str]] = {}
    for path in WORKFLOWS:
        for step in steps(path):
            action, _, commit = step.get("uses", "").partition("@")
            pins.setdefault(action, set()).add(commit)
    assert [action for action, commits in pins.items() if len(commits) > 1] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_may_only_read_unless_a_job_says_otherwise(path: Path) -> None:
    workflow = document(path)
    assert workflow["permissions"] == {"contents": "read"}
    # YAML 1.1 reads the key `on` as true; pull_request_target would run a stranger's code with our rights.
    assert "pull_request_target" not in workflow[True]
    for step in steps(path):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False
        assert "${{" not in step.get("run", ""), "a value belongs into env, where a shell cannot take it for a command"


def test_ci_runs_the_targets_that_a_contributor_runs() -> None:
    targets = set(re.findall(r"^([a-z0-9]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    used = {
        target
        for path in (*WORKFLOWS, ROOT / ".ci" / "run")
        for target in re.findall(r"\bmake (?:--\S+ )?([a-z0-9]+)", path.read_text(encoding="utf-8"))
    }
    assert used <= targets
    assert {"install", "check", "test"} <= used


def test_the_gate_runs_every_suite_of_make_test() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    prerequisites = re.search(r"^test: ([a-z0-9 ]+) ##", makefile, re.MULTILINE)
    suites = re.findall(r"\bsuite ([a-z0-9]+) \|\|", (ROOT / ".ci/run").read_text(encoding="utf-8"))
    assert prerequisites is not None
    assert sorted(suites) == sorted([*prerequisites[1].split(), "e2e"])


def test_the_release_signs_what_it_pushes_and_publishes_without_a_password() -> None:
    jobs = document(GITHUB / "workflows" / "release.yml")["jobs"]
    build = next(step["with"] for step in jobs["images"]["steps"] if "build-push-action" in step.get("uses", ""))
    assert build["sbom"] is True
    assert build["provenance"] == "mode=max"
    for name in ("images", "chart"):
        assert jobs[name]["permissions"]["id-token"] == "write"
        assert any("cosign sign --yes" in step.get("run", "") for step in jobs[name]["steps"]), name
    assert jobs["pypi"]["permissions"] == {"id-token": "write"}
    assert "secrets." not in (GITHUB / "workflows" / "release.yml").read_text(encoding="utf-8")
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    for target in jobs["images"]["strategy"]["matrix"]["target"]:
        assert re.search(rf" AS {target}$", dockerfile, re.MULTILINE)


def test_hooks_use_the_programs_of_the_locked_environment() -> None:
    repositories = document(ROOT / ".pre-commit-config.yaml")["repos"]
    assert [one["repo"] for one in repositories] == ["local"]
    hooks = repositories[0]["hooks"]
    assert len({hook["id"] for hook in hooks}) == len(hooks) >= 5
    for hook in hooks:
        program = hook["entry"].split()[0]
        assert hook["language"] == "system"
        assert program.startswith(".venv/bin/")
        assert (Path(sys.executable).parent / Path(program).name).exists(), program


def test_code_owners_name_nobody_and_only_paths_that_exist() -> None:
    lines = (GITHUB / "CODEOWNERS").read_text(encoding="utf-8").splitlines()
    assert all(line.startswith("#") for line in lines)
    paths = [word for line in lines for word in re.findall(r" /([\w./]+)/", line)]
    assert len(paths) >= 6
    assert [path for path in paths if not (ROOT / path).is_dir()] == []


def test_dependabot_updates_folders_that_exist() -> None:
    updates = document(GITHUB / "dependabot.yml")["updates"]
    assert {one["package-ecosystem"] for one in updates} == {"docker", "github-actions", "pip"}
    assert all((ROOT / one["directory"].lstrip("/")).is_dir() for one in updates)


def text_files() -> Iterator[Path]:
    for folder in (".github", ".ci", "operator", "slackbot", "tests", "tools", "docs", "charts"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in {".py", ".md", ".yml", ".yaml", ".toml"} and "__pycache__" not in path.parts:
                yield path


def test_files_are_written_as_the_editors_are_asked_to() -> None:
    rules = configparser.ConfigParser()
    rules.read_string("[top]\n" + (ROOT / ".editorconfig").read_text(encoding="utf-8"))
    assert rules["top"]["root"] == "true"
    assert rules["*"]["insert_final_newline"] == rules["*"]["trim_trailing_whitespace"] == "true"
    texts = {path: path.read_bytes() for path in text_files()}
    assert len(texts) > 300
    assert [path for path, text in texts.items() if text and not text.endswith(b"\n")] == []
    assert [path for path, text in texts.items() if re.search(rb"[ \t\r]+$", text, re.MULTILINE)] == []


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("", "Tests: none"),
        ("12 passed in 3.20s\n", "Tests: 12 passed"),
        (
            "12 passed, 1 skipped in 3.20s\nnothing\n2 failed, 3 passed, 2 warnings, 4 errors in 61.20s (0:01:01)\n",
            "Tests: 15 passed, 2 failed, 4 error, 1 skipped",
        ),
    ],
)
def test_the_gate_adds_up_the_tests_of_all_runs(output: str, expected: str, tmp_path: Path) -> None:
    kept = tmp_path / "output"
    kept.write_text(output, encoding="utf-8")
    done = subprocess.run([ROOT / ".ci/summary", kept], capture_output=True, text=True, check=True, timeout=20)
    assert done.stdout.splitlines()[1] == expected


def test_the_gate_names_the_ten_slowest_of_all_runs(tmp_path: Path) -> None:
    kept = tmp_path / "output"
    lines = [
        f"{seconds}.50s call     tests/a.py::test_{seconds}" for seconds in (3, 11, 2, 9, 10, 8, 7, 12, 1, 4, 5, 6)
    ]
    kept.write_text("\n".join([*lines, "0.10s is no line of pytest"]), encoding="utf-8")
    done = subprocess.run([ROOT / ".ci/summary", kept], capture_output=True, text=True, check=True, timeout=20)
    shown = re.findall(r"::test_(\d+)", done.stdout)
    assert shown == ["12", "11", "10", "9", "8", "7", "6", "5", "4", "3"]
