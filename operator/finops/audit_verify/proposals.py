"""What was proposed for one request: which plans, and which of them as a dry run alone.

An operator records a proposal twice: before the object exists, under its name, with the whole proposal (`dryRun`), and
once it has a uid, under that. Both name the hash of the spec, so that an object made again under the name is another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from finops.audit_verify.shelf import Kept

_NONE: frozenset[str] = frozenset()
Problems: TypeAlias = list[tuple[str, str]]


@dataclass(slots=True)
class Proposals(Kept):
    """Of one request, or of the name of a request.

    Attributes:
        plans: hash of each plan that was proposed.
        dry_specs: hashes of specs that asked for a dry run, and of their plans.
        specs: hash of each spec → whether it asks for a dry run; under a uid that is not said.
        acts: hash of each spec → the act that it asks for, `ACTION of ARN`; empty where the record does not say.
        act: the act that the request itself asks for, by what was proposed under its name.
        is_dry_run: whether the request itself asks for one.
    """

    plans: set[str] = field(default_factory=set)
    dry_specs: frozenset[str] = _NONE
    specs: dict[str, bool] = field(default_factory=dict)
    acts: dict[str, str] = field(default_factory=dict)
    act: str = ""
    is_dry_run: bool = False

    def add(self, record: dict[str, Any], named: Proposals | None) -> Problems:
        """Take in a record `proposed`; return what is wrong with it.

        Args:
            record: under a uid, or under the name alone.
            named: what was proposed under the request's name; None where the record is under that name, or nothing was.
        """
        self.plans.add(record["planHash"])
        spec, plan, dry = record["detail"].get("specHash"), record["planHash"], record["detail"].get("dryRun") is True
        if dry:
            self.dry_specs |= {str(spec), plan}
        # One that does not say which spec it is of is a problem, and of any with its plan.
        dry_specs = _NONE if named is None else named.dry_specs
        self.is_dry_run = self.is_dry_run or (spec if isinstance(spec, str) else plan) in dry_specs
        if not isinstance(spec, str) or not spec:
            return [("Proposal", "a proposal that does not say of which spec it is")]
        return self._with_uid(spec, named) if name_of(record) else self._under_name(record, spec, dry=dry)

    def _with_uid(self, spec: str, named: Proposals | None) -> Problems:
        known = {} if named is None else named.specs
        self.act = self.act or ("" if named is None else named.acts.get(spec, ""))
        problems = []
        if spec not in known:
            problems.append(("Proposal", "a request of a spec that was not proposed before under its name"))
        if self.specs and spec not in self.specs:
            problems.append(("Proposal", "a request was proposed again with another spec"))
        self.specs[spec] = known.get(spec, False)
        return problems

    def _under_name(self, record: dict[str, Any], spec: str, *, dry: bool) -> Problems:
        both = self.specs.setdefault(spec, dry) != dry
        self.acts.setdefault(spec, _act(record["detail"]))
        return [("Proposal", "a spec was proposed both as an act and as a dry run")] if both else []


def name_of(record: dict[str, Any]) -> str:
    """Return under which name a request was proposed before it had a uid, empty where the record is that proposal."""
    name, _, uid = record["request"].rpartition("/")
    return f"{name}/" if uid else ""


def _act(detail: dict[str, Any]) -> str:
    action, resource = detail.get("action"), detail.get("resource")
    return f"{action} of {resource}" if isinstance(action, str) and isinstance(resource, str) else ""
