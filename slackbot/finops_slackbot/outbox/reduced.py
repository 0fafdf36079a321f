"""A plainer form of a card, for when Slack refuses the full one: the sentence, the status, the buttons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from finops.store.outbox import WantedCard
from finops_slackbot.text import fit
from finops_slackbot.views.blocks import section

_TEXT = 2000


def reduced(card: WantedCard) -> tuple[str, tuple[Mapping[str, Any], ...]]:
    """Return text and blocks that stay far below every limit and still let people decide."""
    text = fit(card.text, _TEXT)
    kept = [block for block in card.blocks if block["type"] == "actions" or block.get("block_id") == "status"]
    return text, (section("sentence", text), *kept)
