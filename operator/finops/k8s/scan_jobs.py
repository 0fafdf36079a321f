"""Runs the pods of a scan: one Indexed Job, made of the template that the chart writes.

The template names image, account, environment and limits; from here come the scan's name and how many parts there are.
A Job whose pods all ended well is removed; one with failures stays an hour, so that their logs can be read.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from kubernetes import client

from finops.errors import ClusterUnavailable, Conflict, InvalidInput
from finops.k8s.connection import REQUEST_TIMEOUT, Connection, NotFound, cluster_errors

logger = logging.getLogger(__name__)
SCAN_VARIABLE: Final = "JOB_SCAN"
_SECONDS: Final = 1.0
_ENDED: Final = frozenset({"Complete", "Failed"})


@dataclass(frozen=True, slots=True)
class ScanJobs:
    """Makes Jobs in one namespace.

    Attributes:
        guard: raises while the admission policy is not in force that bounds which Jobs can be made.
        pause: waits between two readings of a Job.
    """

    connection: Connection
    namespace: str
    template: Path
    guard: Callable[[], None]
    pause: Callable[[float], None] = time.sleep

    def run(self, name: str, count: int, parallelism: int, done: Callable[[int], None]) -> Mapping[int, str]:
        """Run pods with the indexes 0 to `count` - 1; return why those failed that did.

        `done` is called every second or so with the number of parts that are done; what it raises breaks the pods off.

        Raises:
            InvalidInput: the template is none.
            Refused: the cluster does not let us make or read Jobs, or nothing bounds which ones could be made.
            ClusterUnavailable: the Job could not be made.
        """
        job = self._job(name, count, parallelism)
        self.guard()
        keep = False
        self._create(job)
        try:
            failed = self._followed(job["metadata"]["name"], count, done)
            # What failed can be read in the logs of its pods.
            keep = bool(failed)
        finally:
            if not keep:
                self._remove(job["metadata"]["name"])
        return failed

    def _job(self, name: str, count: int, parallelism: int) -> dict[str, Any]:
        try:
            job = yaml.safe_load(self.template.read_text(encoding="utf-8"))
            prefix = job["metadata"].pop("generateName")
            (container,) = job["spec"]["template"]["spec"]["containers"]
            container.setdefault("env", []).append({"name": SCAN_VARIABLE, "value": name})
        except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise InvalidInput(
                f"is no template of a Job: {error}", field="FINOPS_SCAN_JOB_TEMPLATE", source=str(self.template)
            ) from error
        # The same scan has the same Job: asked again after a lost answer, it is there already.
        job["metadata"]["name"] = prefix + hashlib.sha256(name.encode()).hexdigest()[:10]
        job["spec"] |= {"completions": count, "parallelism": min(count, parallelism), "completionMode": "Indexed"}
        return dict(job)

    def _create(self, job: Mapping[str, Any]) -> None:
        api: Any = client.BatchV1Api(self.connection.api)
        try:
            with cluster_errors(f"create Job {self.namespace}/{job['metadata']['name']}"):
                api.create_namespaced_job(self.namespace, job, _request_timeout=REQUEST_TIMEOUT)
        except Conflict:
            return

    def _followed(self, name: str, count: int, done: Callable[[int], None]) -> dict[int, str]:
        succeeded = 0
        while True:
            self.pause(_SECONDS)
            done(succeeded)
            try:
                status = self._status(name)
            except ClusterUnavailable as error:
                # The pods go on without the API server; the Job has a deadline of its own.
                logger.info("the pods of Job %s are not seen: %s", name, error)
                continue
            if status is None:
                return dict.fromkeys(range(count), f"Job {name} was removed")
            ended = {str(one["type"]): one for one in status.get("conditions") or () if one.get("status") == "True"}
            if _ENDED & ended.keys():
                return self._failed(status, count, ended)
            succeeded = int(status.get("succeeded") or 0)

    def _status(self, name: str) -> Mapping[str, Any] | None:
        """Return the Job's status, None when there is no such Job. Raises Refused, ClusterUnavailable."""
        api = client.BatchV1Api(self.connection.api)
        try:
            with cluster_errors(f"read Job {self.namespace}/{name}"):
                found: Any = api.read_namespaced_job(name, self.namespace, _request_timeout=REQUEST_TIMEOUT)
        except NotFound:
            return None
        status: Mapping[str, Any] = self.connection.api.sanitize_for_serialization(found.status) or {}
        return status

    @staticmethod
    def _failed(status: Mapping[str, Any], count: int, ended: Mapping[str, Mapping[str, Any]]) -> dict[int, str]:
        completed = set(indexes(str(status.get("completedIndexes") or "")))
        why = str(ended.get("Failed", {}).get("message") or "its pod failed")
        return {index: why for index in range(count) if index not in completed}

    def _remove(self, name: str) -> None:
        api = client.BatchV1Api(self.connection.api)
        try:
            with cluster_errors(f"delete Job {self.namespace}/{name}"):
                api.delete_namespaced_job(
                    name, self.namespace, propagation_policy="Background", _request_timeout=REQUEST_TIMEOUT
                )
        except (NotFound, ClusterUnavailable):
            # It removes itself an hour after its end.
            return


def indexes(text: str) -> Iterator[int]:
    """Yield the indexes of a Job's `completedIndexes`, such as `1,3-5,7`."""
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)
