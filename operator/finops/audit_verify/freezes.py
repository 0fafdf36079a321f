"""Checks that no act begins, and nothing is destroyed, while a `frozen` record says that all are frozen.

A record `frozen` with the result `on` holds for every act, undos too, until one with the result `off`. The intents for
which permission is asked (`story`) are written only while no freeze stands before them; others lead to a safe end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Freezes:
    """Follows the whole ledger; `since` is the sequence of the freeze in force, 0 without one."""

    since: int = 0

    def turned(self, record: Mapping[str, Any]) -> None:
        """Take in a `frozen` record."""
        self.since = record["sequence"] if record["result"] == "on" else 0

    def problem(self, what: str) -> str:
        """Return why an intent for which permission is asked breaks the rule, empty when it does not."""
        return f"{what} while record {self.since} froze all acts" if self.since else ""
