"""One sentence about the list saving and the net saving, the same on the card, in the terminal and in the dashboard."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal


def net_in_words(listed: Decimal | None, net: Decimal | None, note: str, money: Callable[[Decimal], str]) -> str:
    """Return `$70.08 at list price; $0.00 net: a Reserved Instance until 2027-03-01 covers it`.

    Empty where there is nothing to say: the saving is not known at all, or list and net are alike without a reason.

    Args:
        listed: the saving at list price; None: not known.
        net: what the bill falls by beside commitments; None: not known.
        note: what commitments change, as the end of a sentence.
        money: writes an amount.
    """
    because = f": {note}" if note else ""
    if listed is None or (net is None and not note):
        return ""
    if net is None:
        return f"{money(listed)} at list price; the net saving is not known{because}"
    if net == listed:
        return f"{money(listed)} at list price and net{because}" if note else ""
    return f"{money(listed)} at list price; {money(net)} net{because}"
