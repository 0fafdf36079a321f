"""Each user of the store gets what it needs, by a list that holds no password."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest

from finops_operator.store_users import access_list, main


def test_the_access_list_holds_hashes_and_no_passwords() -> None:
    text = access_list("operators-secret", "bots-secret", "dashboards-secret")

    assert "operators-secret" not in text
    assert hashlib.sha256(b"bots-secret").hexdigest() in text
    default, operator, bot, web = text.strip().splitlines()
    assert default.startswith("user default off")
    assert "~finops:*" in operator
    assert "%RW~finops:slack:*" in bot
    assert "%R~finops:*" in bot
    assert [part for part in web.split() if "~" in part] == ["%RW~finops:web:*", "%R~finops:*"]


def test_the_bot_may_neither_administer_the_store_nor_manage_functions_and_scripts() -> None:
    _, operator, bot, _ = access_list("a", "b", "c").strip().splitlines()
    assert "@" not in bot.split("%R~finops:* ")[1]
    assert not {"+script|kill", "+script|flush", "+function", "+keys", "+flushall"} & set(bot.split())
    assert {"-function", "-script|kill", "-script|flush", "-@admin"} <= set(operator.split())


@pytest.fixture
def _passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINOPS_STORE_PASSWORD_OPERATOR", "a")
    monkeypatch.setenv("FINOPS_STORE_PASSWORD_SLACKBOT", "b")
    monkeypatch.setenv("FINOPS_STORE_PASSWORD_WEB", "c")


@pytest.mark.usefixtures("_passwords")
def test_the_list_goes_to_the_file_that_is_named_or_is_printed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["store_users", str(tmp_path / "users.acl")])
    assert main() == 0
    assert (tmp_path / "users.acl").read_text(encoding="utf-8") == access_list("a", "b", "c")
    monkeypatch.setattr(sys, "argv", ["store_users"])
    assert main() == 0
    assert capsys.readouterr().out == access_list("a", "b", "c")


@pytest.mark.usefixtures("_passwords")
def test_a_file_that_cannot_be_written_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["store_users", str(tmp_path)])
    assert main() == 1
    assert f"cannot write {tmp_path}: Is a directory" in capsys.readouterr().err


@pytest.mark.usefixtures("_passwords")
@pytest.mark.parametrize("user", ["OPERATOR", "SLACKBOT", "WEB"])
def test_without_a_password_nothing_is_written(
    user: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(f"FINOPS_STORE_PASSWORD_{user}", "")
    monkeypatch.setattr(sys, "argv", ["store_users", str(tmp_path / "users.acl")])
    assert main() == 2
    assert f"FINOPS_STORE_PASSWORD_{user}" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
