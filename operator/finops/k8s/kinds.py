"""Reads, writes and watches objects of our kinds as typed values.

One class serves them all; operator, bot and command line differ only in which methods their role lets them use.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Generic, TypeVar

from kubernetes import client

from finops.crds.action_request import ActionRequest
from finops.crds.approval import Approval
from finops.crds.aws_account import AwsAccount
from finops.crds.budget import Budget
from finops.crds.crd import GROUP, VERSION
from finops.crds.invalid import InvalidObject
from finops.crds.metadata import OwnerReference
from finops.crds.part import Kind
from finops.crds.scan_policy import ScanPolicy
from finops.errors import ClusterUnavailable
from finops.k8s.connection import REQUEST_TIMEOUT, Connection, NotFound, WatchExpired, cluster_errors

T = TypeVar("T", bound=Kind)
FIELD_MANAGER: Final = "finops-operator"
_PAGE: Final = 500
_WATCH_SECONDS: Final = 240
_WATCH_READ_TIMEOUT: Final = 70.0
"""Bookmarks arrive about every minute; a connection without any for longer is dead."""
_RECONNECT_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class WatchEvent(Generic[T]):
    """One step of a watch.

    Attributes:
        type: ADDED, MODIFIED, DELETED; SYNCED once after the first full list; INVALID for an object that does not
            parse (then `object` is None and `raw` holds it).
    """

    type: str
    object: T | None
    raw: Mapping[str, Any]


class KindApi(Generic[T]):
    """Typed access to one kind.

    Every method raises Refused, ClusterUnavailable; writes also Conflict and InvalidInput.
    """

    def __init__(self, connection: Connection, kind: type[T], *, newer: bool = False) -> None:
        """`newer`: objects may be of a newer release, and what this one does not know of them is left out."""
        self._api = client.CustomObjectsApi(connection.api)
        self._parse: Callable[[Mapping[str, Any]], T] = partial(kind.from_object, newer=newer)
        self._crd = kind.crd

    def _call(self, verb: str, namespace: str | None, part: str = "", **options: Any) -> Any:
        """Send one request: `verb` is the library's (get, list, create, patch, delete), `part` a subresource of ours.

        The library has every call twice, for kinds with and without a namespace; here is the only place that chooses.
        Lists without a namespace cover all of them.
        """
        whole = self._crd.scope == "Cluster" or (verb == "list" and namespace is None)
        send = getattr(self._api, f"{verb}_{'cluster' if whole else 'namespaced'}_custom_object{part}")
        where = {} if whole else {"namespace": namespace or "default"}
        options.setdefault("_request_timeout", REQUEST_TIMEOUT)
        return send(group=GROUP, version=VERSION, plural=self._crd.plural, **where, **options)

    def get(self, namespace: str, name: str) -> T | None:
        """Return the object, or None when it does not exist. Raises InvalidObject when it does not parse."""
        try:
            with cluster_errors(f"read {self._crd.kind} {namespace}/{name}"):
                raw = self._call("get", namespace, name=name)
        except NotFound:
            return None
        return self._parse(raw)

    def list(self, namespace: str | None = None, label_selector: str = "") -> Iterator[T]:
        """Yield every object of the namespace, or of all; those that do not parse are left out (see the watch)."""
        for raw in self._list_raw(namespace, label_selector):
            try:
                yield self._parse(raw)
            except InvalidObject:
                continue

    def list_wanted(self, namespace: str | None, wanted: Callable[[Mapping[str, Any]], bool]) -> Iterator[T]:
        """Yield the objects whose raw form is `wanted`, and leave none of them out.

        Raises:
            InvalidObject: one of them does not parse, such as one of a newer schema.
        """
        for raw in self._list_raw(namespace):
            if wanted(raw):
                yield self._parse(raw)

    def _list_raw(self, namespace: str | None, label_selector: str = "") -> Iterator[Mapping[str, Any]]:
        for page in self._pages(namespace, label_selector):
            yield from page["items"]

    def _pages(self, namespace: str | None, label_selector: str = "") -> Iterator[dict[str, Any]]:
        token: str | None = None
        while True:
            options: dict[str, Any] = {"limit": _PAGE}
            if token:
                options["_continue"] = token
            if label_selector:
                options["label_selector"] = label_selector
            with cluster_errors(f"list {self._crd.plural}"):
                page = self._call("list", namespace, **options)
            for item in page["items"]:
                # List items carry neither; parsing wants both.
                item.setdefault("apiVersion", f"{GROUP}/{VERSION}")
                item.setdefault("kind", self._crd.kind)
            yield page
            token = page["metadata"].get("continue")
            if not token:
                return

    def create(self, obj: T) -> T:
        """Create the object. Raises Conflict (code AlreadyExists) when the name is taken, Refused by admission."""
        with cluster_errors(f"create {self._crd.kind} {obj.metadata.name}"):
            raw = self._call("create", obj.metadata.namespace, body=obj.to_object(), field_manager=FIELD_MANAGER)
        return self._parse(raw)

    def replace_status(self, obj: T, status: Mapping[str, Any]) -> T:
        """Write the whole status with the object's resource version, so that a lost race raises Conflict."""
        # A JSON patch replaces lists and removed keys exactly; the version test makes it compare-and-swap.
        body: Any = [
            {"op": "test", "path": "/metadata/resourceVersion", "value": obj.metadata.resource_version},
            {"op": "add", "path": "/status", "value": dict(status)},
        ]
        with cluster_errors(f"write the status of {self._crd.kind} {obj.metadata.name}"):
            try:
                raw = self._call(
                    "patch",
                    obj.metadata.namespace,
                    "_status",
                    name=obj.metadata.name,
                    body=body,
                    field_manager=FIELD_MANAGER,
                    _content_type="application/json-patch+json",
                )
            except client.ApiException as error:
                # The API server answers a failed `test` with 422 and this generic sentence; a value that breaks a rule
                # is named. For us a failed test is a lost race.
                if error.status == 422 and "the server rejected our request due to an error" in str(error.body):
                    error.status = 409
                raise
        return self._parse(raw)

    def annotate(self, namespace: str, name: str, annotations: Mapping[str, str | None]) -> T:
        """Set annotations, or take those away that are None (a merge patch; other annotations stay)."""
        with cluster_errors(f"annotate {self._crd.kind} {namespace}/{name}"):
            raw = self._call(
                "patch",
                namespace,
                name=name,
                body={"metadata": {"annotations": dict(annotations)}},
                field_manager=FIELD_MANAGER,
                _content_type="application/merge-patch+json",
            )
        return self._parse(raw)

    def own(self, obj: T, owner: OwnerReference) -> T:
        """Name the object that takes this one along when it is deleted. Raises Conflict when this one changed since."""
        reference = owner.model_dump(by_alias=True, exclude_none=True)
        metadata = {"ownerReferences": [reference], "resourceVersion": obj.metadata.resource_version}
        with cluster_errors(f"name the owner of {self._crd.kind} {obj.metadata.name}"):
            raw = self._call(
                "patch",
                obj.metadata.namespace,
                name=obj.metadata.name,
                body={"metadata": metadata},
                field_manager=FIELD_MANAGER,
                _content_type="application/merge-patch+json",
            )
        return self._parse(raw)

    def delete(self, namespace: str, name: str) -> None:
        """Delete the object; a missing one is fine."""
        try:
            with cluster_errors(f"delete {self._crd.kind} {namespace}/{name}"):
                self._call("delete", namespace, name=name)
        except NotFound:
            return

    def watch(self, stop: threading.Event, namespace: str | None = None) -> Iterator[WatchEvent[T]]:
        """Yield every object, then SYNCED, then changes, for ever; reconnects and lists again by itself.

        Without `namespace` all are watched, which takes rights in the whole cluster: whoever serves some namespaces
        watches each of them. After a fresh list objects that vanished meanwhile come as DELETED. Ends when `stop` is
        set; raises Refused when the right to list is missing, because waiting does not change that.
        """
        known: dict[tuple[str, str], Mapping[str, Any]] = {}
        synced = False
        while not stop.is_set():
            try:
                version = ""
                listed: dict[tuple[str, str], Mapping[str, Any]] = {}
                for page in self._pages(namespace):
                    version = str(page["metadata"]["resourceVersion"])
                    listed |= {_key(raw): raw for raw in page["items"]}
                for key in known.keys() - listed.keys():
                    yield _event(self._parse, "DELETED", known[key])
                for key, raw in listed.items():
                    before = known.get(key)
                    if before is None or _version(before) != _version(raw):
                        yield _event(self._parse, "ADDED" if before is None else "MODIFIED", raw)
                known = listed
                if not synced:
                    synced = True
                    yield WatchEvent("SYNCED", None, {})
                yield from self._follow(stop, namespace, version, known)
            except WatchExpired:
                continue
            except ClusterUnavailable:
                stop.wait(_RECONNECT_SECONDS)

    def _follow(
        self,
        stop: threading.Event,
        namespace: str | None,
        version: str,
        known: dict[tuple[str, str], Mapping[str, Any]],
    ) -> Iterator[WatchEvent[T]]:
        while not stop.is_set():
            answered, opened = False, time.monotonic()
            for change in self._stream(namespace, version):
                if stop.is_set():
                    return
                answered = True
                raw = change["object"]
                if change["type"] == "ERROR":
                    raise WatchExpired(str(raw.get("message", "")), code=str(raw.get("reason", "")))
                version = _version(raw)
                if change["type"] == "BOOKMARK":
                    continue
                if change["type"] == "DELETED":
                    known.pop(_key(raw), None)
                else:
                    known[_key(raw)] = raw
                yield _event(self._parse, change["type"], raw)
            if not answered and time.monotonic() - opened < _RECONNECT_SECONDS:
                # A server that hangs up at once must not be asked without a pause.
                stop.wait(_RECONNECT_SECONDS)

    def _stream(self, namespace: str | None, version: str) -> Iterator[dict[str, Any]]:
        options: dict[str, Any] = {
            "watch": True,
            "resource_version": version,
            "allow_watch_bookmarks": True,
            "timeout_seconds": _WATCH_SECONDS,
            "_preload_content": False,
            "_request_timeout": (REQUEST_TIMEOUT[0], _WATCH_READ_TIMEOUT),
        }
        with cluster_errors(f"watch {self._crd.plural}"):
            response = self._call("list", namespace, **options)
            try:
                if response.status != 200:
                    raise client.ApiException(status=response.status, reason=response.reason)
                buffer = b""
                for chunk in response.stream(amt=None, decode_content=False):
                    buffer += chunk
                    while (end := buffer.find(b"\n")) >= 0:
                        line, buffer = buffer[:end], buffer[end + 1 :]
                        if line.strip():
                            yield json.loads(line)
            finally:
                response.close()
                response.release_conn()


