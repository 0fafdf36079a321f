"""What a verification found; printed by `finops audit verify`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        line: 1-based line of the export; 0 for a fact about the whole.
        code: machine-readable: `Chain`, `Sequence`, `Hash`, `Form`, `Fence`, `Operation`, `Pairing`, `Approval`,
            `Expiry`, `Head`, `Size`, `Signature`, `Key`, `Proposal`, `Plan`,
            `Duplicate`, `Correction`, `Checkpoint`, `Undo`, `Word`, `Pause`, `Freeze`,
            `Watch`, `Time`.
        message: one sentence for people.
    """

    line: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """Result of a verification.

    Attributes:
        records: how many lines were records.
        sequence, head: sequence and hash of the last record; keep them: they are the anchor that shows a cut tail.
        problems: everything wrong, in the order of the lines.
        signed: whether signatures were checked, which needs the public keys.
        end_known: up to which record the end is known: so many were there when somebody noted it elsewhere; 0 where
            nothing that holds was given. Whatever came after them may have been cut off.
        covered: of how many records no signature was checked, since a checkpoint by their key covers them.
        losses: what was found missing and then accepted by an administrator, as the records about it say.
        warnings: what breaks no rule and a person should check: `People`, where a decision takes for two people whom
            earlier votes were recorded as one; `Terms`, where an act is approved on easier terms than it was under
            another name; `Key`, where the newest key given did not sign the last record.
        open_intents: operation ids of intents without a final outcome: a running act, or one that awaits recovery.
    """

    records: int
    sequence: int
    head: str
    problems: tuple[Problem, ...]
    open_intents: tuple[str, ...]
    signed: bool = False
    losses: tuple[str, ...] = ()
    covered: int = 0
    warnings: tuple[Problem, ...] = ()
    end_known: int = 0

    @property
    def ok(self) -> bool:
        return not self.problems
