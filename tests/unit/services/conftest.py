"""Each check's own examples are held to the laws of all checks, and its act must be one that people can approve."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from tests.support.approvable import advised
from tests.support.laws import broken_laws

from finops.domain.recommendation import Finding, NotRecommended, Status
from finops_operator.plugins.check import Check, Facts, Parameters


@dataclass
class Seen:
    """What the tests of a check have found.

    Attributes:
        ready: whether one of its acts could be approved.
        blocks: what stood in the way of the others.
        ran: how many tests did.
    """

    ready: bool = False
    ran: int = 0
    blocks: set[str] = field(default_factory=set)

    def note(self, check: Check[Any], facts: Facts[Any], finding: Finding) -> None:
        """Note a finding that names an act."""
        if finding.action and not self.ready:
            made = advised(check, facts, finding)
            self.ready = made.status is Status.ACTIONABLE
            self.blocks.update(block.message for block in made.blocked_by)


@pytest.fixture(scope="module", autouse=True)
def _seen(request: pytest.FixtureRequest) -> Iterator[Seen]:
    """Once all tests of a check have run, one of its examples must be an act that somebody could approve."""
    seen, check = Seen(), getattr(request.module, "CHECK", None)
    yield seen
    chosen = request.config.option
    some = chosen.keyword or getattr(chosen, "lf", False) or any("::" in one for one in chosen.file_or_dir)
    # Tests that share processes one by one leave a part of a module to another one.
    whole = seen.ran == sum(getattr(one, "module", None) is request.module for one in request.session.items)
    if isinstance(check, Check) and check.action and whole and not some and not request.session.testsfailed:
        assert seen.ready, (
            f"nobody could ever approve {check.action} where {check.id} advises it: {sorted(seen.blocks)}"
        )


@pytest.fixture(autouse=True)
def _submits_its_first_finding(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, _seen: Seen) -> None:
    """Where a module tests a check, hold the first thing that it finds in each test to the laws."""
    _seen.ran += 1
    check = getattr(request.module, "CHECK", None)
    if not isinstance(check, Check):
        return
    submitted = False

    def evaluate(facts: Facts[Any], parameters: Parameters) -> Finding | NotRecommended:
        nonlocal submitted
        verdict = check.evaluate(facts, parameters)
        if isinstance(verdict, Finding):
            _seen.note(check, facts, verdict)
        if isinstance(verdict, Finding) and not submitted:
            submitted = True
            broken = list(broken_laws(check.id, facts, lambda other: check.evaluate(other, parameters)))
            assert not broken, "; ".join(broken)
        return verdict

    monkeypatch.setattr(request.module, "CHECK", replace(check, evaluate=evaluate))
