"""The Secret of a release is made once."""

from __future__ import annotations

import sys

import pytest

from finops.errors import InvalidInput
from finops_operator.make_secrets import main, make, missing


def test_every_install_gets_secrets_of_its_own() -> None:
    first, second = make(), make()

    assert set(first) == {
        *("operator-password", "slackbot-password", "button-key", "membership-key"),
        *("ledger-signing-key", "ledger-public-key"),
    }
    assert not set(first.values()) & set(second.values())
    assert all(len(value) >= 64 for value in first.values())


def test_an_upgrade_adds_what_is_missing_and_changes_nothing() -> None:
    kept = make()
    assert missing(kept) == {}
    assert set(missing({**kept, "slackbot-password": "", "button-key": ""})) == {"slackbot-password", "button-key"}
    assert missing({"operator-password": "kept"}).keys() == kept.keys() - {"operator-password"}


def test_a_signing_key_that_somebody_replaced_gets_its_public_key_beside_it() -> None:
    kept, other = make(), make()
    mixed = {**kept, "ledger-signing-key": other["ledger-signing-key"]}
    assert missing(mixed) == {"ledger-public-key": other["ledger-public-key"]}
    with pytest.raises(InvalidInput):
        missing({**kept, "ledger-signing-key": "no key"})


def test_without_a_name_it_says_how_it_is_called(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["make_secrets"])

    assert main() == 2
    assert "NAME" in capsys.readouterr().err
