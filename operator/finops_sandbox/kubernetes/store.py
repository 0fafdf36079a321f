"""Objects in memory: what is put, removed and deleted, and what follows from it for dependents and namespaces.

Used by the writer (``writes``), by reads and watches, and by everything that needs an object (RBAC, admission). All
calls happen on the server's event loop, so each is atomic without locks. Stored objects are never changed in place: a
write puts a new dict, and readers may keep the old one.
"""

import copy
from collections import defaultdict

from finops_sandbox.kubernetes.change_log import ChangeLog
from finops_sandbox.kubernetes.kinds import CRD, NAMESPACE, kinds_of_definition
from finops_sandbox.kubernetes.known_kinds import KnownKinds
from finops_sandbox.kubernetes.objects import Kind, Obj, ObjectKey, StorageKey, object_key, timestamp
from finops_sandbox.kubernetes.owners import Owners, Place


class Store:
    """The state of the double: objects, the kinds they have, and the log of their changes."""

    def __init__(self) -> None:
        self.kinds = KnownKinds()
        self.changes = ChangeLog()
        self._objects: dict[StorageKey, dict[ObjectKey, Obj]] = defaultdict(dict)
        self._owners = Owners()

    # -- reading
    def get(self, kind: Kind, namespace: str, name: str) -> Obj | None:
        return self._objects[kind.storage].get((namespace, name))

    def all(self, kind: Kind, namespace: str = "") -> list[Obj]:
        """Objects in the order a list gives them, optionally of one namespace."""
        stored = sorted(self._objects[kind.storage].items())
        return [obj for (where, _), obj in stored if not namespace or where == namespace]

    # -- writing
    def put(self, kind: Kind, obj: Obj) -> Obj:
        """Store an object under a new resourceVersion and wake the watches. Returns the stored object."""
        key = object_key(obj)
        old = self._objects[kind.storage].get(key)
        self.changes.append("MODIFIED" if old else "ADDED", kind.storage, obj, old)
        self._objects[kind.storage][key] = obj
        self._owners.add(kind, obj, old)
        if kind == CRD:
            for defined in kinds_of_definition(obj):
                self.kinds.add(defined)
        return obj

    def remove(self, kind: Kind, obj: Obj, *, orphan: bool = False) -> None:
        """Remove an object at once, then whatever depends on it: the garbage collector's work without its delay."""
        key = object_key(obj)
        old = self._objects[kind.storage].pop(key, None)
        self.changes.append("DELETED", kind.storage, copy.deepcopy(obj), old)
        self._owners.remove(kind, obj)
        if kind == CRD:
            self._remove_kinds(obj)
        uid = obj["metadata"]["uid"]
        for place in self._owners.take_dependents(uid):
            self._release(place, uid, orphan=orphan)
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
        for storage, key in self._owners.unowned():
            obj, kind = self._objects[storage].get(key), self.kinds.of_storage(storage)
            if obj is not None and kind is not None:
                self.delete(kind, obj)
        self._owners.clear_unowned()

    # -- what follows from a deletion
    def _release(self, place: Place, owner: str, *, orphan: bool) -> None:
        """Take a gone owner off a dependent, and delete the dependent when that was its last."""
        storage, key = place
        obj, kind = self._objects[storage].get(key), self.kinds.of_storage(storage)
        if obj is None or kind is None:
            return
        left = [r for r in obj["metadata"]["ownerReferences"] if r["uid"] != owner]
        if not orphan and not any(self._owners.has(r["uid"]) for r in left):
            self.delete(kind, obj)
            return
        kept = copy.deepcopy(obj)
        kept["metadata"]["ownerReferences"] = left
        if not left:
            del kept["metadata"]["ownerReferences"]
        self.put(kind, kept)

    def _remove_kinds(self, definition: Obj) -> None:
        for kind in kinds_of_definition(definition):
            for obj in list(self._objects[kind.storage].values()):
                self.remove(kind, obj)
            self.kinds.remove(kind)

    def _delete_namespace(self, namespace: Obj) -> Obj:
        name = namespace["metadata"]["name"]
        if "deletionTimestamp" not in namespace["metadata"]:
            namespace = _marked(namespace)
            namespace["status"] = {"phase": "Terminating"}
            namespace = self.put(NAMESPACE, namespace)
        for kind in {kind.storage: kind for kind in self.kinds if kind.namespaced}.values():
            for obj in self.all(kind, name):
                self.delete(kind, obj)
        self._finish_namespace(name)
        return namespace

    def _finish_namespace(self, name: str) -> None:
        namespace = self._objects[NAMESPACE.storage].get(("", name))
        if namespace is None or "deletionTimestamp" not in namespace["metadata"]:
            return
        if any(where == name for stored in list(self._objects.values()) for where, _ in stored):
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
