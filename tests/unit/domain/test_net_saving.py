"""List and net saving in one sentence."""

from __future__ import annotations

from decimal import Decimal

import pytest

from finops.domain.net_saving import net_in_words

LIST, NOTHING = Decimal("70.08"), Decimal("0.00")


@pytest.mark.parametrize(
    ("listed", "net", "note", "said"),
    [
        (
            LIST,
            NOTHING,
            "a Reserved Instance covers it",
            "70.08 at list price; 0.00 net: a Reserved Instance covers it",
        ),
        (LIST, LIST, "no commitment covers it", "70.08 at list price and net: no commitment covers it"),
        (LIST, None, "not read", "70.08 at list price; the net saving is not known: not read"),
        (LIST, Decimal("60.00"), "", "70.08 at list price; 60.00 net"),
        (LIST, LIST, "", ""),
        (LIST, None, "", ""),
        (None, None, "not read", ""),
    ],
)
def test_list_and_net_are_said_where_they_differ_or_a_reason_is_known(
    listed: Decimal | None, net: Decimal | None, note: str, said: str
) -> None:
    assert net_in_words(listed, net, note, str) == said
