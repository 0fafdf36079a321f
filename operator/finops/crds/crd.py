"""What a CustomResourceDefinition says beside its schema: names, scope, columns.

Declared by each kind, read by the generator and by whoever needs a kind's plural or scope.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from finops.crds.rule import Rule

GROUP = "finops.dev"
VERSION = "v1alpha1"
CATEGORY = "finops"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of `kubectl get`; a wide one shows with `-o wide` only."""

    name: str
    path: str
    description: str
    type: Literal["string", "integer", "date", "boolean", "number"] = "string"
    wide: bool = False

    def as_object(self) -> dict[str, Any]:
        """An entry of `additionalPrinterColumns`."""
        entry: dict[str, Any] = {
            "name": self.name,
            "type": self.type,
            "jsonPath": self.path,
            "description": self.description,
        }
        return {**entry, "priority": 1} if self.wide else entry


@dataclass(frozen=True, slots=True)
class Crd:
    """The frame around a kind's schema.

    Attributes:
        rules: rules at the root of the schema, where `self.status` going away is still seen.
        selectable: fields that `--field-selector` accepts.
    """

    kind: str
    plural: str
    short: str
    scope: Literal["Namespaced", "Cluster"]
    description: str
    columns: tuple[Column, ...]
    selectable: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()

    @property
    def name(self) -> str:
        """The name of the CustomResourceDefinition object."""
        return f"{self.plural}.{GROUP}"


AGE = Column("Age", ".metadata.creationTimestamp", "Time since the object was made.", "date")
READY = Column("Ready", '.status.conditions[?(@.type=="Ready")].status', "Whether the object does its work.")
REASON = Column("Status", '.status.conditions[?(@.type=="Ready")].reason', "Why it is ready or not, in one word.")
MESSAGE = Column(
    "Message", '.status.conditions[?(@.type=="Ready")].message', "Why it is ready or not, in a sentence.", wide=True
)
