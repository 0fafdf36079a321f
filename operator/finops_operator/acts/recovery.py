"""Adopts the acts that a dead process left in the middle, whether or not their objects still exist.

An act whose account no longer grants it is adopted to be led back: that needs no more than what was approved. Without
its account, or the role in it, nothing can be led anywhere: a person is called. An account that cannot be read stops
its own acts and no others. Called by the lease keeper at each
acquisition, and by housekeeping while an act's account was missing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from finops.crds.aws_account import AwsAccount
from finops.domain.decision import State
from finops.errors import InvalidInput
from finops.k8s.kinds import KindApi
from finops.ports.act import ActRequest, Limits
from finops.ports.aws_access import Tenant
from finops.ports.ledger import Ledger
from finops_operator.acts.corrections import Duplicates, correction
from finops_operator.acts.journal import ACCOUNT, RECORDS_LOST, InFlight, in_flight, stuck_entry
from finops_operator.decisions.pauses import Failure, Pauses, Scope
from finops_operator.rules.access import access_of, revoked
from finops_operator.rules.standing import allowed_by

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An act that no account leads on now, and why."""

    act: InFlight
    why: str


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
    _waiting: list[_Waiting] = field(default_factory=list)

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
        return {f"{one.act.namespace}/{one.act.name}": one.why for one in self._waiting}

    def again(self) -> None:
        """Adopt what had to wait for its AwsAccount. Raises as `from_ledger`."""
        if self._waiting:
            self._adopt([one.act for one in self._waiting])

    def _adopt(self, found: list[InFlight]) -> None:
        acts, waiting = [], []
        for one in found:
            if not allowed_by(self.ledger.of_request(one.uid), one.plan_hash):
                self.alarm(
                    f"the ledger holds an act that nobody approved ({one.namespace}/{one.name}): compare it with the "
                    "ActionRequests and find out who writes to the store"
                )
                continue
            account, why = self._account_of(one)
            if account is None:
                waiting.append(_Waiting(one, why))
            else:
                acts.append(_act(one, account))
        known = {one.act.uid for one in self._waiting}
        for stuck in waiting:
            if stuck.act.uid not in known:
                self._call_person(stuck.act, stuck.why)
        self.adopt(tuple(acts))
        self._waiting = waiting

    def _account_of(self, one: InFlight) -> tuple[AwsAccount | None, str]:
        """Return the account that leads an act on, or None and why there is none."""
        try:
            account = self.accounts.get("", one.account)
        except InvalidInput as error:
            # One that this version cannot read, such as one of a newer schema.
            return None, f"The act has begun, and its AwsAccount cannot be read: {error}"
        if account is None or not _is_reachable(one, account):
            return None, _no_account(one)
        return account, ""

    def _call_person(self, one: InFlight, why: str) -> None:
        """Record that an act stands still; the status says so where the object still exists."""
        logger.error("act cannot go on: %s", why, extra={"request": f"{one.namespace}/{one.name}"})
        if not one.dry_run:
            # Others would be stuck like it, or leave a resource between two states too.
            scope, failure = Scope(one.namespace, one.policy, one.plan.action), Failure(State.NEEDS_HUMAN, why, ACCOUNT)
            Pauses(self.ledger).pause(scope, f"{one.namespace}/{one.name}/{one.uid}", one.plan_hash, failure)
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
    abandoned = RECORDS_LOST if one.records_lost else ""
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
