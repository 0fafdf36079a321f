"""The program around the commands: help, versions, exit codes, and errors without tracebacks."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from tests.support.offer_files import instance, offer_server

from finops.errors import (
    AwsCredentialsInvalid,
    FinopsError,
    InvalidInput,
    LedgerDiverged,
    Refused,
    StoreUnavailable,
    StoreUnsafe,
)
from finops_operator.cli.command import commands_for
from finops_operator.cli.failures import exit_code, report
from finops_operator.cli.main import run
from finops_operator.plugins.loaded import load_kinds

COMMANDS = {
    "approve", "audit", "backup", "costs", "demo", "deny", "doctor", "explain", "iam-policy", "policy", "prices",
    "recommendations", "requests", "resources", "restore", "resume", "scan", "snooze", "undo", "wake", "withdraw",
}  # fmt: skip


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A user without any store, cluster or AWS."""
    for name in list(os.environ):
        if name.startswith(("FINOPS_", "AWS_", "KUBE")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))


def test_all_commands_are_there_one_file_each() -> None:
    assert {command.id for command in commands_for([])} == COMMANDS


def test_only_the_command_that_was_asked_for_is_loaded() -> None:
    assert [command.id for command in commands_for(["iam-policy", "--for", "scan"])] == ["iam-policy"]
    assert len(commands_for(["no-such-command"])) == len(COMMANDS)
    assert len(commands_for(["../main"])) == len(COMMANDS)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([command, "--help"]) == 0
    assert "Usage: finops" in capsys.readouterr().out


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("finops 0.")


@pytest.mark.parametrize(
    "arguments", [["frobnicate"], ["scan", "-o", "pdf"], ["costs", "--by", "colour"], ["requests", "-o", "xml"]]
)
def test_wrong_usage_ends_with_2_and_writes_nothing_to_stdout(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidInput("x"), 2),
        (Refused("x"), 4),
        (StoreUnavailable("x"), 1),
        (StoreUnsafe("x"), 1),
        (LedgerDiverged("x"), 1),
        (AwsCredentialsInvalid("x", operation="sts:AssumeRole"), 1),
    ],
)
def test_the_type_of_an_error_is_its_exit_code(error: FinopsError, code: int) -> None:
    assert exit_code(error) == code


@pytest.mark.parametrize(
    "command", [["resources"], ["recommendations"], ["costs"], ["audit", "list"], ["explain", "x"]]
)
def test_without_any_store_the_fix_is_named(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command) == 2
    told = capsys.readouterr().err
    assert "--redis" in told
    assert "FINOPS_REDIS_URL" in told


@pytest.mark.parametrize(
    "command", [["requests"], ["approve", "x"], ["deny", "x", "--reason", "y"], ["undo", "x"], ["withdraw", "x"]]
)
def test_without_a_cluster_the_fix_is_named(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command) == 2
    told = capsys.readouterr().err
    assert "KUBECONFIG" in told
    assert "--kubeconfig" in told


@pytest.mark.parametrize(
    ("redis", "code", "words"),
    [
        ("http://localhost", 2, "redis://"),
        ("redis://127.0.0.1:1/0", 1, "does not answer"),
        ("redis://:secret@127.0.0.1:1/0", 1, "does not answer"),
    ],
)
def test_a_store_that_is_none_is_reported_without_its_password(
    redis: str, code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["recommendations", "--redis", redis]) == code
    told = capsys.readouterr().err
    assert words in told
    assert "secret" not in told
    assert "Traceback" not in told


def test_a_setting_that_does_not_parse_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FINOPS_METRICS_PORT", "many")
    assert run(["recommendations"]) == 2
    assert "FINOPS_METRICS_PORT" in capsys.readouterr().err


def test_an_unknown_price_is_said_never_guessed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["prices", "lookup", "--region", "us-east-1", "--instance-type", "z9.huge"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "z9.huge" in captured.err
    assert run(["prices", "lookup", "--region", "xx-nowhere-1", "--instance-type", "t2.large"]) == 2
    assert "--region" in capsys.readouterr().err


def test_a_price_is_shown_with_unit_source_and_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["prices", "lookup", "--region", "us-east-1", "--instance-type", "t2.large", "-o", "csv"]) == 0
    row = capsys.readouterr().out.splitlines()[1].split(",")
    assert row[:7] == ["us-east-1", "t2.large linux", "instance_hour", "0.0928", "USD", "hour", "bundled"]
    assert date.fromisoformat(row[7]).year >= 2024
    assert row[8] == ""


