"""What is wrong with policy files, as one error that holds every problem.

Apart from the reading of them: commands without policies report errors too, without the packages that judge a policy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from finops.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where (file, document, object, field), the rule it breaks, what to write instead."""

    source: str
    document: str
    field: str
    rule: str
    hint: str

    def __str__(self) -> str:
        where = ": ".join(part for part in (self.source, self.document, self.field) if part)
        return f"{where}: {self.rule}; {self.hint}" if self.hint else f"{where}: {self.rule}"


class InvalidDocuments(InvalidInput):
    """Files that cannot be used; `problems` holds everything found in all of them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(" | ".join(map(str, problems)))
