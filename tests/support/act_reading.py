"""A reader for tests of actions, and what the session policies of a plan allow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from finops.domain.plan import Plan
from finops_operator.plugins.action import Action


@dataclass(slots=True)
class CannedReader:
    """Answers reads from a table; an exception in it is raised, a function asked; what is not in it is empty."""

    answers: Mapping[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def read(self, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        self.asked.append((operation, parameters))
        answer = self.answers.get(operation, {})
        if isinstance(answer, Exception):
            raise answer
        found: Mapping[str, Any] = answer(parameters) if callable(answer) else answer
        return found

    @property
    def operations(self) -> set[str]:
        """Return what was called."""
        return {operation for operation, _ in self.asked}


def granted(action: Action, plan: Plan) -> Iterator[tuple[str, str, str]]:
    """Yield the call of each step, forward and back, with every permission and ARN that its session has."""
    for step in (*plan.steps, *action.procedure.compensation(plan)):
        if not step.changes:
            continue
        for statement in action.statements(plan, step):
            assert statement["Effect"] == "Allow"
            for permission in _texts(statement["Action"]):
                for arn in _texts(statement["Resource"]):
                    yield step.operation, permission, arn


def _texts(value: Any) -> list[str]:
    return [str(item) for item in value]
