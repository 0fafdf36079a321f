"""What the watches have shown: the objects of the four kinds as last seen, and a bell for the loops.

Filled by the kopf handlers, read by scheduler, request loop and canary. Level triggered: a loop that wakes reads
everything, so a missed or doubled event costs nothing but a little time. Whatever leans on an object *not* being there
asks `is_complete` first: a watch shows what it lists bit by bit, at the start and whenever it has to list again, and
never shows what vanished before that.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from finops.crds.action_request import ActionRequest
from finops.crds.approval import Approval
from finops.crds.aws_account import AwsAccount
from finops.crds.invalid import InvalidObject
from finops.crds.part import Kind
from finops.crds.scan_policy import ScanPolicy

logger = logging.getLogger(__name__)
T = TypeVar("T", bound=Kind)
Key = tuple[str, str]
"""(namespace, name); the namespace of cluster-scoped objects is empty."""


@dataclass(frozen=True, slots=True)
class UnparsedObject:
    """An object that does not parse: which, and what is wrong with it, so that its status can say so."""

    key: Key
    generation: int
    problem: str
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class _Scope:
    """What is watched and read by itself: one namespace, or everything.

    Attributes:
        listings: reasons to read it, the start being the first.
        read: how many of them a reading has met.
        shown: uids that its watch has shown since it last began to list; a listing shows an object once.
    """

    listings: int = 1
    read: int = 0
    shown: set[str | None] = field(default_factory=set)

    def listed(self, uid: str | None, *, is_news: bool) -> None:
        begins = uid in self.shown or not self.shown
        if begins:
            self.shown = set()
        self.shown.add(uid)
        if begins or is_news:
            # After its first object others may be missing or gone; after news there may be more of them.
            self.listings += 1


class _Listings:
    """How far what is watched was read, by watched namespace; used under the lock of `Kept`."""

    def __init__(self) -> None:
        self.namespaces: tuple[str, ...] = ()
        self._scopes: dict[str | None, _Scope] = {}
        """By watched namespace, None for all."""

    def where(self, namespace: str) -> str | None:
        return namespace if self.namespaces else None

    def scope(self, where: str | None) -> _Scope:
        return self._scopes.setdefault(where, _Scope())

    def unread(self) -> tuple[str | None, ...]:
        known = ((where, self.scope(where)) for where in self.namespaces or (None,))
        return tuple(where for where, scope in known if scope.read < scope.listings)


class _LastSeen(Generic[T]):
    """The objects of one kind as last seen; used under the lock of `Kept`.

    Attributes:
        gone: uids deleted while a reading goes on, which may still have seen them; None when there is none.
    """

    def __init__(self, kind: type[T]) -> None:
        self.kind = kind
        self.objects: dict[Key, T] = {}
        self.broken: dict[Key, UnparsedObject] = {}
        self.gone: set[str | None] | None = None

    def keep(self, key: Key, raw: Mapping[str, Any]) -> bool:
        """Keep one object; return whether it was not known like that."""
        try:
            parsed = self.kind.from_object(raw)
        except InvalidObject as error:
            # The API server has accepted it, so it is older or newer than our schema: say so, do not crash.
            generation = int(raw["metadata"].get("generation") or 0)
            is_news = key not in self.broken
            if is_news:
                logger.warning("%s %s is left out: %s", self.kind.crd.kind, "/".join(filter(None, key)), error)
            self.objects.pop(key, None)
            self.broken[key] = UnparsedObject(key, generation, str(error), raw)
            return is_news
        self.broken.pop(key, None)
        return self.take(parsed)

    def take(self, obj: T) -> bool:
        """Keep an object unless a newer one is known; return whether it is news."""
        key = _key(obj)
        known = self.objects.get(key)
        if known is not None and not _newer(obj, known):
            return False
        self.objects[key] = obj
        return known is None or known.metadata.resource_version != obj.metadata.resource_version

    def remove(self, key: Key, uid: str | None) -> None:
        if self.gone is not None:
            self.gone.add(uid)
        # The next object of the same name may have been shown already: each has an order of its own events only.
        known = self.objects.get(key)
        if known is not None and known.metadata.uid == uid:
            del self.objects[key]


class KindCache(Generic[T]):
    """The objects of one kind, thread-safe."""

    def __init__(self, kind: type[T], ring: Callable[[], None]) -> None:
        self.kind = kind
        self._ring = ring
        self._lock = threading.Lock()
        self._seen = _LastSeen(kind)
        self._listener: Callable[[Key, str], None] = lambda _key, _version: None
        self._listings = _Listings()
        self._reading = threading.Lock()

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Those that are watched, empty for all."""
        return self._listings.namespaces

    @namespaces.setter
    def namespaces(self, watched: tuple[str, ...]) -> None:
        self._listings.namespaces = watched

    def on_seen(self, listener: Callable[[Key, str], None]) -> None:
        """Call `listener(key, resource version)` for every event, for the canary."""
        self._listener = listener

    def saw(self, raw: Mapping[str, Any], *, deleted: bool = False, listed: bool = False) -> None:
        """Take in one event of the watch.

        Args:
            raw: the object.
            deleted: it is gone.
            listed: the watch lists, so there may be others that it has not shown yet, and some that are gone.
        """
        metadata = raw["metadata"]
        key = (str(metadata.get("namespace") or ""), str(metadata["name"]))
        uid = metadata.get("uid")
        with self._lock:
            scope = self._listings.scope(self._listings.where(key[0]))
            if deleted:
                self._seen.remove(key, uid)
                self._seen.broken.pop(key, None)
                scope.shown.discard(uid)
            else:
                is_news = self._seen.keep(key, raw)
                if listed:
                    scope.listed(uid, is_news=is_news)
                else:
                    scope.shown.add(uid)
        self._listener(key, str(metadata.get("resourceVersion", "")))
        self._ring()

    @property
    def is_complete(self) -> bool:
        """Whether everything that exists was read since the start, and since its watch last began to list."""
        return not self.unread()

    def is_complete_in(self, namespace: str) -> bool:
        """Return whether that holds for what is watched together with a namespace, which has to be a watched one."""
        with self._lock:
            scope = self._listings.scope(self._listings.where(namespace))
            return scope.read >= scope.listings

    def unread(self) -> tuple[str | None, ...]:
        """Return the watched namespaces of which something may be unknown; (None,) when all are watched as one."""
        with self._lock:
            return self._listings.unread()

    def read(self, read: Callable[[str | None], Iterable[T]]) -> None:
        """Read everything, one watched namespace after the other; see `read_in`."""
        for where in self.namespaces or (None,):
            self.read_in(where, read)

    def read_in(self, where: str | None, read: Callable[[str | None], Iterable[T]]) -> None:
        """Read one namespace and keep that, with what changes meanwhile; then its picture is complete.

        Args:
            where: a watched namespace, None for everything.
            read: returns what exists there at the time of the call. What it raises is raised, and changes nothing.
        """
        with self._reading:
            with self._lock:
                listings, gone = self._listings.scope(where).listings, set[str | None]()
                before = {key: known for key, known in self._seen.objects.items() if where in (None, key[0])}
                self._seen.gone = gone
            try:
                found = {_key(obj): obj for obj in read(where)}
                with self._lock:
                    for key, known in before.items():
                        if key not in found and self._seen.objects.get(key) is known:
                            del self._seen.objects[key]
                    for obj in found.values():
                        if obj.metadata.uid not in gone:
                            self._seen.take(obj)
                    scope = self._listings.scope(where)
                    scope.read = max(scope.read, listings)
            finally:
                self._seen.gone = None

    def put(self, obj: T) -> None:
        """Remember our own write at once, so that the next pass does not use the older object."""
        with self._lock:
            self._seen.take(obj)

    def drop(self, key: Key, uid: str | None) -> None:
        """Forget an object that is known to be gone; our own write may have come back after its deletion was seen."""
        with self._lock:
            self._seen.remove(key, uid)

    def all(self) -> tuple[T, ...]:
        with self._lock:
            return tuple(self._seen.objects.values())

    def broken(self) -> tuple[UnparsedObject, ...]:
        with self._lock:
            return tuple(self._seen.broken.values())

    def get(self, namespace: str, name: str) -> T | None:
        with self._lock:
            return self._seen.objects.get((namespace, name))


