"""Our own writes to the four kinds: compare-and-swap, remembered at once, and awaited by the canary.

Used by scheduler, decider and executor: the one writer of each status.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

from finops.errors import Conflict
from finops.k8s.connection import NotFound
from finops.k8s.kinds import KindApi
from finops.kinds.part import Kind
from finops_operator.canary import Canary
from finops_operator.world import Kept

T = TypeVar("T", bound=Kind)
CANARY_ANNOTATION: Final = "finops.dev/canary"
_TRIES: Final = 4


class Gone(Conflict):
    """The object was deleted, or another one has its name."""


class Objects(Generic[T]):
    """One kind: the API, what the watch showed, and the canary."""

    def __init__(self, api: KindApi[T], kept: Kept[T], canary: Canary) -> None:
        self.api = api
        self.kept = kept
        self._canary = canary
        self._name = kept.kind.crd.kind
        kept.on_seen(lambda key, version: canary.saw(self._name, key, version))

    def create(self, obj: T) -> T:
        """Create an object. Raises Conflict (AlreadyExists), Refused, InvalidInput, ClusterUnavailable."""
        return self._written(self.api.create(obj))

    def write_status(self, obj: T, change: Callable[[T], dict[str, Any]]) -> T:
        """Write the status that `change` makes of the newest object; on a lost race read again and ask again.

        Raises:
            Gone: the object is no longer there.
            Conflict: the race was lost several times in a row.
            Refused, InvalidInput, ClusterUnavailable.
        """
        current = obj
        for last in (False,) * (_TRIES - 1) + (True,):
            try:
                return self._written(self.api.replace_status(current, change(current)))
            except NotFound as error:
                raise self._gone(obj) from error
            except Gone:
                raise
            except Conflict:
                if last:
                    raise
                current = self.fresh(obj)
        raise AssertionError("the last try returns or raises")

    def fresh(self, obj: T) -> T:
        """Read the object again from the API server.

        Raises:
            Gone: it is no longer there, or another object took its name.
        """
        found = self.api.get(obj.metadata.namespace or "", obj.metadata.name)
        if found is None or found.metadata.uid != obj.metadata.uid:
            raise self._gone(obj)
        self.kept.put(found)
        return found

    def complete(self) -> None:
        """Make sure that all objects are known, as far as the watch has not shown them (yet).

        Raises:
            Refused, ClusterUnavailable: some may be unknown.
        """
        if not self.kept.is_complete:
            self.read_again()

    def read_again(self) -> None:
        """Read all objects from the API server now. Raises Refused, ClusterUnavailable."""
        self.kept.read(self.api.list)

    def delete(self, obj: T) -> None:
        """Delete the object if it is still this one. Raises Gone, Refused, ClusterUnavailable."""
        current = self.fresh(obj)
        self.api.delete(current.metadata.namespace or "", current.metadata.name)
        self._forget(obj)

    def _gone(self, obj: T) -> Gone:
        self._forget(obj)
        return Gone(f"{self._name} {obj.metadata.namespace or ''}/{obj.metadata.name} is gone", code="Gone")

    def _forget(self, obj: T) -> None:
        key = (obj.metadata.namespace or "", obj.metadata.name)
        self.kept.drop(key, obj.metadata.uid)
        self._canary.gone(self._name, key)

    def touch_when_idle(self, seconds: float, stamp: str) -> None:
        """Annotate one object when the watch had nothing to show for a while."""
        if not self._canary.idle(self._name, seconds):
            return
        for obj in self.kept.all()[:1]:
            try:
                touched = self.api.annotate(obj.metadata.namespace or "", obj.metadata.name, {CANARY_ANNOTATION: stamp})
            except NotFound:
                # The watch has not told, or never will: the next look takes another object.
                self._forget(obj)
            else:
                self._written(touched)

    def _written(self, obj: T) -> T:
        key = (obj.metadata.namespace or "", obj.metadata.name)
        self._canary.wrote(self._name, key, obj.metadata.resource_version or "")
        self.kept.put(obj)
        return obj
