"""Who am I on this cluster, may I do this, and are our kinds served: for start-up checks and `finops doctor`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kubernetes import client

from finops.crds.crd import GROUP, VERSION
from finops.k8s.connection import REQUEST_TIMEOUT, Connection, NotFound, cluster_errors


class Access:
    """Questions about rights and kinds, answered by the API server."""

    def __init__(self, connection: Connection) -> None:
        self._authorization = client.AuthorizationV1Api(connection.api)
        self._authentication = client.AuthenticationV1Api(connection.api)
        self._objects = client.CustomObjectsApi(connection.api)
        self._version = client.VersionApi(connection.api)

    def username(self) -> tuple[str, tuple[str, ...]]:
        """Return the user name and groups the API server sees for us (SelfSubjectReview)."""
        with cluster_errors("ask who we are"):
            answer: Any = self._authentication.create_self_subject_review(
                client.V1SelfSubjectReview(), _request_timeout=REQUEST_TIMEOUT
            )
        user = answer.status.user_info
        return str(user.username), tuple(user.groups or ())

    def may(self, verb: str, resource: str, *, group: str = GROUP, namespace: str = "", name: str = "") -> bool:
        """Return whether we may do `verb` on `resource` (subresources as `actionrequests/status`)."""
        plural, _, sub = resource.partition("/")
        attributes = client.V1ResourceAttributes(
            verb=verb, group=group, resource=plural, subresource=sub or None, namespace=namespace, name=name
        )
        review = client.V1SelfSubjectAccessReview(
            spec=client.V1SelfSubjectAccessReviewSpec(resource_attributes=attributes)
        )
        with cluster_errors(f"ask whether we may {verb} {resource}"):
            answer: Any = self._authorization.create_self_subject_access_review(
                review, _request_timeout=REQUEST_TIMEOUT
            )
        return bool(answer.status.allowed)

    def missing_kinds(self, plurals: Sequence[str]) -> tuple[str, ...]:
        """Return which of `plurals` the API server does not serve in our group and version."""
        try:
            with cluster_errors(f"list the kinds of {GROUP}/{VERSION}"):
                answer: Any = self._objects.get_api_resources(GROUP, VERSION, _request_timeout=REQUEST_TIMEOUT)
        except NotFound:
            return tuple(plurals)
        served = {resource.name for resource in answer.resources}
        return tuple(plural for plural in plurals if plural not in served)

    def server_version(self) -> str:
        """Return the API server's version, e.g. `v1.36.3`."""
        with cluster_errors("read the server's version"):
            answer: Any = self._version.get_code(_request_timeout=REQUEST_TIMEOUT)
        return str(answer.git_version)