def _event(parse: Callable[[Mapping[str, Any]], T], type_: str, raw: Mapping[str, Any]) -> WatchEvent[T]:
    try:
        return WatchEvent(type_, parse(raw), raw)
    except InvalidObject:
        return WatchEvent("INVALID", None, raw)


def _key(raw: Mapping[str, Any]) -> tuple[str, str]:
    metadata = raw["metadata"]
    return str(metadata.get("namespace", "")), str(metadata["name"])


def _version(raw: Mapping[str, Any]) -> str:
    return str(raw["metadata"]["resourceVersion"])


def scan_policies(connection: Connection, *, newer: bool = False) -> KindApi[ScanPolicy]:
    """Access to ScanPolicy objects; `newer` as in `KindApi`."""
    return KindApi(connection, ScanPolicy, newer=newer)


def aws_accounts(connection: Connection) -> KindApi[AwsAccount]:
    """Access to AwsAccount objects."""
    return KindApi(connection, AwsAccount)


def action_requests(connection: Connection, *, newer: bool = False) -> KindApi[ActionRequest]:
    """Access to ActionRequest objects; `newer` for those who only show them."""
    return KindApi(connection, ActionRequest, newer=newer)


def approvals(connection: Connection, *, newer: bool = False) -> KindApi[Approval]:
    """Access to Approval objects; `newer` for those who only show them."""
    return KindApi(connection, Approval, newer=newer)


def budgets(connection: Connection, *, newer: bool = False) -> KindApi[Budget]:
    """Access to Budget objects; `newer` for those who only show them."""
    return KindApi(connection, Budget, newer=newer)
