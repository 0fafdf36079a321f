"""Watches: a stream of events from a resourceVersion on, with bookmarks, time limit and 410 Gone."""

import asyncio
import json
from collections.abc import Iterator

from aiohttp import web

from finops_sandbox.kubernetes.change_log import Change
from finops_sandbox.kubernetes.defaults import presented
from finops_sandbox.kubernetes.objects import ApiError, Kind, Obj
from finops_sandbox.kubernetes.reads import keeper, metadata_only, wanted_shape
from finops_sandbox.kubernetes.requests import Target, is_true
from finops_sandbox.kubernetes.store import Store
from finops_sandbox.kubernetes.tables import table

BOOKMARK_SECONDS = 30.0
LONGEST_SECONDS = 1800.0


class Watch:
    """One client's stream."""

    def __init__(self, request: web.Request, store: Store, kind: Kind, target: Target) -> None:
        """Read the request's options.

        Raises:
            ApiError: 400 for bad selectors, 500 for a resourceVersion that is no number (as the real server).
        """
        self._request = request
        self._store = store
        self._kind = kind
        self._keep = keeper(request, kind, target)
        self._shape = wanted_shape(request)
        self._headers_sent = False
        self._bookmarks = is_true(request, "allowWatchBookmarks")
        self._initial = is_true(request, "sendInitialEvents")
        self._since = _revision(request.query.get("resourceVersion", ""))

    async def serve(self) -> web.StreamResponse:
        """Stream until the time is up, the client leaves, the server stops or the client is too old."""
        response = web.StreamResponse(
            headers={"Content-Type": "application/json", "Cache-Control": "no-cache, private"}
        )
        await response.prepare(self._request)
        loop = asyncio.get_running_loop()
        seconds = float(self._request.query.get("timeoutSeconds") or LONGEST_SECONDS)
        wake = asyncio.Event()
        self._store.changes.listeners.add(wake)
        try:
            for line in self._first():
                await response.write(line)
            await self._follow(response, wake, loop.time() + seconds)
        except ApiError as error:
            await response.write(self._line("ERROR", error.body()))
        except ConnectionResetError:
            pass  # the client left: nobody reads on
        finally:
            self._store.changes.listeners.discard(wake)
        return response

    def _first(self) -> Iterator[bytes]:
        """What comes before the changes: the present state, if the client has none."""
        if self._since and not self._initial:
            if self._since > self._store.changes.revision:
                message = f"Too large resource version: {self._since}, current: {self._store.changes.revision}"
                raise ApiError(504, "Timeout", message)
            self._refuse_old()
            return
        self._since = self._store.changes.revision
        for obj in self._store.all(self._kind):
            if self._keep(obj):
                yield self._line("ADDED", obj)
        if self._initial and self._bookmarks:
            yield self._bookmark({"k8s.io/initial-events-end": "true"})

    async def _follow(self, response: web.StreamResponse, wake: asyncio.Event, deadline: float) -> None:
        loop = asyncio.get_running_loop()
        tick = loop.time() + BOOKMARK_SECONDS
        while loop.time() < deadline:
            wake.clear()
            self._refuse_old()
            for change in self._store.changes.since(self._since):
                self._since = change.revision
                if line := self._change(change):
                    await response.write(line)
            if wake.is_set():
                continue
            try:
                async with asyncio.timeout_at(min(deadline, tick)):
                    await wake.wait()
            except TimeoutError:
                if self._bookmarks:
                    self._since = max(self._since, self._store.changes.revision)
                    await response.write(self._bookmark())
                tick = loop.time() + BOOKMARK_SECONDS

    def _refuse_old(self) -> None:
        if self._since < self._store.changes.compacted:
            message = f"too old resource version: {self._since} ({self._store.changes.compacted})"
            raise ApiError(410, "Expired", message)

    def _change(self, change: Change) -> bytes:
        """The event a change means to this client: an object may enter or leave its selection."""
        if change.storage != self._kind.storage:
            return b""
        fits = self._keep(change.obj)
        fitted = change.old is not None and self._keep(change.old)
        if change.type == "DELETED":
            return self._line("DELETED", change.obj) if fits or fitted else b""
        if fits:
            return self._line("MODIFIED" if fitted else "ADDED", change.obj)
        if not fitted or change.old is None:
            return b""
        version = {"resourceVersion": change.obj["metadata"]["resourceVersion"]}
        return self._line("DELETED", {**change.old, "metadata": {**change.old["metadata"], **version}})

    def _line(self, type_: str, obj: Obj) -> bytes:
        if type_ in ("ADDED", "MODIFIED", "DELETED"):
            obj = self._shown(obj)
        return json.dumps({"type": type_, "object": obj}, separators=(",", ":")).encode() + b"\n"

    def _shown(self, obj: Obj) -> Obj:
        if self._shape == "Table":
            metadata = {"resourceVersion": obj["metadata"]["resourceVersion"]}
            include = self._request.query.get("includeObject", "Metadata")
            shown = table(self._kind, [obj], metadata, include, headers=not self._headers_sent)
            self._headers_sent = True
            return shown
        return metadata_only(obj) if self._shape else presented(self._kind, obj)

    def _bookmark(self, annotations: Obj | None = None) -> bytes:
        metadata: Obj = {"resourceVersion": str(self._since), "creationTimestamp": None}
        if annotations:
            metadata["annotations"] = annotations
        body: Obj = {"kind": self._kind.kind, "apiVersion": self._kind.api_version, "metadata": metadata}
        if self._shape == "Table":
            body = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "rows": []}
        elif self._shape:
            body |= {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}
        return self._line("BOOKMARK", body)


def _revision(text: str) -> int:
    if text in ("", "0"):
        return 0
    try:
        return int(text)
    except ValueError as error:
        message = f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax'
        raise ApiError(500, "", message) from error
