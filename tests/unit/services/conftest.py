"""Each check's own examples are held to the laws of all checks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.support.laws import broken_laws

from finops.domain.recommendation import Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters


@pytest.fixture(autouse=True)
def _submits_its_first_finding(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a module tests a check, hold the first thing that it finds in each test to the laws."""
    check = getattr(request.module, "CHECK", None)
    if not isinstance(check, Check):
        return
    submitted = False

    def evaluate(facts: Facts[Any], parameters: Parameters) -> Finding | NotRecommended:
        nonlocal submitted
        verdict = check.evaluate(facts, parameters)
        if isinstance(verdict, Finding) and not submitted:
            submitted = True
            broken = list(broken_laws(check.id, facts, lambda other: check.evaluate(other, parameters)))
            assert not broken, "; ".join(broken)
        return verdict

    monkeypatch.setattr(request.module, "CHECK", replace(check, evaluate=evaluate))