def test_a_figure_that_no_table_has_is_a_failure_that_names_the_source_to_ask(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["prices", "lookup", "--region", "us-east-1", "--figure", "kinesis/shard_hour"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "no price for kinesis/shard_hour in us-east-1" in captured.err
    assert "--price-list, which needs pricing:GetProducts" in captured.err
    assert run(["prices", "lookup", "--region", "us-east-1", "--figure", "kinesis/fax"]) == 2
    assert "kinesis/shard_hour" in capsys.readouterr().err


def test_what_the_price_list_is_not_asked_for_comes_from_the_tables_and_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    # No credentials are needed: nothing is sent.
    assert run(["prices", "lookup", "--region", "us-east-1", "--volume-type", "gp2", "--price-list", "-o", "csv"]) == 0
    captured = capsys.readouterr()
    assert ",bundled," in captured.out
    assert "AWS's price list is not asked for gp2" in captured.err


def test_tables_written_anew_are_asked_before_the_bundled_ones(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with offer_server() as aws:
        aws.put("AmazonEC2", "us-east-1", [instance("A", "t2.large", "0.05"), instance("B", "m5.large", "0.06")])
        where = ("--regions", "us-east-1", "--to", str(tmp_path), "--from", aws.base)
        assert run(["prices", "refresh", *where, "--services", "ec2", "-o", "json"]) == 0
        written = json.loads(capsys.readouterr().out)
        assert [(one["service"], one["figures"], one["published"]) for one in written] == [("ec2", 2, "2026-11-20")]
        assert run(["prices", "refresh", *where, "--services", "fax"]) == 2
        assert run(["prices", "refresh", *where, "--regions", "moon"]) == 2
        assert run(["prices", "refresh", *where, "--regions", "us-east-1,eu-west-1", "--services", "ec2"]) == 3
        aws.put("AmazonEC2", "us-east-1", [])
        assert run(["prices", "refresh", *where, "--services", "ec2"]) == 1
    capsys.readouterr()
    monkeypatch.setenv("FINOPS_PRICE_TABLES", str(tmp_path))
    assert run(["prices", "lookup", "--region", "us-east-1", "--instance-type", "t2.large", "-o", "csv"]) == 0
    assert ",0.05,USD,hour,refreshed,2026-11-20,A\n" in capsys.readouterr().out
    assert run(["prices", "lookup", "--region", "us-east-1", "--instance-type", "m5.xlarge", "-o", "csv"]) == 0
    assert ",bundled," in capsys.readouterr().out
    monkeypatch.setenv("FINOPS_PRICE_TABLES", str(tmp_path / "none"))
    assert run(["prices", "lookup", "--region", "us-east-1", "--instance-type", "t2.large"]) == 2
    assert "FINOPS_PRICE_TABLES: cannot read" in capsys.readouterr().err


def test_an_error_of_several_lines_is_printed_on_several_lines_that_stay_its_own() -> None:
    sink = io.StringIO()
    report(FinopsError("it ended:\n  operator | last\x1b[31m words\nerror: forged", hint="look"), sink)
    assert sink.getvalue() == ("error: it ended:\n  operator | last\\x1b[31m words\n  error: forged\nhint: look\n")


@pytest.mark.parametrize("buffered", ["", "-u"])
def test_a_reader_that_has_seen_enough_is_no_failure(buffered: str) -> None:
    # The reader is gone before the first byte: with -u a write fails, else the flush at the end.
    finops = f"{sys.executable} {buffered} -m finops_operator.cli.main iam-policy --for act"
    command = f"{finops} > >(exec true); echo $?"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=30, check=False)
    assert done.stdout == "0\n"
    assert done.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("buffered", ["", "-u"])
@pytest.mark.parametrize("arguments", ["iam-policy --for act", "prices lookup --help", "--version"])
def test_a_disk_that_is_full_is_one_sentence_and_a_failure(arguments: str, buffered: str) -> None:
    command = f"{sys.executable} {buffered} -m finops_operator.cli.main {arguments} > /dev/full"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert done.stderr == "error: the output cannot be written: No space left on device\n"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ("policy validate -f - <&-", 2, "there is no ScanPolicy and no AwsAccount"),
        ("audit verify --file - <&-", 1, "there is no record"),
        ("iam-policy >&-", 0, ""),
        ("--version 2>&-", 0, ""),
    ],
)
def test_a_closed_stream_is_an_empty_one(arguments: str, code: int, said: str) -> None:
    command = f"{sys.executable} -m finops_operator.cli.main {arguments}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


WRONG_POLICY = """
apiVersion: finops.dev/v1alpha1
kind: ScanPolicy
metadata: {name: nightly}
spec: {checks: [{id: ec2_instance_idel}], resources: [toaster-oven]}
---
apiVersion: finops.dev/v1alpha1
kind: AwsAccount
metadata: {name: default}
spec:
  accountId: "123456789012"
  allow: [{namespaces: [default], actions: [ec2_instance_stopp]}]
"""


@pytest.mark.parametrize("command", [["policy", "validate"], ["scan"]], ids=lambda command: command[0])
def test_unknown_ids_are_refused_before_the_first_request_with_the_nearest_known_ones(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(WRONG_POLICY, encoding="utf-8")
    assert run([*command, "-f", str(file)]) == 2
    said = capsys.readouterr().err
    for place, fix in (
        ("spec.checks[0].id", "did you mean ec2_instance_idle?"),
        ("spec.resources[0]", f"known: {min(load_kinds())}, "),
        ("spec.allow[0].actions[0]", "did you mean ec2_instance_stop?"),
    ):
        assert place in said
        assert fix in said


def test_a_valid_policy_is_said_to_be_valid(capsys: pytest.CaptureFixture[str]) -> None:
    examples = Path(__file__).parents[3] / "docs" / "examples"
    assert run(["policy", "validate", "-f", str(examples / "first-policy.yaml")]) == 0
    assert "valid: 1 ScanPolicies, 1 AwsAccounts" in capsys.readouterr().err


def test_files_that_hold_nothing_are_not_valid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty file is what a template that failed leaves behind; a pipeline must not pass it."""
    file = tmp_path / "empty.yaml"
    file.write_text("---\n# nothing\n", encoding="utf-8")
    assert run(["policy", "validate", "-f", str(file)]) == 2
    assert "empty.yaml: --file: there is no ScanPolicy and no AwsAccount" in capsys.readouterr().err


def test_a_key_file_that_cannot_be_read_is_named_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "verify", "--file", os.devnull, "--public-key", "/nowhere/key.pem"]) == 2
    assert capsys.readouterr().err.startswith(
        "error: /nowhere/key.pem: --public-key: cannot be read: No such file or directory\n"
    )
