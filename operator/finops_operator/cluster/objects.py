"""Our own writes to our kinds: compare-and-swap, remembered at once, and awaited by the canary.

Used by scheduler, decider and executor: the one writer of each status.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

from finops.crds.metadata import OwnerReference
from finops.crds.part import Kind
from finops.errors import ClusterUnavailable, Conflict, FinopsError, Refused
from finops.k8s.connection import NotFound
from finops.k8s.kinds import KindApi
from finops_operator.cluster.cache import KindCache, newer
from finops_operator.cluster.canary import Canary

logger = logging.getLogger(__name__)
T = TypeVar("T", bound=Kind)
CANARY_ANNOTATION: Final = "finops.dev/canary"
_TRIES: Final = 4


class Gone(Conflict):
    """The object was deleted, or another one has its name."""


class Objects(Generic[T]):
    """One kind: the API, what the watch showed, and the canary."""

    def __init__(self, api: KindApi[T], cache: KindCache[T], canary: Canary) -> None:
        self.api = api
        self.cache = cache
        self._canary = canary
        self._name = cache.kind.crd.kind
        self._unread: frozenset[str | None] = frozenset()
        cache.on_seen(lambda key, version: canary.saw(self._name, key, version))

    def create(self, obj: T) -> T:
        """Create an object. Raises Conflict (AlreadyExists), Refused, InvalidInput, ClusterUnavailable."""
        return self._written(self.api.create(obj))

    def write_status(self, obj: T, change: Callable[[T], dict[str, Any]]) -> T:
        """Write the status that `change` makes of the newest object; on a lost race read again and ask again.

        `obj` may be old, such as that of the start of a long scan: others have written since, and the newest known
        version of it is taken at once, so that the API server need not refuse the older one first.

        Raises:
            Gone: the object is no longer there.
            Conflict: the race was lost several times in a row.
            Refused, InvalidInput, ClusterUnavailable.
        """
        current = _newest_known(self.cache, obj)
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
        self.cache.put(found)
        return found

    def complete(self) -> None:
        """Make sure that all objects are known, as far as the watch has not shown them (yet).

        Raises:
            Refused, ClusterUnavailable: some may be unknown.
        """
        for where in self.cache.unread():
            self.cache.read_in(where, self.api.list)

    def complete_in(self, namespace: str) -> None:
        """Make sure of it for one namespace. Raises as `complete`."""
        if not self.cache.is_complete_in(namespace):
            self.cache.read_in(namespace if self.cache.namespaces else None, self.api.list)

    def complete_where_possible(self) -> frozenset[str | None]:
        """Make sure of it wherever the API server lets us; warn once where it does not.

        Returns the watched namespaces of which some objects may be unknown; with None in it, that is everywhere.
        """
        failed = set[str | None]()
        for where in self.cache.unread():
            try:
                self.cache.read_in(where, self.api.list)
            except FinopsError as error:
                failed.add(where)
                if where not in self._unread:
                    logger.warning(
                        "%s objects cannot be read in %s, what leans on them waits: %s",
                        self._name,
                        _scope_name(where),
                        error,
                    )
        for where in self._unread - failed:
            logger.info("%s objects are read again in %s", self._name, _scope_name(where))
        self._unread = frozenset(failed)
        return self._unread

    def found(self) -> tuple[T, ...]:
        """Return what the API server has now; of a watched namespace that it does not show, what was last seen.

        Raises:
            Refused, ClusterUnavailable: everything is watched as one and cannot be read.
        """
        found: list[T] = []
        for where in self.cache.namespaces or (None,):
            try:
                found += tuple(self.api.list(where))
            except (Refused, ClusterUnavailable) as error:
                if where is None:
                    raise
                logger.warning("%s objects of namespace %s are taken as last seen: %s", self._name, where, error)
                found += (one for one in self.cache.all() if one.metadata.namespace == where)
        return tuple(found)

    def read_again(self) -> None:
        """Read all objects from the API server now. Raises Refused, ClusterUnavailable."""
        self.cache.read(self.api.list)

    def own(self, obj: T, owner: OwnerReference) -> T:
        """Name the object's owner. Raises Gone, Conflict, Refused, ClusterUnavailable."""
        try:
            return self._written(self.api.own(obj, owner))
        except NotFound as error:
            raise self._gone(obj) from error

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
        self.cache.drop(key, obj.metadata.uid)
        self._canary.gone(self._name, key)

    def touch_when_idle(self, seconds: float, stamp: str) -> None:
        """Annotate one object when the watch had nothing to show for a while."""
        if not self._canary.idle(self._name, seconds):
            return
        for obj in self.cache.all()[:1]:
            try:
                touched = self.api.annotate(obj.metadata.namespace or "", obj.metadata.name, {CANARY_ANNOTATION: stamp})
            except NotFound:
                # The watch has not shown it, or never will: the next pass takes another object.
                self._forget(obj)
            else:
                self._written(touched)

    def _written(self, obj: T) -> T:
        key = (obj.metadata.namespace or "", obj.metadata.name)
        self._canary.wrote(self._name, key, obj.metadata.resource_version or "")
        self.cache.put(obj)
        return obj


def _scope_name(where: str | None) -> str:
    return "any namespace" if where is None else f"namespace {where}"


def _newest_known(cache: KindCache[T], obj: T) -> T:
    known = cache.get(obj.metadata.namespace or "", obj.metadata.name)
    if known is None or known.metadata.uid != obj.metadata.uid:
        return obj
    return known if newer(known, obj) else obj
