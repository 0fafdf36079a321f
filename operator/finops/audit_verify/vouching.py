"""Which signatures need no check of their own, since a checkpoint by the same key covers their records.

A checkpoint signs a root over the hashes of the first n records, and a hash covers all of its record. So the holder of
the key has signed each of these records, as surely as by a signature over each hash. Only the key that a record names
vouches for it: what one key may say is not said by another. Of such a signature only the form is checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from finops.audit_verify import checkpoints
from finops.audit_verify.form import NotARecord
from finops.audit_verify.reading import TOGETHER, Line, problems_of_signatures
from finops.audit_verify.signatures import Keys, is_signature


@dataclass(slots=True)
class Vouching:
    """Follows the lines of an export; holds those that no checkpoint covers so far, `TOGETHER` at most.

    Attributes:
        keys: whose signatures count.
        until: key → size of the largest kept checkpoint by it. Whoever takes these in must compare each with the
            records at the end and report the one that does not hold: until then they are promises.
        waiting: position in the ledger, counted from 1, and the line that waits for a checkpoint or a check.
        covered: how many records needed no check of their own.
    """

    keys: Keys
    until: dict[str, int] = field(default_factory=dict)
    waiting: list[tuple[int, Line]] = field(default_factory=list)
    covered: int = 0

    @classmethod
    def of(cls, keys: Keys, kept: Iterable[str]) -> Vouching:
        """Begin with the texts of kept checkpoints, without those that are none or that none of the keys has signed."""
        made = cls(keys)
        for text in kept:
            try:
                document = checkpoints.read(text)
            except NotARecord:
                continue  # The walk reports it.
            if not checkpoints.problem_of_signature(document, keys):
                made.until[document["key"]] = max(document["size"], made.until.get(document["key"], 0))
        return made

    def add(self, position: int, line: Line) -> Iterator[tuple[Line, str]]:
        """Take in the next record; yield what is wrong with signatures, once enough of them have waited in vain."""
        if not is_signature(line.signature):
            yield line, self.keys.problem(line.record["key"], line.digest, line.signature)
        elif position <= self.until.get(line.record["key"], 0):
            self.covered += 1
        else:
            self.waiting.append((position, line))
            if len(self.waiting) == TOGETHER:
                yield from self.rest()

    def cover(self, checkpoint: Mapping[str, Any]) -> None:
        """Take in a checkpoint of the ledger that is signed and whose root is that of the records before."""
        size, key = checkpoint["size"], checkpoint["key"]
        left = [one for one in self.waiting if one[0] > size or one[1].record["key"] != key]
        self.covered += len(self.waiting) - len(left)
        self.waiting = left

    def rest(self) -> Iterator[tuple[Line, str]]:
        """Check what no checkpoint covers, each by its own signature."""
        lines, self.waiting = [line for _, line in self.waiting], []
        for line, wrong in zip(lines, problems_of_signatures(self.keys, lines), strict=True):
            if wrong:
                yield line, wrong
