"""Names beside Slack member ids, where the operator knows them; whoever is unknown stays the id."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_IN_SLACK: Final = re.compile(r"(?:slackUser |slack\.|slack:T[A-Z0-9]+/)([UW][A-Z0-9]{2,22})")


def named(who: object, names: Mapping[str, str]) -> str:
    """Return how a page calls an approver or a voter.

    Args:
        who: as a policy or the ledger writes it: `slackUser U0123`, `slack.U0123`, `k8s.alice`.
        names: Slack member id → name.
    """
    text = str(who)
    found = _IN_SLACK.fullmatch(text)
    name = names.get(found[1]) if found else None
    return text if found is None or name is None else f"{name} ({found[1]})"
