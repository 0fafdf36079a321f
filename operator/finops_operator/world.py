"""What the watches have shown: the objects of the four kinds as last seen, and a bell for the loops.

Filled by the kopf handlers, read by scheduler, request loop and canary. Level triggered: a loop that wakes looks at
everything, so a missed or doubled event costs nothing but a little time.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from finops.kinds.action_request import ActionRequest
from finops.kinds.approval import Approval
from finops.kinds.aws_account import AwsAccount
from finops.kinds.invalid import InvalidObject
from finops.kinds.part import Kind
from finops.kinds.scan_policy import ScanPolicy

logger = logging.getLogger(__name__)
T = TypeVar("T", bound=Kind)
Key = tuple[str, str]
"""(namespace, name); the namespace of cluster-scoped objects is empty."""


@dataclass(frozen=True, slots=True)
class Broken:
    """An object that does not parse: which, and what is wrong with it, so that its status can say so."""

    key: Key
    generation: int
    problem: str
    raw: Mapping[str, Any] = field(default_factory=dict)


class Kept(Generic[T]):
    """The objects of one kind, thread-safe."""

    def __init__(self, kind: type[T], ring: Callable[[], None]) -> None:
        self.kind = kind
        self._ring = ring
        self._lock = threading.Lock()
        self._objects: dict[Key, T] = {}
        self._broken: dict[Key, Broken] = {}
        self._listener: Callable[[Key, str], None] = lambda _key, _version: None

    def on_seen(self, listener: Callable[[Key, str], None]) -> None:
        """Call `listener(key, resource version)` for every event, for the canary."""
        self._listener = listener

    def saw(self, raw: Mapping[str, Any], *, deleted: bool = False) -> None:
        """Take in one event of the watch."""
        metadata = raw["metadata"]
        key = (str(metadata.get("namespace") or ""), str(metadata["name"]))
        with self._lock:
            if deleted:
                self._objects.pop(key, None)
                self._broken.pop(key, None)
            else:
                self._keep(key, raw)
        self._listener(key, str(metadata.get("resourceVersion", "")))
        self._ring()

    def _keep(self, key: Key, raw: Mapping[str, Any]) -> None:
        try:
            parsed = self.kind.from_object(raw)
        except InvalidObject as error:
            # The API server has accepted it, so it is older or newer than our schema: say so, do not crash.
            generation = int(raw["metadata"].get("generation") or 0)
            if key not in self._broken:
                logger.warning("%s %s is left out: %s", self.kind.crd.kind, "/".join(filter(None, key)), error)
            self._objects.pop(key, None)
            self._broken[key] = Broken(key, generation, str(error), raw)
        else:
            self._broken.pop(key, None)
            known = self._objects.get(key)
            if known is None or _newer(parsed, known):
                self._objects[key] = parsed

    def put(self, obj: T) -> None:
        """Remember our own write at once, so that the next look does not use the older object."""
        key = (obj.metadata.namespace or "", obj.metadata.name)
        with self._lock:
            known = self._objects.get(key)
            if known is None or _newer(obj, known):
                self._objects[key] = obj

    def drop(self, key: Key, uid: str | None) -> None:
        """Forget an object that is known to be gone; our own write may have come back after its deletion was seen."""
        with self._lock:
            known = self._objects.get(key)
            if known is not None and known.metadata.uid == uid:
                del self._objects[key]

    def all(self) -> tuple[T, ...]:
        with self._lock:
            return tuple(self._objects.values())

    def broken(self) -> tuple[Broken, ...]:
        with self._lock:
            return tuple(self._broken.values())

    def get(self, namespace: str, name: str) -> T | None:
        with self._lock:
            return self._objects.get((namespace, name))


def _newer(left: Kind, right: Kind) -> bool:
    if left.metadata.uid != right.metadata.uid:
        return True
    ours, theirs = left.metadata.resource_version or "0", right.metadata.resource_version or "0"
    # Resource versions are opaque by contract but comparable integers since Kubernetes 1.35 and in etcd always.
    return not (ours.isdecimal() and theirs.isdecimal()) or int(ours) >= int(theirs)


class World:
    """All four kinds and the bell."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._count = 0
        self.policies = Kept(ScanPolicy, self.ring)
        self.accounts = Kept(AwsAccount, self.ring)
        self.requests = Kept(ActionRequest, self.ring)
        self.approvals = Kept(Approval, self.ring)

    def ring(self) -> None:
        """Wake every waiting loop."""
        with self._changed:
            self._count += 1
            self._changed.notify_all()

    def wait(self, seen: int, timeout_seconds: float) -> int:
        """Sleep until something changed after `seen` or the time is up; return the new count."""
        with self._changed:
            self._changed.wait_for(lambda: self._count != seen, timeout_seconds)
            return self._count

    def approvals_of(self, request: ActionRequest) -> tuple[Approval, ...]:
        """The votes that name this request, in the order in which the API server stamped them."""
        namespace, name = request.metadata.namespace, request.metadata.name
        mine = [
            vote
            for vote in self.approvals.all()
            if vote.metadata.namespace == namespace and vote.spec.request.name == name
        ]
        return tuple(sorted(mine, key=lambda vote: (str(vote.metadata.creation_timestamp), vote.metadata.uid or "")))
