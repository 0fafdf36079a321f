"""Reads admission policies and their bindings as the API server has them, and compares them with what they should be.

Called by the operator, which decides only while they are in force, and by `finops doctor`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from kubernetes import client

from finops.domain.canonical import sha256_hex
from finops.k8s.connection import REQUEST_TIMEOUT, Connection, NotFound, cluster_errors

_GROUP, _VERSION = "admissionregistration.k8s.io", "v1"
_PLURALS: Final = {
    "ValidatingAdmissionPolicy": "validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": "validatingadmissionpolicybindings",
}
_DEFAULTS: Final[Mapping[str, object]] = {"matchPolicy": "Equivalent"}
"""What the API server writes into a policy that leaves it out (Kubernetes 1.30 to 1.36)."""


@dataclass(frozen=True, slots=True)
class ObjectVersion:
    """One object as it is: which one (uid), how often it was edited (generation), and what it says (hash)."""

    name: str
    uid: str
    generation: int
    hash: str


@dataclass(frozen=True, slots=True)
class AdmissionState:
    """The policies and bindings as they are.

    Attributes:
        problem: why they do not protect, empty when they do.
        marks: of every object, in the order in which they were expected; empty with a problem.
        youngest: when the youngest of them was created.
        now: the API server's time right after the last of them was read. Votes carry stamps of that clock and are
            compared with no other; None when its answer does not say.
    """

    problem: str
    marks: tuple[ObjectVersion, ...] = ()
    youngest: datetime | None = None
    now: datetime | None = None


class AdmissionPolicies:
    """The objects a release expects, and what the API server has of them."""

    def __init__(self, connection: Connection, expected: Sequence[Mapping[str, Any]]) -> None:
        self._api = client.CustomObjectsApi(connection.api)
        self._expected = tuple(expected)

    def read(self) -> AdmissionState:
        """Read and compare all of them.

        Raises:
            Refused, ClusterUnavailable: they cannot be read, so nothing is known about them.
        """
        marks, created, now = [], [], None
        for wanted in self._expected:
            kind, name = str(wanted["kind"]), str(wanted["metadata"]["name"])
            live, now = self._get(kind, name)
            if live is None:
                return AdmissionState(f"{kind} {name} does not exist")
            if live["metadata"].get("deletionTimestamp"):
                return AdmissionState(f"{kind} {name} is being deleted")
            if _plain(live["spec"]) != _plain(wanted["spec"]):
                return AdmissionState(f"{kind} {name} is not the one of this release")
            metadata = live["metadata"]
            digest = sha256_hex(_plain(live["spec"]))
            marks.append(
                ObjectVersion(f"{kind}/{name}", str(metadata["uid"]), int(metadata.get("generation") or 0), digest)
            )
            created.append(datetime.fromisoformat(str(metadata["creationTimestamp"])))
        return AdmissionState("", tuple(marks), max(created, default=None), now)

    def _get(self, kind: str, name: str) -> tuple[Mapping[str, Any] | None, datetime | None]:
        """Return the object and the time of the server that answered."""
        try:
            with cluster_errors(f"read {kind} {name}"):
                answer: Any = self._api.get_cluster_custom_object_with_http_info(
                    _GROUP, _VERSION, _PLURALS[kind], name, _request_timeout=REQUEST_TIMEOUT
                )
        except NotFound:
            return None, None
        found, _status, headers = answer
        return dict(found), _time_of(headers)


def _time_of(headers: Mapping[str, str]) -> datetime | None:
    """Return the time in an answer's `Date` (RFC 9110, section 6.6.1), None when there is none."""
    try:
        return parsedate_to_datetime(headers.get("Date", "")).astimezone(UTC)
    except ValueError:
        return None


def _plain(value: Any) -> Any:
    """Return a spec without what is empty and without the server's defaults, so that only what it means is compared."""
    if isinstance(value, Mapping):
        inner = {key: _plain(item) for key, item in value.items() if _DEFAULTS.get(key) != item}
        return {key: item for key, item in inner.items() if item not in (None, {}, [], "")}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value
