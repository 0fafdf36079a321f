"""Who owns whom, by ``ownerReferences``: the index that the garbage collector's work needs."""

from collections import defaultdict

from finops_sandbox.kubernetes.objects import Kind, Obj, ObjectKey, StorageKey, object_key

Place = tuple[StorageKey, ObjectKey]
"""Where an object is stored."""


class Owners:
    """The uids that exist, and the places of their dependents."""

    def __init__(self) -> None:
        self._uids: set[str] = set()
        self._dependents: dict[str, set[Place]] = defaultdict(set)
        self._unowned: set[Place] = set()

    def add(self, kind: Kind, obj: Obj, old: Obj | None) -> None:
        """Index an object that was stored in place of ``old``."""
        place = kind.storage, object_key(obj)
        for reference in (old or {}).get("metadata", {}).get("ownerReferences") or ():
            self._dependents[reference["uid"]].discard(place)
        owners = [reference["uid"] for reference in obj["metadata"].get("ownerReferences") or ()]
        for uid in owners:
            self._dependents[uid].add(place)
        self._uids.add(obj["metadata"]["uid"])
        if owners and not any(uid in self._uids for uid in owners):
            self._unowned.add(place)

    def remove(self, kind: Kind, obj: Obj) -> None:
        """Drop an object that is gone; its dependents stay until they are taken."""
        place = kind.storage, object_key(obj)
        self._uids.discard(obj["metadata"]["uid"])
        self._unowned.discard(place)
        for reference in obj["metadata"].get("ownerReferences") or ():
            self._dependents[reference["uid"]].discard(place)

    def has(self, uid: str) -> bool:
        """Whether an object with this uid exists."""
        return uid in self._uids

    def take_dependents(self, uid: str) -> list[Place]:
        """The dependents of an owner that is gone, in a fixed order; they are no longer indexed under it."""
        return sorted(self._dependents.pop(uid, ()))

    def unowned(self) -> list[Place]:
        """Objects whose owners never existed."""
        return sorted(self._unowned)

    def clear_unowned(self) -> None:
        """Note that the objects without owners were dealt with."""
        self._unowned.clear()
