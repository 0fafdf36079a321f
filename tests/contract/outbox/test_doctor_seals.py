"""`finops doctor` says whether what the bot shows carries a code; it has no key to check one."""

from __future__ import annotations

from tests.contract.outbox.test_outbox_contract import NOW, wanted
from tests.support.notices import budget_alert

from finops.store.connection import Store
from finops.store.notices import StoredNotices
from finops.store.outbox import Outbox
from finops.store.sealed import Seals
from finops_operator.cli.diagnosis.result import Result
from finops_operator.cli.diagnosis.seals import diagnose_seals

KEY = Seals(b"a key")


def lines(store: Store) -> tuple[Result, Result]:
    cards, alerts = diagnose_seals(store)
    assert [cards.check, alerts.check] == ["codes of cards", "codes of alerts"]
    return cards, alerts


def test_of_a_store_without_cards_and_alerts_nothing_is_known(store: Store) -> None:
    assert [one.verdict for one in lines(store)] == ["unknown", "unknown"]


def test_cards_and_alerts_with_their_codes_are_well(store: Store) -> None:
    Outbox(store, KEY).want(wanted("a"), NOW)
    StoredNotices(store, shared=KEY).announce(budget_alert(50))
    assert [one.verdict for one in lines(store)] == ["ok", "ok"]


def test_cards_without_a_code_are_counted_and_the_key_that_is_missing_is_named(store: Store) -> None:
    Outbox(store, KEY).want(wanted("a"), NOW)
    Outbox(store).want(wanted("b"), NOW)
    cards, _ = lines(store)
    assert cards.verdict == "failed"
    assert cards.detail.startswith("1 of 2 cards carry no code")
    assert "FINOPS_BUTTON_KEY" in cards.hint
    assert "button-key" in cards.hint


def test_the_newest_alert_without_a_code_names_the_key_that_the_operator_lacks(store: Store) -> None:
    StoredNotices(store, shared=KEY).announce(budget_alert(50))
    StoredNotices(store).announce(budget_alert(80))
    _, alerts = lines(store)
    assert alerts.verdict == "failed"
    assert "a bot with its key shows none of them" in alerts.detail
    assert "membership-key" in alerts.hint
    StoredNotices(store, shared=KEY).announce(budget_alert(100))
    assert lines(store)[1].verdict == "ok", "the key was given since"
