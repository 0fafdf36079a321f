"""The double for tests and for the supervisor of the demo: a thread with its own event loop."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from finops_sandbox.kubernetes.accounts import (
    DEFAULT_SERVICE_ACCOUNTS,
    DEFAULT_USERS,
    Accounts,
    ServiceAccount,
    User,
    kubeconfig,
    write_kubeconfig,
)
from finops_sandbox.kubernetes.audit import AuditLog, read_audit
from finops_sandbox.kubernetes.cluster import Cluster, Source
from finops_sandbox.kubernetes.loop_thread import LoopThread
from finops_sandbox.kubernetes.objects import Obj
from finops_sandbox.kubernetes.server import Listener, Server
from finops_sandbox.kubernetes.tls import make_certificates
from finops_sandbox.ports import free_port


class KubernetesDouble:
    """A running API server on loopback; use it as a context manager.

    Args:
        directory: for the CA, the kubeconfigs and the audit log; it must exist.
        crds: files or folders with CustomResourceDefinitions, loaded first.
        manifests: files, folders or documents loaded after them.
        users: people; each is a context of the kubeconfig.
        service_accounts: programs; each is a context, too, and exists as an object.
        host: address to listen on.
        port: 0 takes one that stays its own while it is down.

    Raises (when entered):
        ManifestError: a manifest cannot be loaded.
        OSError: the port is taken.
    """

    def __init__(
        self,
        directory: Path,
        *,
        crds: Iterable[Source] = (),
        manifests: Iterable[Source] = (),
        users: Iterable[User] = DEFAULT_USERS,
        service_accounts: Iterable[ServiceAccount] = DEFAULT_SERVICE_ACCOUNTS,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.directory = directory
        self.accounts = Accounts([*users, *service_accounts])
        self._sources = (*crds,), (*manifests,)
        self._host, self._port = host, port or free_port(host)

    def __enter__(self) -> Self:
        self._cluster = Cluster(self.accounts)
        for sources in self._sources:
            self._cluster.apply(sources)
        self._audit = AuditLog(self.directory / "audit.jsonl")
        self.ca_file, context = make_certificates(self.directory, self._host)
        self._listener = Listener(Server(self._cluster, self._audit), self._host, self._port, context)
        self._thread = LoopThread("kubernetes-double")
        try:
            self._thread.run(self._listener.start())
        except OSError:
            self._thread.stop()
            self._audit.close()
            raise
        self.kubeconfig = self._write_kubeconfig(self.directory / "kubeconfig", self.accounts.all[0].context)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.run(self._listener.stop())
        self._thread.stop()
        self._audit.close()

    # -- for clients
    @property
    def url(self) -> str:
        return f"https://{self._host}:{self._listener.port}"

    def token(self, context: str) -> str:
        """The bearer token of a user or service account, by its context name."""
        return self.accounts.tokens[context]

    def kubeconfig_for(self, context: str) -> Path:
        """A kubeconfig whose current context is the given one."""
        return self._write_kubeconfig(self.directory / f"kubeconfig-{context}", context)

    # -- for tests
    def apply(self, *sources: Source) -> list[Obj]:
        """Create or replace objects as an administrator.

        Raises:
            ManifestError: a document cannot be loaded.
        """
        return self._thread.call(lambda: self._cluster.apply(sources))

    def objects(self, resource: str) -> list[Obj]:
        """A snapshot of all objects of ``plural`` or ``plural.group``."""
        return self._thread.call(lambda: self._cluster.objects(resource))

    def put_back(self, resource: str, objects: Iterable[Obj]) -> None:
        """Store objects as a snapshot had them, past every rule, as restoring a copy of etcd does."""
        self._thread.call(lambda: self._cluster.put_back(resource, objects))

    @property
    def not_evaluated(self) -> list[str]:
        """CEL rules that are not enforced as written; empty is what one wants."""
        return self._thread.call(lambda: self._cluster.not_evaluated)

    def audit(self) -> list[Obj]:
        """All requests so far, as ``audit.k8s.io/v1`` events."""
        return read_audit(self.directory / "audit.jsonl")

    @contextmanager
    def down(self) -> Iterator[None]:
        """Close every connection and refuse new ones during the block, then listen on the same port with the state."""
        self._thread.run(self._listener.stop())
        try:
            yield
        finally:
            self._thread.run(self._listener.start())

    def restart(self, down_seconds: float = 0.0) -> None:
        """Be down for a while."""
        with self.down():
            time.sleep(down_seconds)

    def expire_watches(self) -> None:
        """Forget the change log: running and resuming watches are answered 410 Gone."""
        self._thread.call(self._cluster.store.changes.expire)

    # -- inside
    def _write_kubeconfig(self, path: Path, context: str) -> Path:
        write_kubeconfig(path, kubeconfig(self.url, self.ca_file.read_bytes(), self.accounts, context))
        return path
