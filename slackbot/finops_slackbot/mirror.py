"""What the cluster says right now about requests and votes, kept in memory by a watch per kind and namespace.

The projection makes cards of it, the click path finds requests in it, the follower finds verdicts in it. Whoever
wants to know of changes gives a function that is called with the uid of the request concerned.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol, TypeVar

from finops.crds.action_request import ActionRequest
from finops.crds.approval import Approval
from finops.crds.approver import Approver
from finops.crds.part import Kind
from finops.errors import FinopsError
from finops.k8s.kinds import WatchEvent

T = TypeVar("T", bound=Kind)
_LOG: Final = logging.getLogger(__name__)
_RETRY_SECONDS: Final = 10.0
_REQUESTS: Final = "actionrequests"
_APPROVALS: Final = "approvals"
_KINDS: Final = (_REQUESTS, _APPROVALS)
_UNREAD: Final = "not read yet"
DIGEST: Final = "digest:"
"""Begins the name of a digest's message in the outbox, where requests have their uid."""


class Watchable(Protocol[T]):
    """The part of `KindApi` that a mirror needs."""

    def watch(self, stop: threading.Event, namespace: str | None = None) -> Iterator[WatchEvent[T]]: ...


class Digests:
    """Which requests each digest lists, so that nobody has to search all of them; used under the mirror's lock."""

    def __init__(self) -> None:
        self._listed: dict[str, dict[str, ActionRequest]] = {}
        """Name of a digest's message → its requests by uid."""

    def requests(self, name: str) -> tuple[ActionRequest, ...]:
        """Return the requests of a digest, in no order."""
        return tuple(self._listed.get(name, {}).values())

    def add(self, request: ActionRequest) -> None:
        """Put a request into its digest, if it has one."""
        if name := listing_of(request):
            self._listed.setdefault(name, {})[request.metadata.uid or ""] = request

    def remove(self, request: ActionRequest) -> None:
        """Take a request out of its digest, and the digest away with its last one."""
        name = listing_of(request)
        listed = self._listed.get(name, {})
        listed.pop(request.metadata.uid or "", None)
        if not listed:
            self._listed.pop(name, None)


