"""What AWS said about the commitments of each account, kept so that no account is asked twice in a day.

Every question costs money, so the right to ask is taken first, by one scan alone, and holds for its UTC day whatever
comes of it: a question that failed may have been billed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from finops.domain.coverage import Coverage, Share
from finops.domain.resource import Gap
from finops.store.connection import Store, store_errors
from finops.store.keys import CoverageKeys

_ASKED_SECONDS: Final = 2 * 86_400
KEPT_SECONDS: Final = 8 * 86_400


class CoverageStore:
    """Answers by account. Every method raises StoreUnavailable."""

    def __init__(self, store: Store) -> None:
        self._client: Any = store.client
        self._keys = CoverageKeys(store.keys.prefix)

    def begin(self, account: str, day: date) -> bool:
        """Take the one right to ask about an account on a day; False: another scan has it."""
        with store_errors():
            return bool(self._client.set(self._keys.asked(account, day.isoformat()), "1", nx=True, ex=_ASKED_SECONDS))

    def put(self, coverage: Coverage) -> None:
        """Keep what was answered, in the place of what was kept before."""
        with store_errors():
            self._client.set(self._keys.of(coverage.account), _to_text(coverage), ex=KEPT_SECONDS)

    def get(self, account: str) -> Coverage | None:
        """Return the newest answer; None where there is none, as where something stands that is no answer."""
        with store_errors():
            text = self._client.get(self._keys.of(account))
        return None if text is None else _from_text(account, text)


def _to_text(one: Coverage) -> str:
    kept = {
        "asked": one.asked.isoformat(),
        "start": one.start.isoformat(),
        "end": one.end.isoformat(),
        "reserved": _row(one.reserved),
        "planned": _row(one.planned),
        "gaps": [gap.to_json() for gap in one.gaps],
    }
    return json.dumps(kept, separators=(",", ":"))


def _row(share: Share | None) -> list[str] | None:
    return None if share is None else [f"{share.covered:f}", f"{share.total:f}"]


def _from_text(account: str, text: str) -> Coverage | None:
    try:
        kept = json.loads(text)
        asked, start, end = (date.fromisoformat(kept[name]) for name in ("asked", "start", "end"))
        gaps = tuple(_gap(one) for one in kept["gaps"])
        return Coverage(account, asked, start, end, _share(kept["reserved"]), _share(kept["planned"]), gaps)
    except (ValueError, TypeError, KeyError, ArithmeticError):
        return None


def _share(row: Any) -> Share | None:
    if row is None:
        return None
    covered, total = (Decimal(one) for one in row)
    if not (covered.is_finite() and total.is_finite()):
        raise ValueError("no figures")
    return Share(covered, total)


def _gap(kept: Mapping[str, Any]) -> Gap:
    return Gap(
        account=str(kept["account"]),
        region=str(kept["region"]),
        service=str(kept["service"]),
        operation=str(kept["operation"]),
        code=str(kept["code"]),
        message=str(kept["message"]),
        resources=kept["resources"],
    )