def _key(obj: Kind) -> Key:
    return (obj.metadata.namespace or "", obj.metadata.name)


def _newer(left: Kind, right: Kind) -> bool:
    ours, theirs = left.metadata.resource_version or "0", right.metadata.resource_version or "0"
    # Resource versions are opaque by contract but comparable integers since Kubernetes 1.35 and in etcd always.
    return not (ours.isdecimal() and theirs.isdecimal()) or int(ours) >= int(theirs)


class ClusterCache:
    """All four kinds and the bell."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._count = 0
        self.policies = KindCache(ScanPolicy, self.ring)
        self.accounts = KindCache(AwsAccount, self.ring)
        self.requests = KindCache(ActionRequest, self.ring)
        self.approvals = KindCache(Approval, self.ring)

    def watches(self, namespaces: Sequence[str]) -> None:
        """Note which namespaces are watched, empty for all; accounts have none."""
        for cache in (self.policies, self.requests, self.approvals):
            cache.namespaces = tuple(namespaces)

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
        """The votes that mean this request by name or by uid, in the order in which the API server stamped them.

        One that has only one of both right means nothing that is there: it counts for nobody and wants an answer.
        """
        me = request.metadata
        mine = [
            vote
            for vote in self.approvals.all()
            if vote.metadata.namespace == me.namespace
            and (vote.spec.request.name == me.name or vote.spec.request.uid == me.uid)
        ]
        return tuple(sorted(mine, key=lambda vote: (str(vote.metadata.creation_timestamp), vote.metadata.uid or "")))
