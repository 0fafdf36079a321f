"""Adopts the acts that a dead process left in the middle, whether or not their objects still exist.

An act whose account no longer grants it is adopted to be led back: that needs no more than what was approved. Without
its account, or the role in it, nothing can be led anywhere: a person is called. Called by the lease keeper at each
acquisition, and by housekeeping while an act's account was missing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from finops.crds.aws_account import AwsAccount
from finops.k8s.kinds import KindApi
from finops.ports.act import ActRequest, Limits
from finops.ports.aws_access import Tenant
from finops.ports.ledger import Ledger
from finops_operator.acts.corrections import Duplicates, correction
from finops_operator.acts.journal import InFlight, in_flight, stuck_entry
from finops_operator.rules.access import access_of, revoked
from finops_operator.rules.standing import allowed_by

logger = logging.getLogger(__name__)
_RECORDS_LOST: Final = "Records of the ledger were lost after the act began, so it does not go on."


@dataclass(slots=True)
class Recovery:
    """Reads the ledger once per acquisition.

    Attributes:
        adopt: hands acts to the request loop.
        alarm: says that the ledger holds what this operator never wrote; nothing may be acted upon then.
    """

    ledger: Ledger
    accounts: KindApi[AwsAccount]
    adopt: Callable[[tuple[ActRequest, ...]], None]
    alarm: Callable[[str], None]
    _waiting: list[InFlight] = field(default_factory=list)

    def from_ledger(self) -> None:
        """Adopt what was proposed, approved and begun with one plan and has not ended.

        Raises:
            LedgerUnavailable, LedgerDiverged, ClusterUnavailable, Refused: nothing was adopted.
        """
        duplicates = Duplicates()
        self._adopt(list(in_flight(self.ledger, duplicates.see)))
        for duplicate in duplicates.found.values():
            self.ledger.append(correction(duplicate))
            logger.warning(
                "ledger: record %d repeats an outcome; a correction was recorded",
                duplicate.sequence,
                extra={"request": duplicate.entry.request},
            )

    def stuck(self) -> dict[str, str]:
        """Return namespace and name of each act that no account leads on → why."""
        return {f"{one.namespace}/{one.name}": _no_account(one) for one in self._waiting}

    def again(self) -> None:
        """Adopt what had to wait for its AwsAccount. Raises as `from_ledger`."""
        if self._waiting:
            self._adopt(self._waiting)

    def _adopt(self, found: list[InFlight]) -> None:
        acts, waiting = [], []
        for one in found:
            if not allowed_by(self.ledger.of_request(one.uid), one.plan_hash):
                self.alarm(
                    f"the ledger holds an act that nobody approved ({one.namespace}/{one.name}): compare it with the "
                    "ActionRequests and find out who writes to the store"
                )
                continue
            account = self.accounts.get("", one.account)
            if account is None or not _is_reachable(one, account):
                waiting.append(one)
            else:
                acts.append(_act(one, account))
        known = {one.uid for one in self._waiting}
        for one in waiting:
            if one.uid not in known:
                self._call_person(one)
        self.adopt(tuple(acts))
        self._waiting = waiting

    def _call_person(self, one: InFlight) -> None:
        """Record that an act stands still; the status says so where the object still exists."""
        why = _no_account(one)
        logger.error("act cannot go on: %s", why, extra={"request": f"{one.namespace}/{one.name}"})
        self.ledger.append(stuck_entry(one, why))


def _no_account(one: InFlight) -> str:
    return (
        f"The act has begun, and AwsAccount {one.account} is gone, is another account now or names no executor role: "
        f"create it again for account {one.plan.resource.account}."
    )


def _is_reachable(one: InFlight, account: AwsAccount) -> bool:
    # An AwsAccount that was made anew for another account of AWS is not the one that was approved.
    return account.spec.account_id == one.plan.resource.account and bool(account.spec.executor_role_arn)


def _act(one: InFlight, account: AwsAccount) -> ActRequest:
    abandoned = _RECORDS_LOST if one.records_lost else ""
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
        only_back=abandoned or revoked(account, one.namespace, one.plan.action),
        abandoned=abandoned,
    )
