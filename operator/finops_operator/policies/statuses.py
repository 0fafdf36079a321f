"""Writes what becomes of a policy into its status; used by the scheduler and by the runs of scans.

A status is never the only place of a fact: what cannot be written now is written the next time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from finops.crds.scan_policy import ScanPolicy
from finops.errors import Conflict, FinopsError, Unavailable
from finops_operator.cluster.objects import Objects

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PolicyStatuses:
    """Statuses of ScanPolicies."""

    policies: Objects[ScanPolicy]

    def write_once(self, policy: ScanPolicy, change: Callable[[ScanPolicy], dict[str, Any]]) -> None:
        """Write a status unless it already says so; a loop that runs often must not write often."""
        wanted = change(policy)
        if wanted != policy.status.to_dict():
            self.write(policy, change)

    def write(self, policy: ScanPolicy, change: Callable[[ScanPolicy], dict[str, Any]]) -> ScanPolicy | None:
        """Return the policy with its new status, None when it could not be written."""
        try:
            return self.policies.write_status(policy, change)
        except (Conflict, Unavailable) as error:
            # Level triggered: the next pass writes it; a status is never the only place of a fact.
            logger.info("status is written later: %s", error, extra=names_of(policy))
            return None
        except FinopsError as error:
            logger.warning("status not written: %s", error, extra=names_of(policy))
            return None


def names_of(policy: ScanPolicy) -> dict[str, str]:
    """Return the fields by which a log line names a policy."""
    return {"namespace": policy.metadata.namespace or "", "policy": policy.metadata.name}
