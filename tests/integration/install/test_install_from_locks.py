"""The environment, the images' packages and the approvers' command install from the locks, on any later day too.

The index of these tests offers a newer release of every package; pip is the one that the interpreter brings, which is
the oldest that a person can have.
"""

from __future__ import annotations

import ensurepip
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest
from packaging.requirements import Requirement
from tests.support.package_index import NEWER, locked_wheels, name_of, normalized, package_index, pins, version_of

ROOT: Final = Path(__file__).resolve().parents[3]
LOCKS: Final = ROOT / "locks"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def wheels(request: pytest.FixtureRequest) -> list[Path]:
    cache = request.config.cache
    assert cache is not None
    return locked_wheels(LOCKS / "dev.txt", cache.mkdir("locked-wheels"))


@pytest.fixture(scope="module")
def environment(wheels: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """Variables of a machine whose only index is ours."""
    folder = tmp_path_factory.mktemp("index")
    ours = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "FINOPS_", "MAKE"))}
    with package_index(wheels, folder) as url:
        yield ours | {
            "HOME": str(tmp_path_factory.mktemp("home")),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": url,
            "PIP_NO_CACHE_DIR": "1",
            "PIP_NO_COMPILE": "1",  # compiling is half of the time
        }


def ran(arguments: list[str], environment: Mapping[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments, env=dict(environment), cwd=folder, capture_output=True, text=True, check=False, timeout=300
    )


def succeeded(arguments: list[str], environment: Mapping[str, str], folder: Path) -> str:
    done = ran(arguments, environment, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def installed(python: Path, environment: Mapping[str, str]) -> dict[str, str]:
    found = json.loads(succeeded([str(python), "-m", "pip", "list", "--format", "json"], environment, python.parent))
    return {normalized(one["name"]): one["version"] for one in found}


@pytest.fixture(scope="module")
def checkout(environment: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh clone on which `make install` was run."""
    folder = tmp_path_factory.mktemp("clone") / "finops"
    for name in ("operator", "slackbot", "locks"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Makefile", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, folder)
    succeeded(["make", "install", f"PYTHON={sys.executable}"], environment, folder)
    return folder


def test_make_install_takes_what_the_lock_names_although_every_package_has_a_newer_release(
    checkout: Path, wheels: list[Path], environment: Mapping[str, str]
) -> None:
    found = installed(checkout / ".venv/bin/python", environment)
    assert found.pop("pip") == ensurepip.version(), "the test is about the pip that Python brings"
    assert found.pop("finops-operator")
    found.pop("setuptools", None)
    assert found == {name_of(wheel): version_of(wheel) for wheel in wheels}
    assert found.items() <= pins(LOCKS / "dev.txt")
    assert "No broken requirements" in succeeded([str(checkout / ".venv/bin/pip"), "check"], environment, checkout)
    assert succeeded([str(checkout / ".venv/bin/finops"), "--version"], environment, checkout).startswith("finops ")


def test_only_an_old_pip_that_resolves_the_lock_again_meets_the_newer_releases(
    checkout: Path, environment: Mapping[str, str]
) -> None:
    """The control: what `make install` did once, which worked until the day of the next release."""
    pip = str(checkout / ".venv/bin/pip")
    arguments = [pip, "install", "--dry-run", "--ignore-installed", "--require-hashes", "--only-binary", ":all:"]
    done = ran([*arguments, "-r", "locks/dev.txt"], environment, checkout)
    old = int(ensurepip.version().split(".")[0]) < 24
    assert (done.returncode != 0) is old
    assert (f"-{NEWER}-" in done.stderr) is old


def requirements(wheel: Path) -> list[Requirement]:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name))
        text = archive.read(name).decode()
    return [Requirement(line) for line in re.findall(r"^Requires-Dist: (.*)$", text.split("\n\n", 1)[0], re.MULTILINE)]


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    succeeded([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], os.environ, ROOT)
    return next(folder.glob("*.whl"))


@pytest.mark.parametrize("extra", ["cli", "operator", "slackbot", "web", "demo", "dev"])
def test_every_lock_names_all_that_its_packages_require(
    request: pytest.FixtureRequest, product: Path, wheels: list[Path], extra: str
) -> None:
    lock = LOCKS / f"{extra}.txt"
    if not pins(lock) <= pins(LOCKS / "dev.txt"):
        assert request.config.cache is not None
        wheels = locked_wheels(lock, request.config.cache.mkdir("locked-wheels"))
    named = {name for name, _ in pins(lock)}
    files = {name_of(wheel): wheel for wheel in wheels if name_of(wheel) in named}
    done, todo = set[tuple[Path, str]](), [(product, ""), (product, extra)]
    while todo:
        wheel, wanted = todo.pop()
        done.add((wheel, wanted))
        for requirement in requirements(wheel):
            if not _applies(requirement, wanted):
                continue
            name = normalized(requirement.name)
            found = product if name == "finops-operator" else files.get(name)
            assert found is not None, f"{lock.name} lacks what {wheel.name} requires: {requirement}"
            assert requirement.specifier.contains(version_of(found), prereleases=True), f"{wheel.name}: {requirement}"
            todo += [(found, one) for one in {"", *requirement.extras} if (found, one) not in done]
    assert {wheel for wheel, _ in done} == {product, *files.values()}, "the lock names what nothing requires"


def _applies(requirement: Requirement, extra: str) -> bool:
    marker = requirement.marker
    if marker is None:
        return not extra
    return marker.evaluate({"extra": extra}) and (not extra or not marker.evaluate({"extra": ""}))


@pytest.fixture(scope="module")
def approver(product: Path, environment: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment that holds the wheel with its extra `cli`, as docs/install.md says."""
    folder = tmp_path_factory.mktemp("approver")
    succeeded([sys.executable, "-m", "venv", "venv"], environment, folder)
    programs = folder / "venv/bin"
    options = [str(programs / "pip"), "install", "--no-deps", "--only-binary", ":all:"]
    succeeded([*options, "--require-hashes", "-r", str(LOCKS / "cli.txt")], environment, folder)
    succeeded([*options, str(product)], environment, folder)
    return programs


def test_the_command_for_approvers_installs_from_the_wheel_without_the_aws_sdk(
    approver: Path, environment: Mapping[str, str]
) -> None:
    found = installed(approver / "python", environment)
    assert not found.keys() & {"boto3", "botocore", "kopf", "cronsim", "slack-sdk", "moto"}
    assert NEWER not in found.values()
    assert "No broken requirements" in succeeded([str(approver / "pip"), "check"], environment, approver)


@pytest.mark.parametrize("command", ["approve", "deny", "undo", "withdraw", "requests"])
def test_approvers_have_the_commands_that_vote(approver: Path, environment: Mapping[str, str], command: str) -> None:
    shown = succeeded([str(approver / "finops"), command, "--help"], environment, approver)
    assert f"Usage: finops {command}" in shown
    assert f"Usage: kubectl finops {command}" in succeeded(
        [str(approver / "kubectl-finops"), command, "--help"], environment, approver
    )
    argument = [] if command == "requests" else ["some-request"]
    nowhere = dict(environment) | {"KUBECONFIG": str(approver / "no-such-file")}
    reason = ["--reason", "not now"] if command == "deny" else []
    asked = ran([str(approver / "finops"), command, *argument, *reason], nowhere, approver)
    assert (asked.returncode, asked.stdout) == (2, "")
    assert asked.stderr.startswith("error: KUBECONFIG: no usable Kubernetes configuration")


def test_the_help_for_approvers_names_every_command_and_what_is_not_installed(
    approver: Path, environment: Mapping[str, str]
) -> None:
    shown = succeeded([str(approver / "finops"), "--help"], dict(environment) | {"COLUMNS": "120"}, approver)
    rows = {line.split()[1]: line for line in shown.splitlines() if line.startswith("│ ") and len(line.split()) > 2}
    assert "(not installed; comes with the extra 'operator')" in rows["scan"]
    assert "(not installed; comes with the extra 'operator')" in rows["doctor"]
    assert "Show what would happen, ask, approve it" in rows["approve"]


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [(["scan", "-f", "policy.yaml"], "operator"), (["doctor", "--help"], "operator"), (["demo", "--headless"], "demo")],
)
def test_a_command_whose_packages_are_not_installed_names_the_extra_that_brings_them(
    approver: Path, environment: Mapping[str, str], arguments: list[str], extra: str
) -> None:
    asked = ran([str(approver / "finops"), *arguments], environment, approver)
    assert (asked.returncode, asked.stdout) == (2, "")
    error, hint = asked.stderr.splitlines()
    assert error.startswith(f"error: `finops {arguments[0]}` needs the package ")
    assert f"extra '{extra}'" in error
    assert re.fullmatch(rf"hint: install finops_operator-[\w.]+-py3-none-any\.whl\[{extra}\] instead", hint)
