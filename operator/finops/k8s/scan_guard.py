"""Whether the admission policy is in force that leaves of the operator's right to make Jobs that of making scans.

Without it the right would be one to run any image as any account of the namespace. The chart writes the policy and its
binding into the cluster, and beside the Job's template as they should be. Nothing of votes or acts rests on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from finops.crds.conditions import SCAN_PODS_FIX, SCAN_PODS_UNBOUNDED
from finops.errors import FinopsError, Refused
from finops.k8s.connection import Connection
from finops.k8s.protection import AdmissionPolicies

_KINDS: Final = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")


@dataclass(frozen=True, slots=True)
class ScanGuard:
    """Compares policy and binding in the cluster with those of `expected`, a file with one document each."""

    connection: Connection
    expected: Path

    def problem(self) -> str:
        """Return why no pod may be made for a scan, empty while the policy is in force; what is not known is why."""
        try:
            return self._problem()
        except FinopsError as error:
            return f"the admission policy of scans in pods cannot be judged: {error}"

    def require(self) -> None:
        """Read both now.

        Raises:
            Refused: one of them is not in force, or may not be read; or the file is none.
            ClusterUnavailable: the API server does not answer.
        """
        if problem := self._problem():
            raise Refused(f"no pod is made for a scan: {problem}", code=SCAN_PODS_UNBOUNDED, hint=SCAN_PODS_FIX)

    def _problem(self) -> str:
        # Read each time: an upgrade writes the file anew under a running operator.
        found = AdmissionPolicies(self.connection, self._documents()).read()
        return f"{found.problem}, and without it any pod could be made" if found.problem else ""

    def _documents(self) -> Sequence[Mapping[str, Any]]:
        try:
            documents = [one for one in yaml.safe_load_all(self.expected.read_text(encoding="utf-8")) if one]
            kinds = tuple(str(one["kind"]) for one in documents)
            named = all(one["metadata"]["name"] and one["spec"] for one in documents)
        except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
            raise self._unusable(str(error)) from error
        # Of a file that expects nothing everything would be in force.
        if kinds != _KINDS or not named:
            raise self._unusable(f"it holds {', '.join(kinds) or 'nothing'}")
        return documents

    def _unusable(self, why: str) -> Refused:
        # No mistake of a policy, which would be left alone then: a new file may be there in a minute.
        kinds = " and ".join(_KINDS)
        return Refused(
            f"no pod is made for a scan: {self.expected} (FINOPS_SCAN_JOB_ADMISSION) does not hold {kinds} as the "
            f"chart writes them: {why}",
            code=SCAN_PODS_UNBOUNDED,
            hint=SCAN_PODS_FIX,
        )
