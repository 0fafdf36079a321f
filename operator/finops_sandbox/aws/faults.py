"""Faults on command: throttling, latency, lost connections, refused regions, missing capacity.

The control API injects them, an estate may declare them, and the server consults :class:`FaultBook` around every call.
"""

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

KINDS = {
    "throttle",
    "latency",
    "hang",
    "deny",
    "region_disabled",
    "capacity",
    "drop_after",
    "drop_before",
    "http_error",
    "lost_page",
    "partial_metrics",
    "error",
}
_FIELDS = {
    "kind": str,
    "service": str,
    "action": str,
    "account": str,
    "region": str,
    "resource": str,
    "count": int,
    "rate": (int, float),
    "seconds": (int, float),
    "code": str,
    "message": str,
    "status": int,
    "instanceType": str,
    "notTypes": list,
    "fraction": (int, float),
}


# Calls are known by the name they are signed for; people and IAM say cloudwatch.
_SIGNING_NAMES = {"cloudwatch": "monitoring"}


@dataclass(slots=True)
class Fault:
    """One armed fault. Empty match fields match everything; ``remaining`` None means until removed."""

    fault_id: str
    kind: str
    options: Mapping[str, Any]
    remaining: int | None = None
    rate: float = 1.0
    hits: int = 0
    # Seeded, so that a run can be repeated: the share is exact over time, the order is always the same.
    chance: random.Random = field(default_factory=lambda: random.Random(20_240_229))  # noqa: S311 - not a secret

    def as_json(self) -> dict[str, Any]:
        return {"id": self.fault_id, "kind": self.kind, **self.options, "remaining": self.remaining, "hits": self.hits}


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What a fault may match on."""

    service: str
    action: str
    account: str
    region: str
    resources: tuple[str, ...] = ()


def validate(document: Mapping[str, Any]) -> None:
    """Check a fault given as JSON or YAML.

    Raises:
        ValueError, TypeError: naming the field that is wrong.
    """
    for name, value in document.items():
        if name not in _FIELDS:
            raise ValueError(f"unknown fault field {name!r}")
        expected: Any = _FIELDS[name]
        if not isinstance(value, expected) or isinstance(value, bool):
            raise TypeError(f"fault field {name!r} has the wrong type")
    if document.get("kind") not in KINDS:
        raise ValueError(f"fault kind must be one of {', '.join(sorted(KINDS))}")
    if not 0 <= document.get("rate", 1) <= 1 or not 0 <= document.get("fraction", 1) <= 1:
        raise ValueError("rate and fraction lie between 0 and 1")
    if document.get("count", 1) < 1:
        raise ValueError("count is at least 1")


class FaultBook:
    """The armed faults. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: dict[str, Fault] = {}
        self._next = 1

    def inject(self, document: Mapping[str, Any]) -> str:
        """Arm a fault and return its id.

        Raises:
            ValueError: see :func:`validate`.
        """
        validate(document)
        with self._lock:
            fault_id = f"fault-{self._next}"
            self._next += 1
            options = {name: value for name, value in document.items() if name != "kind"}
            if "service" in options:
                options["service"] = _SIGNING_NAMES.get(options["service"], options["service"])
            self._faults[fault_id] = Fault(
                fault_id, str(document["kind"]), options, document.get("count"), float(document.get("rate", 1.0))
            )
        return fault_id

    def listing(self) -> list[dict[str, Any]]:
        with self._lock:
            return [fault.as_json() for fault in self._faults.values()]

    def remove(self, fault_id: str) -> bool:
        with self._lock:
            return self._faults.pop(fault_id, None) is not None

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def strike(self, kind: str, facts: CallFacts, *, instance_type: str = "") -> Fault | None:
        """The first fault of this kind that hits the call; counts the hit."""
        with self._lock:
            for fault in self._faults.values():
                if fault.kind != kind or fault.remaining == 0 or not _matches(fault, facts, instance_type):
                    continue
                if fault.rate < 1.0 and fault.chance.random() >= fault.rate:
                    continue
                fault.hits += 1
                if fault.remaining is not None:
                    fault.remaining -= 1
                return fault
        return None


def _matches(fault: Fault, facts: CallFacts, instance_type: str) -> bool:
    wanted = fault.options
    for name, value in (
        ("service", facts.service),
        ("action", facts.action),
        ("account", facts.account),
        ("region", facts.region),
    ):
        if wanted.get(name, value) != value:
            return False
    if "resource" in wanted and wanted["resource"] not in facts.resources:
        return False
    if wanted.get("instanceType", instance_type) != instance_type:
        return False
    return not (instance_type and instance_type in wanted.get("notTypes", ()))