class Mirror:
    """Requests by uid and Approvals by request, as the watches show them."""

    def __init__(self, changed: Callable[[str], None]) -> None:
        self._changed = changed
        self._lock = threading.Lock()
        self._requests: dict[str, ActionRequest] = {}
        self._digests = Digests()
        self._approvals: dict[str, dict[tuple[str, str], Approval]] = {}
        self._by_name: dict[tuple[str, str], Approval] = {}
        self._problems = dict.fromkeys(_KINDS, _UNREAD)
        """What is watched → why it cannot be trusted, empty when it can."""

    def start(
        self,
        requests: Watchable[ActionRequest],
        approvals: Watchable[Approval],
        stop: threading.Event,
        namespaces: Sequence[str],
    ) -> tuple[threading.Thread, ...]:
        """Start the watches, of these namespaces or of all; they end with `stop`, but only at an event or reconnect.

        Rights in some namespaces do not let anybody watch them together. A namespace that cannot be read is reported as
        a problem, and does not keep the others from being followed.
        """
        places: tuple[str | None, ...] = tuple(dict.fromkeys(namespaces)) or (None,)
        with self._lock:
            self._problems = {_watched(kind, place): _UNREAD for kind in _KINDS for place in places}
        threads = []
        for place in places:
            of_requests = (_watched(_REQUESTS, place), requests, place, self._saw_request, stop)
            of_approvals = (_watched(_APPROVALS, place), approvals, place, self._saw_approval, stop)
            threads += [
                threading.Thread(target=self._follow, args=of_requests, name="watch-requests", daemon=True),
                threading.Thread(target=self._follow, args=of_approvals, name="watch-approvals", daemon=True),
            ]
        for thread in threads:
            thread.start()
        return tuple(threads)

    def problem(self) -> str:
        """Return why the mirror cannot be trusted yet, or an empty text."""
        with self._lock:
            return "; ".join(f"{watched}: {why}" for watched, why in self._problems.items() if why)

    def request(self, uid: str) -> ActionRequest | None:
        with self._lock:
            return self._requests.get(uid)

    def listed_in(self, name: str) -> tuple[ActionRequest, ...]:
        """Return the requests that the digest message of this name lists; see `listing_of`."""
        with self._lock:
            return self._digests.requests(name)

    def uids(self) -> frozenset[str]:
        with self._lock:
            return frozenset(self._requests)

    def votes(self, uid: str) -> tuple[Approval, ...]:
        """Return all Approvals that name the request's uid."""
        with self._lock:
            return tuple(self._approvals.get(uid, {}).values())

    def approval(self, namespace: str, name: str) -> Approval | None:
        with self._lock:
            return self._by_name.get((namespace, name))

    def version(self, uid: str) -> int:
        """Return a number that grows with every change of the request or its votes; 0 if versions are no numbers."""
        with self._lock:
            request = self._requests.get(uid)
            objects: list[Kind] = list(self._approvals.get(uid, {}).values())
        if request is not None:
            objects.append(request)
        versions = [obj.metadata.resource_version or "" for obj in objects]
        return max((int(version) for version in versions if version.isdecimal()), default=0)

    def newer(self, request: ActionRequest) -> ActionRequest | None:
        """Return the newest request for the same resource that was made after `request`."""
        made, spec = request.metadata.creation_timestamp, request.spec
        with self._lock:
            later = [
                other
                for other in self._requests.values()
                if other.spec.resource.arn == spec.resource.arn
                and other.metadata.uid != request.metadata.uid
                and other.metadata.namespace == request.metadata.namespace
                and made is not None
                and other.metadata.creation_timestamp is not None
                and other.metadata.creation_timestamp >= made
            ]
        return max(later, key=lambda other: str(other.metadata.creation_timestamp), default=None)

    def _follow(
        self,
        watched: str,
        api: Watchable[T],
        namespace: str | None,
        saw: Callable[[WatchEvent[T]], None],
        stop: threading.Event,
    ) -> None:
        known: dict[str, WatchEvent[T]] = {}
        while not stop.is_set():
            try:
                self._follow_once(watched, api.watch(stop, namespace), known, saw)
            except FinopsError as error:
                # A missing right: the watch recovers from everything else by itself.
                with self._lock:
                    self._problems[watched] = str(error)
                _LOG.error("cannot watch", extra={"kind": watched, "error": str(error)})
                stop.wait(_RETRY_SECONDS)

    def _follow_once(
        self,
        watched: str,
        events: Iterator[WatchEvent[T]],
        known: dict[str, WatchEvent[T]],
        saw: Callable[[WatchEvent[T]], None],
    ) -> None:
        """Take in what one watch shows; `known` outlives it, because a new watch does not show what went meanwhile."""
        unlisted = set(known)
        for event in events:
            if event.type == "SYNCED":
                for name in unlisted:
                    saw(replace(known.pop(name), type="DELETED"))
                unlisted.clear()
                self._synced(watched)
                continue
            name = _name(event.raw)
            unlisted.discard(name)
            if event.type == "INVALID":
                _LOG.warning("an object does not parse", extra={"kind": watched, "object": name})
                continue
            if event.type == "DELETED":
                known.pop(name, None)
            else:
                known[name] = event
            saw(event)

    def _synced(self, watched: str) -> None:
        """Everything may have changed, which is reported when all watches are complete."""
        with self._lock:
            self._problems[watched] = ""
            complete = not any(self._problems.values())
        if complete:
            self._changed("")

    def _saw_request(self, event: WatchEvent[ActionRequest]) -> None:
        request = event.object
        if request is None or request.metadata.uid is None:
            return
        with self._lock:
            before = self._requests.get(request.metadata.uid)
            if before is not None:
                self._digests.remove(before)
            if event.type == "DELETED":
                self._requests.pop(request.metadata.uid, None)
            else:
                self._requests[request.metadata.uid] = request
                self._digests.add(request)
        self._changed(request.metadata.uid)

    def _saw_approval(self, event: WatchEvent[Approval]) -> None:
        approval = event.object
        if approval is None:
            return
        uid = approval.spec.request.uid
        key = (approval.metadata.namespace or "", approval.metadata.name)
        with self._lock:
            if event.type == "DELETED":
                self._by_name.pop(key, None)
                of_request = self._approvals.get(uid, {})
                of_request.pop(key, None)
                if not of_request:
                    self._approvals.pop(uid, None)
            else:
                self._by_name[key] = approval
                self._approvals.setdefault(uid, {})[key] = approval
        self._changed(uid)


def approvers_of(mirror: Mirror, namespace: str, policy: str) -> frozenset[Approver]:
    """Return everybody whom a known request of the policy names as an approver."""
    requests = (mirror.request(uid) for uid in mirror.uids())
    return frozenset(
        approver
        for request in requests
        if request is not None and (request.metadata.namespace, request.spec.policy) == (namespace, policy)
        for approver in request.spec.approval.approvers
    )


def listing_of(request: ActionRequest) -> str:
    """Return the name under which the outbox keeps the message that lists a request; empty when none does."""
    entry, spec = request.spec.slack_digest, request.spec
    return "" if entry is None else f"{DIGEST}{request.metadata.namespace}/{spec.policy}/{entry.id}"


def _watched(kind: str, namespace: str | None) -> str:
    return kind if namespace is None else f"{kind} in {namespace}"


def _name(raw: Mapping[str, Any]) -> str:
    metadata = raw.get("metadata") or {}
    return f"{metadata.get('namespace', '')}/{metadata.get('name', '')}"
