"""The exact calls an act would make, and the state of the resource they assume.

People approve a plan's hash; the executor runs only the plan with that hash and only on a resource that still has the
fingerprint. Both are plain JSON so that they fit in an ActionRequest and can be read by anyone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from finops.domain.canonical import Json, sha256_hex
from finops.domain.recommendation import ResourceRef


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One step.

    Attributes:
        id: name of the step within the action, e.g. `stop`, `wait_stopped`, `modify_type`.
        operation: `ec2:StopInstances`; empty for a step that only waits and reads.
        parameters: the call's parameters exactly as they go to AWS (JSON).
        inverse: id of the compensating step of the same action, empty when there is none.
    """

    id: str
    operation: str = ""
    parameters: Mapping[str, Json] = field(default_factory=dict)
    inverse: str = ""

    @property
    def changes(self) -> bool:
        return bool(self.operation)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is approved: action, target, parameters, steps and the state they start from."""

    action: str
    resource: ResourceRef
    parameters: Mapping[str, Json]
    steps: tuple[PlanStep, ...]
    fingerprint: Mapping[str, Json]

    def to_json(self) -> dict[str, Json]:
        """Return the canonical document; the resource's name is left out, it is a tag anyone can edit."""
        return {
            "action": self.action,
            "resource": {
                "kind": self.resource.kind,
                "id": self.resource.id,
                "arn": self.resource.arn,
                "account": self.resource.account,
                "region": self.resource.region,
            },
            "parameters": dict(self.parameters),
            "steps": [
                {
                    "id": step.id,
                    "operation": step.operation,
                    "parameters": dict(step.parameters),
                    "inverse": step.inverse,
                }
                for step in self.steps
            ],
            "fingerprint": dict(self.fingerprint),
        }

    @property
    def hash(self) -> str:
        """SHA-256 of the canonical document, lower-case hexadecimal."""
        return sha256_hex(self.to_json())
