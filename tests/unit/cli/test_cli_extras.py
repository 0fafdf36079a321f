"""A package that is not installed is reported with the extra that brings it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from finops_operator.cli.command import commands_for
from finops_operator.cli.commands import demo
from finops_operator.cli.extras import NotInstalled, not_installed
from finops_operator.cli.main import run
from finops_operator.plugins.registry import BrokenPlugin


@pytest.mark.parametrize(
    ("module", "extra"),
    [
        ("botocore.session", "operator"),
        ("cronsim", "operator"),
        ("rich.table", "cli"),
        ("slack_bolt", "slackbot"),
        ("moto", "demo"),
        ("check_jsonschema", "dev"),
    ],
)
def test_the_smallest_extra_that_brings_a_package_is_named(module: str, extra: str) -> None:
    found = not_installed("scan", ModuleNotFoundError(name=module))
    assert found is not None
    assert found.extra == extra
    assert found.hint.endswith(f"-py3-none-any.whl[{extra}] instead")


@pytest.mark.parametrize("module", ["finops_operator.cli.nothing", "yaml", "redis.client", None])
def test_a_missing_module_of_the_program_or_its_core_is_no_extra(module: str | None) -> None:
    assert not_installed("scan", ModuleNotFoundError(name=module)) is None


def without(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the files of commands fail as they do where `missing` is not installed."""

    def fail(name: str, *_: object) -> None:
        raise BrokenPlugin(f"{name} does not load") from ModuleNotFoundError(name=missing)

    monkeypatch.setattr("finops_operator.cli.command.load_file", fail)


def test_help_lists_commands_whose_packages_are_not_installed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    every = [command.id for command in commands_for([])]
    without("botocore", monkeypatch)
    assert [command.id for command in commands_for([])] == every
    assert run(["--help"]) == 0
    assert capsys.readouterr().out.count("(not installed; comes with the extra 'operator')") == len(every)


@pytest.mark.parametrize("arguments", [["iam-policy"], ["scan", "--no-such-option"], ["demo", "--help"]])
def test_a_command_whose_packages_are_not_installed_ends_with_2(
    arguments: Sequence[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    without("botocore", monkeypatch)
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"error: `finops {arguments[0]}` needs the package botocore, which comes with the extra")


def test_a_command_that_does_not_load_for_another_reason_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    without("finops.no_such_module", monkeypatch)
    with pytest.raises(BrokenPlugin):
        commands_for(["scan"])
    with pytest.raises(BrokenPlugin):
        commands_for([])


def test_a_package_that_is_missed_while_a_command_runs_is_named_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "find_spec", lambda name: None if name == "moto" else object())
    assert run(["demo", "--headless"]) == 2
    assert "error: `finops demo` needs the package moto, which comes with the extra 'demo'" in capsys.readouterr().err


def test_an_image_has_no_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> object:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr("finops_operator.cli.commands.demo.importlib.import_module", absent)
    with pytest.raises(NotInstalled, match="images hold no demo"):
        demo._sandbox()
