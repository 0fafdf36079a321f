"""Adopts the acts that a dead process left in the middle, whether or not their objects still exist.

Called by the lease keeper at each acquisition, and by housekeeping while an act's account was missing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from finops.crds.aws_account import AwsAccount
from finops.k8s.kinds import KindApi
from finops.ports.act import ActRequest, Limits
from finops.ports.aws_access import Tenant
from finops.ports.ledger import Ledger
from finops_operator.acts.journal import InFlight, in_flight
from finops_operator.rules.access import access_of

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class TakingOver:
    """Reads the ledger once per acquisition; `adopt` hands an act to the request loop."""

    ledger: Ledger
    accounts: KindApi[AwsAccount]
    adopt: Callable[[tuple[ActRequest, ...]], None]
    _without_account: list[InFlight] = field(default_factory=list)

    def from_ledger(self) -> None:
        """Adopt everything that was begun and has not ended.

        Raises:
            LedgerUnavailable, LedgerDiverged, ClusterUnavailable, Refused: nothing was adopted.
        """
        self._adopt(list(in_flight(self.ledger)))

    def again(self) -> None:
        """Adopt what had to wait for its AwsAccount. Raises as `from_ledger`."""
        if self._without_account:
            self._adopt(self._without_account)

    def _adopt(self, found: list[InFlight]) -> None:
        acts, missing = [], []
        for one in found:
            account = self.accounts.get("", one.account)
            # An AwsAccount that was made anew for another account of AWS is not the one that was approved.
            if account is None or account.spec.account_id != one.plan.resource.account:
                missing.append(one)
            else:
                acts.append(_act(one, account))
        told = {one.uid for one in self._without_account}
        for one in missing:
            if one.uid in told:
                continue
            logger.error(
                "act %s/%s cannot go on: AwsAccount %s is gone or is another account now",
                one.namespace,
                one.name,
                one.account,
            )
        self.adopt(tuple(acts))
        self._without_account = missing


def _act(one: InFlight, account: AwsAccount) -> ActRequest:
    return ActRequest(
        uid=one.uid,
        name=one.name,
        tenant=Tenant(namespace=one.namespace, policy=one.policy),
        access=access_of(account),
        plan=one.plan,
        plan_hash=one.plan_hash,
        deciders=one.deciders,
        dry_run=one.dry_run,
        estimate=one.estimate,
        # The loop reads limits and protected tags of the policy before each run; without a policy this is little.
        limits=Limits(per_hour=1, per_day=1, percent_of_fleet=1, fleet=0),
    )
