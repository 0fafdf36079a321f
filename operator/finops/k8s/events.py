"""Kubernetes Events about our objects: few, and never one per resource."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, Literal
from uuid import uuid4

from kubernetes import client

from finops.crds.part import API_VERSION, Kind
from finops.k8s.connection import REQUEST_TIMEOUT, Connection, cluster_errors

_NOTE_LIMIT: Final = 1024
"""Bytes, not characters."""


class Events:
    """Writes events.k8s.io/v1 Events in the object's namespace (`default` for cluster-scoped ones)."""

    def __init__(self, connection: Connection, *, component: str, instance: str) -> None:
        self._api = client.EventsV1Api(connection.api)
        self._component, self._instance = component, instance

    def publish(
        self, about: Kind, *, reason: str, note: str, action: str, type_: Literal["Normal", "Warning"] = "Normal"
    ) -> None:
        """Record one event.

        Raises:
            Refused, ClusterUnavailable: callers log it and go on; an event is a courtesy, not a record.
        """
        metadata = about.metadata
        reference = client.V1ObjectReference(
            api_version=API_VERSION,
            kind=about.crd.kind,
            name=metadata.name,
            namespace=metadata.namespace,
            uid=metadata.uid,
            resource_version=metadata.resource_version,
        )
        self.publish_about(reference, reason=reason, note=note, action=action, type_=type_)

    def publish_about(
        self,
        about: client.V1ObjectReference,
        *,
        reason: str,
        note: str,
        action: str,
        type_: Literal["Normal", "Warning"] = "Normal",
    ) -> None:
        """Record one event about an object that is none of ours. Raises as `publish`."""
        namespace = about.namespace or "default"
        body = client.EventsV1Event(
            metadata=client.V1ObjectMeta(
                name=f"{(about.name or '')[:180].rstrip('.-')}.{uuid4().hex[:16]}", namespace=namespace
            ),
            event_time=datetime.now(UTC),
            reporting_controller=f"finops.dev/{self._component}",
            reporting_instance=self._instance[:128],
            action=action,
            reason=reason,
            type=type_,
            note=_within(note, _NOTE_LIMIT),
            regarding=about,
        )
        with cluster_errors(f"publish an event about {about.kind} {about.name}"):
            self._api.create_namespaced_event(namespace, body, _request_timeout=REQUEST_TIMEOUT)


def _within(text: str, limit: int) -> str:
    return text.encode("utf-8", errors="replace")[:limit].decode("utf-8", errors="ignore")
