"""The Secret of a release is made once, and each user of the store gets what it needs."""

from __future__ import annotations

import hashlib
import sys

import pytest

from finops_operator.make_secrets import access_list, main, make, mend


def test_every_install_gets_secrets_of_its_own() -> None:
    first, second = make(), make()

    assert set(first) == {
        *("operator-password", "slackbot-password", "users.acl", "button-key"),
        *("ledger-signing-key", "ledger-public-key"),
    }
    assert not set(first.values()) & set(second.values())
    assert all(len(value) >= 64 for value in first.values())


def test_the_access_list_holds_hashes_and_no_passwords() -> None:
    text = access_list("operators-secret", "bots-secret")

    assert "operators-secret" not in text
    assert hashlib.sha256(b"bots-secret").hexdigest() in text
    default, operator, bot = text.strip().splitlines()
    assert default.startswith("user default off")
    assert "~finops:*" in operator
    assert "%RW~finops:slack:*" in bot
    assert "%R~finops:*" in bot


def test_the_bot_may_neither_administer_the_store_nor_manage_functions_and_scripts() -> None:
    _, operator, bot = access_list("a", "b").strip().splitlines()
    assert "@" not in bot.split("%R~finops:* ")[1]
    assert not {"+script|kill", "+script|flush", "+function", "+keys", "+flushall"} & set(bot.split())
    assert {"-function", "-script|kill", "-script|flush", "-@admin"} <= set(operator.split())


def test_an_upgrade_writes_the_access_list_for_the_passwords_that_are_there_and_nothing_else() -> None:
    kept = make()
    assert mend(kept) == {}
    assert mend({**kept, "users.acl": "user default off"}) == {"users.acl": kept["users.acl"]}
    # Somebody's own Secret for an external store has no passwords of ours, but the ledger needs its key.
    assert mend({"button-key": "x"}).keys() == {"ledger-signing-key", "ledger-public-key"}


def test_a_signing_key_that_somebody_replaced_gets_its_public_key_beside_it() -> None:
    kept, other = make(), make()
    mixed = {**kept, "ledger-signing-key": other["ledger-signing-key"]}
    assert mend(mixed) == {"ledger-public-key": other["ledger-public-key"]}


def test_without_a_name_it_says_how_it_is_called(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["make_secrets"])

    assert main() == 2
    assert "NAME" in capsys.readouterr().err
