"""The API audit log: one ``audit.k8s.io/v1`` Event per request, as a real server writes at level Metadata.

Tests compare the rights a program used with the rights its role grants; the same reader then works on the log of a
real cluster.
"""

import json
import uuid
from pathlib import Path
from typing import Any, TextIO

from finops_sandbox.kubernetes.objects import Obj, UserInfo
from finops_sandbox.kubernetes.rbac import Question


class AuditLog:
    """Appends JSON lines to a file; without a path it only remembers that it has nothing to do."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._stream: TextIO | None = path.open("a", encoding="utf-8") if path else None

    def record(
        self, user: UserInfo, question: Question, uri: str, agent: str, code: int, moment: str, **more: Any
    ) -> None:
        """Write one entry.

        Args:
            user: who asked.
            question: what was asked, as authorization saw it.
            uri: the request's path and query.
            agent: the user agent.
            code: HTTP status of the answer.
            moment: RFC 3339 time the request came in.
            more: further top-level fields, for example ``stage``.
        """
        if self._stream is None:
            return
        reference = {
            "resource": question.resource,
            "namespace": question.namespace,
            "name": question.name,
            "apiGroup": question.group,
            "apiVersion": more.pop("version", ""),
            "subresource": question.subresource,
        }
        event = {
            "kind": "Event",
            "apiVersion": "audit.k8s.io/v1",
            "level": "Metadata",
            "auditID": str(uuid.uuid4()),
            "stage": "ResponseComplete",
            "requestURI": uri,
            "verb": question.verb,
            "user": user.body(),
            "userAgent": agent,
            **({"objectRef": {k: v for k, v in reference.items() if v}} if question.resource else {}),
            "responseStatus": {"metadata": {}, "code": code},
            "requestReceivedTimestamp": moment,
            **more,
        }
        self._stream.write(json.dumps(event, separators=(",", ":")) + "\n")
        self._stream.flush()

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()


def read_audit(path: Path) -> list[Obj]:
    """All entries of an audit log."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
