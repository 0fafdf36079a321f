"""What was proposed for one request: which plans, and which of them as a dry run alone.

An operator records a proposal twice: before the object exists, under its name, with the whole proposal (`dryRun`), and
once it has a uid, under that. Both name the hash of the spec, so that an object made again under the name is another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

_NONE: frozenset[str] = frozenset()


@dataclass(slots=True)
class Proposals:
    """Of one request, or of the name of a request.

    Attributes:
        plans: hash of each plan that was proposed.
        dry_specs: hashes of specs that asked for a dry run, and of their plans.
        is_dry_run: whether the request itself asks for one.
    """

    plans: set[str] = field(default_factory=set)
    dry_specs: frozenset[str] = _NONE
    is_dry_run: bool = False

    def add(self, record: dict[str, Any], dry_specs: frozenset[str]) -> None:
        """Take in a record `proposed`; `dry_specs` are those of the request's name."""
        self.plans.add(record["planHash"])
        spec, plan = record["detail"].get("specHash"), record["planHash"]
        if record["detail"].get("dryRun") is True:
            self.dry_specs |= {str(spec), plan}
        # One that does not say which spec it is of is of any with its plan.
        self.is_dry_run = self.is_dry_run or (spec if isinstance(spec, str) else plan) in dry_specs


def name_of(record: dict[str, Any]) -> str:
    """Return under which name a request was proposed before it had a uid, empty where the record is that proposal."""
    name, _, uid = record["request"].rpartition("/")
    return f"{name}/" if uid else ""
