"""Objects in memory, their versions, and the log of changes that watches read.

Used by the writer (``writes``), by reads and watches, and by everything that finds objects (RBAC, admission).
All calls happen on the server's event loop, so each is atomic without locks. Stored objects are never changed in
place: a write puts a new dict, and readers may keep the old one.
"""

import asyncio
import copy
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from finops_sandbox.kubernetes.kinds import BUILT_IN, CRD, NAMESPACE, kinds_of_definition
from finops_sandbox.kubernetes.objects import Kind, Obj, ObjectKey, StorageKey, object_key, timestamp

HISTORY = 5_000


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the log: what happened to which object, and what it was before."""

    revision: int
    storage: StorageKey
    type: str
    obj: Obj
    old: Obj | None


@dataclass
class Store:
    """The state of the double.

    Revisions start from the clock, so that a watcher of an earlier process learns that its version is too old instead
    of being served nothing.
    """

    history: int = HISTORY
    revision: int = field(default_factory=lambda: int(time.time() * 10))
    kinds: dict[tuple[str, str, str], Kind] = field(default_factory=dict)
    objects: dict[StorageKey, dict[ObjectKey, Obj]] = field(default_factory=lambda: defaultdict(dict))
    log: deque[Change] = field(default_factory=deque)
    listeners: set[asyncio.Event] = field(default_factory=set)
    on_kind: list[Callable[[Kind], None]] = field(default_factory=list)
    _dependents: dict[str, set[tuple[StorageKey, ObjectKey]]] = field(default_factory=lambda: defaultdict(set))
    _uids: set[str] = field(default_factory=set)
    _unowned: set[tuple[StorageKey, ObjectKey]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.compacted = self.revision
        for kind in BUILT_IN:
            self.kinds[kind.group, kind.version, kind.plural] = kind

    # -- reading
    def get(self, kind: Kind, namespace: str, name: str) -> Obj | None:
        return self.objects[kind.storage].get((namespace, name))

    def all(self, kind: Kind, namespace: str = "") -> list[Obj]:
        """Objects in the order a list gives them, optionally of one namespace."""
        stored = sorted(self.objects[kind.storage].items())
        return [obj for (where, _), obj in stored if not namespace or where == namespace]

    def kind_by_resource(self, group: str, plural: str) -> Kind | None:
        return next((k for k in self.kinds.values() if (k.group, k.plural) == (group, plural)), None)

    # -- writing
    def put(self, kind: Kind, obj: Obj) -> Obj:
        """Store an object under a new resourceVersion and notify the watchers. Returns the stored object."""
        key = object_key(obj)
        old = self.objects[kind.storage].get(key)
        self._emit("MODIFIED" if old else "ADDED", kind.storage, obj, old)
        self.objects[kind.storage][key] = obj
        self._index(kind, key, obj, old)
        if kind == CRD:
            for defined in kinds_of_definition(obj):
                self.kinds[defined.group, defined.version, defined.plural] = defined
                for notify in self.on_kind:
                    notify(defined)
        return obj

    def remove(self, kind: Kind, obj: Obj, *, orphan: bool = False) -> None:
        """Remove an object, then whatever depends on it: the garbage collector's work, done at once."""
        key = object_key(obj)
        old = self.objects[kind.storage].pop(key, None)
        self._emit("DELETED", kind.storage, copy.deepcopy(obj), old)
        uid = obj["metadata"]["uid"]
        self._uids.discard(uid)
        self._unowned.discard((kind.storage, key))
        for reference in obj["metadata"].get("ownerReferences") or ():
            self._dependents[reference["uid"]].discard((kind.storage, key))
        if kind == CRD:
            self._forget_kinds(obj)
        for storage, dependent in sorted(self._dependents.pop(uid, ())):
            self._release(storage, dependent, uid, orphan=orphan)
        if kind.namespaced:
            self._finish_namespace(key[0])

    def delete(self, kind: Kind, obj: Obj, *, orphan: bool = False) -> Obj:
        """Ask for deletion: at once without finalizers, else marked with ``deletionTimestamp``. Returns the object."""
        if kind == NAMESPACE:
            return self._delete_namespace(obj)
        if not obj["metadata"].get("finalizers"):
            self.remove(kind, obj, orphan=orphan)
            return obj
        if "deletionTimestamp" in obj["metadata"]:
            return obj
        return self.put(kind, _marked(obj))

    def sweep(self) -> None:
        """Remove objects whose owners never existed; the real collector does it seconds after their creation."""
        for storage, key in sorted(self._unowned):
            obj, kind = self.objects[storage].get(key), self._kind_of(storage)
            if obj is not None and kind is not None:
                self.delete(kind, obj)
        self._unowned.clear()

    def expire(self) -> None:
        """Forget the log: watchers that resume from an earlier version are answered 410 Gone."""
        self.log.clear()
        self.revision += 1
        self.compacted = self.revision

    def changes_since(self, revision: int) -> Iterator[Change]:
        """Entries after a revision, oldest first; the walk starts at the end, so it costs what is new."""
        fresh: list[Change] = []
        for change in reversed(self.log):
            if change.revision <= revision:
                break
            fresh.append(change)
        return reversed(fresh)

    # -- inside
    def _emit(self, type_: str, storage: StorageKey, obj: Obj, old: Obj | None) -> None:
        self.revision += 1
        obj["metadata"]["resourceVersion"] = str(self.revision)
        if len(self.log) >= self.history:
            self.compacted = self.log.popleft().revision
        self.log.append(Change(self.revision, storage, type_, obj, old))
        for event in self.listeners:
            event.set()

    def _index(self, kind: Kind, key: ObjectKey, obj: Obj, old: Obj | None) -> None:
        where = (kind.storage, key)
        for reference in (old or {}).get("metadata", {}).get("ownerReferences") or ():
            self._dependents[reference["uid"]].discard(where)
        owners = [reference["uid"] for reference in obj["metadata"].get("ownerReferences") or ()]
        for uid in owners:
            self._dependents[uid].add(where)
        self._uids.add(obj["metadata"]["uid"])
        if owners and not any(uid in self._uids for uid in owners):
            self._unowned.add(where)

    def _release(self, storage: StorageKey, key: ObjectKey, owner: str, *, orphan: bool) -> None:
        obj, kind = self.objects[storage].get(key), self._kind_of(storage)
        if obj is None or kind is None:
            return
        left = [r for r in obj["metadata"]["ownerReferences"] if r["uid"] != owner]
        if not orphan and not any(r["uid"] in self._uids for r in left):
            self.delete(kind, obj)
            return
        kept = copy.deepcopy(obj)
        kept["metadata"]["ownerReferences"] = left
        if not left:
            del kept["metadata"]["ownerReferences"]
        self.put(kind, kept)

    def _kind_of(self, storage: StorageKey) -> Kind | None:
        return next((k for k in self.kinds.values() if k.storage == storage), None)

    def _forget_kinds(self, definition: Obj) -> None:
        for kind in kinds_of_definition(definition):
            for obj in list(self.objects[kind.storage].values()):
                self.remove(kind, obj)
            self.kinds.pop((kind.group, kind.version, kind.plural), None)

    def _delete_namespace(self, namespace: Obj) -> Obj:
        name = namespace["metadata"]["name"]
        if "deletionTimestamp" not in namespace["metadata"]:
            namespace = _marked(namespace)
            namespace["status"] = {"phase": "Terminating"}
            namespace = self.put(NAMESPACE, namespace)
        for kind in {k.storage: k for k in self.kinds.values() if k.namespaced}.values():
            for obj in self.all(kind, name):
                self.delete(kind, obj)
        self._finish_namespace(name)
        return namespace

    def _finish_namespace(self, name: str) -> None:
        namespace = self.objects[NAMESPACE.storage].get(("", name))
        if namespace is None or "deletionTimestamp" not in namespace["metadata"]:
            return
        if any(where == name for stored in list(self.objects.values()) for where, _ in stored):
            return
        if not namespace["metadata"].get("finalizers"):
            self.remove(NAMESPACE, namespace)


def _marked(obj: Obj) -> Obj:
    marked = copy.deepcopy(obj)
    metadata = marked["metadata"]
    metadata["deletionTimestamp"], metadata["deletionGracePeriodSeconds"] = timestamp(), 0
    if "generation" in metadata:
        metadata["generation"] += 1
    return marked
