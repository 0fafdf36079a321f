"""Keeps the status of AwsAccount objects: could we reach it, and who did we turn out to be.

Called after every scan, from the scan's thread; an account is asked at most every ten minutes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from finops.crds.aws_account import AwsAccount, AwsAccountStatus, Identity
from finops.crds.conditions import with_condition
from finops.errors import AwsError, Conflict, FinopsError, Unavailable
from finops.ports.aws_access import AccountAccess, Tenant
from finops.ports.clock import Clock
from finops_operator.cluster.objects import Objects
from finops_operator.rules.access import access_of
from finops_operator.rules.known_ids import KnownIds
from finops_operator.rules.policy_status import INVALID_SPEC

logger = logging.getLogger(__name__)
_ASK_EVERY: Final = timedelta(minutes=10)
_MESSAGE: Final = 900


@dataclass(frozen=True, slots=True)
class AccountStatuses:
    """Writes AwsAccount statuses; `ask` sends GetCallerIdentity as the scanner."""

    accounts: Objects[AwsAccount]
    ask: Callable[[AccountAccess, Tenant], Mapping[str, Any]]
    known: KnownIds
    clock: Clock
    _asked: dict[str, Any] = field(default_factory=dict)

    def refresh(self, names: tuple[str, ...], tenant: Tenant) -> None:
        """Bring the named accounts' status up to date; what cannot be written now is written after the next scan."""
        for account in self.accounts.cache.all():
            if account.metadata.name in names and self._is_due(account):
                self._refresh_one(account, tenant)

    def _is_due(self, account: AwsAccount) -> bool:
        key = _key(account)
        last = self._asked.get(key)
        now = self.clock.now()
        if last is not None and now - last < _ASK_EVERY:
            return False
        self._asked[key] = now
        return True

    def _refresh_one(self, account: AwsAccount, tenant: Tenant) -> None:
        identity, problem, reason = None, "", "Valid"
        try:
            answer = self.ask(access_of(account), tenant)
            identity = Identity(arn=str(answer["Arn"]), account_id=str(answer["Account"]))
        except AwsError as error:
            problem, reason = str(error)[:_MESSAGE], error.code
            # What is wrong may be corrected at any time: ask again after the next scan.
            self._asked.pop(_key(account), None)
        now = self.clock.now()

        def change(current: AwsAccount) -> dict[str, Any]:
            conditions = current.status.conditions
            reached = (not problem, _word(reason), problem or f"Reached as {identity.arn if identity else 'unknown'}.")
            unknown = "; ".join(str(one) for one in self.known.in_account(current))[:_MESSAGE]
            ready = (False, INVALID_SPEC, unknown) if unknown and not problem else reached
            for type_, (holds, word, message) in (("CredentialsValid", reached), ("Ready", ready)):
                conditions = with_condition(
                    conditions,
                    type_,
                    holds,
                    word,
                    message,
                    now=now,
                    observed_generation=current.metadata.generation,
                )
            status = AwsAccountStatus(
                observed_generation=current.metadata.generation,
                conditions=conditions,
                identity=identity,
                last_checked=now.replace(microsecond=0),
            )
            return status.to_dict()

        try:
            self.accounts.write_status(account, change)
        except (Conflict, Unavailable) as error:
            logger.info("status of AwsAccount %s is written later: %s", account.metadata.name, error)
        except FinopsError as error:
            logger.warning("status of AwsAccount %s not written: %s", account.metadata.name, error)


def _key(account: AwsAccount) -> str:
    return f"{account.metadata.uid}/{account.metadata.generation}"


def _word(code: str) -> str:
    word = "".join(sign for sign in code if sign.isalnum())
    return word if word and word[0].isalpha() else "Invalid"
