"""The resource kinds that the server serves: those built in, and those of the definitions it holds."""

from collections.abc import Callable, Iterator

from finops_sandbox.kubernetes.kinds import BUILT_IN
from finops_sandbox.kubernetes.objects import Kind, StorageKey


class KnownKinds:
    """Kinds by group, version and plural."""

    def __init__(self) -> None:
        self._kinds = {(kind.group, kind.version, kind.plural): kind for kind in BUILT_IN}
        self._followers: list[Callable[[Kind], None]] = []

    def __iter__(self) -> Iterator[Kind]:
        return iter(self._kinds.values())

    def get(self, group: str, version: str, plural: str) -> Kind | None:
        """The kind of an address."""
        return self._kinds.get((group, version, plural))

    def of_resource(self, group: str, plural: str) -> Kind | None:
        """The first version of a resource."""
        return next((kind for kind in self if (kind.group, kind.plural) == (group, plural)), None)

    def of_storage(self, storage: StorageKey) -> Kind | None:
        """The first kind whose objects are kept in a place."""
        return next((kind for kind in self if kind.storage == storage), None)

    def follow(self, callback: Callable[[Kind], None]) -> None:
        """Have every kind passed on that is added or changed from now on."""
        self._followers.append(callback)

    def add(self, kind: Kind) -> None:
        """Serve a kind, in place of an earlier definition of it."""
        self._kinds[kind.group, kind.version, kind.plural] = kind
        for callback in self._followers:
            callback(kind)

    def remove(self, kind: Kind) -> None:
        """Serve a kind no longer."""
        self._kinds.pop((kind.group, kind.version, kind.plural), None)
