"""Do the texts that the bot shows carry a code, so that whoever writes to the store puts no word into its mouth."""

from __future__ import annotations

from typing import Final

from finops.store.connection import Store
from finops.store.seals_seen import SealsSeen, seals_seen
from finops_operator.cli.diagnosis.result import Result, Results, Verdict, ok

_PART: Final = "slack"
_CARDS: Final = "codes of cards"
_ALERTS: Final = "codes of alerts"
_KEY: Final = "%s is empty or absent at the %s: take %s of the release's Secret, which helm upgrade makes"


def diagnose_seals(store: Store) -> Results:
    """Yield a line for cards and one for alerts. Raises StoreUnavailable."""
    seen = seals_seen(store)
    yield _cards(seen)
    yield _alerts(seen)


def _cards(seen: SealsSeen) -> Result:
    if not seen.cards:
        return Result(_PART, _CARDS, Verdict.UNKNOWN, "no card was wanted yet")
    if not seen.cards_without:
        return ok(_PART, _CARDS, f"each of {seen.cards} cards read carries the bot's code")
    why = (
        f"{seen.cards_without} of {seen.cards} cards carry no code: somebody else wrote them, or a bot without its key"
    )
    return Result(_PART, _CARDS, Verdict.FAILED, why, _KEY % ("FINOPS_BUTTON_KEY", "bot", "button-key"))


def _alerts(seen: SealsSeen) -> Result:
    if seen.alert_has is None:
        return Result(_PART, _ALERTS, Verdict.UNKNOWN, "nothing was announced yet")
    if seen.alert_has:
        return ok(_PART, _ALERTS, "the newest alert carries a code of operator and bot")
    why = "the newest alert carries no code: a bot with its key shows none of them"
    return Result(_PART, _ALERTS, Verdict.FAILED, why, _KEY % ("FINOPS_MEMBERSHIP_KEY", "operator", "membership-key"))
