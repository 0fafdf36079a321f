"""Connects a command to the user's cluster, as the user: nothing here has rights of its own."""

from __future__ import annotations

from dataclasses import dataclass

from finops.k8s.access import Access
from finops.k8s.connection import Connection, connect


@dataclass(frozen=True, slots=True)
class Cluster:
    """A connection and the namespace the user means."""

    connection: Connection
    namespace: str

    @property
    def access(self) -> Access:
        return Access(self.connection)


def open_cluster(kubeconfig: str, context: str, namespace: str) -> Cluster:
    """Connect; an empty `namespace` is the context's.

    Raises:
        InvalidInput: there is no usable configuration.
    """
    connection = connect(kubeconfig, context)
    return Cluster(connection, namespace or connection.namespace)
