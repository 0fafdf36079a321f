"""Which of the texts in the store that the bot shows carry a code, for `finops doctor`: it has no key to check one.

A card or line without one was written by a bot without a key, an alert by an operator without one. Reads at most
`SAMPLED` cards.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from finops.store.connection import Store, store_errors
from finops.store.keys import AnnouncementKeys

SAMPLED: Final = 200
_SEALED: Final = re.compile("[0-9a-f]{32} ")
_CODE: Final = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class SealsSeen:
    """What was seen.

    Attributes:
        cards: how many cards were read.
        cards_without: how many of them carry no code.
        alert_has: whether the newest alert carries a code; None where there is none.
    """

    cards: int
    cards_without: int
    alert_has: bool | None


def seals_seen(store: Store) -> SealsSeen:
    """Return which texts carry a code. Raises StoreUnavailable."""
    with store_errors():
        cards: Any = list(islice(store.client.hscan_iter(store.keys.slack("wanted"), count=SAMPLED), SAMPLED))
        alerts: Any = store.client.xrevrange(AnnouncementKeys(store.keys.prefix).notices, count=1)
    without = sum(1 for _, kept in cards if _SEALED.match(str(kept)) is None)
    codes = [str(fields.get("code", "")) for _, fields in alerts]
    return SealsSeen(len(cards), without, _CODE.fullmatch(codes[0]) is not None if codes else None)
