"""What a checkpoint needs of the ledger besides its end: the tree, and since when a new checkpoint is due."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from finops.domain.audit import Record, RecordKind
from finops.ledger.merkle import Growing

_CAN_WAIT: Final = frozenset(
    {
        RecordKind.PROPOSED,
        RecordKind.POSTED,
        RecordKind.POLICY_CHANGED,
        RecordKind.CHECKPOINT,
        RecordKind.KEY_CHANGED,
        RecordKind.ACQUIRED,
        RecordKind.PROTECTED,
    }
)
"""Kinds whose loss would neither hide a vote, a decision or a call, nor lead to a second one."""


@dataclass(slots=True)
class Growth:
    """Follows the ledger record by record.

    Attributes:
        urgent: sequence of the last record that must be anchored at once.
        checkpointed: sequence of the last record that holds a checkpoint; 0 before the first.
    """

    tree: Growing = field(default_factory=Growing)
    urgent: int = 0
    checkpointed: int = 0

    def learn(self, record: Record, digest: str) -> None:
        """Take in the next record."""
        self.tree.add(bytes.fromhex(digest))
        if record.entry.kind is RecordKind.CHECKPOINT:
            self.checkpointed = record.sequence
        elif record.entry.kind not in _CAN_WAIT:
            self.urgent = record.sequence
