"""Forgets what is kept of policies that no longer exist, and of shards that nobody scans any more.

A duty of housekeeping. It takes proof: the API server itself says that there is no such policy, and what is dropped was
there before it was asked, so that a policy made anew under the old name loses nothing of its own. Requests, the ledger,
savings, the cost of each day and measured utilization are not touched.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from finops.crds.aws_account import AwsAccount
from finops.crds.invalid import InvalidObject
from finops.crds.scan_policy import ScanPolicy
from finops.domain.resource import Shard
from finops.errors import ClusterUnavailable, Refused
from finops.ports.clock import Clock
from finops.store.connection import Store
from finops.store.inventory import InventoryStore, ShardHead
from finops.store.recommendations import HeadUnreadable, PolicyHead, RecommendationStore
from finops_operator.cluster.cache import Key
from finops_operator.cluster.objects import Objects
from finops_operator.rules.access import granted_accounts
from finops_operator.telemetry import Telemetry

logger = logging.getLogger(__name__)
_PAUSE_SECONDS: Final = 300.0
_KEPT_UNSCANNED: Final = timedelta(days=1)
"""Resources hold what AWS does not return (since when a volume is unattached): a replaced policy still finds it."""


@dataclass(slots=True)
class Cleanup:
    """Compares what is kept with the policies that exist in the namespaces that are watched; of others all stays."""

    store: Store
    policies: Objects[ScanPolicy]
    accounts: Objects[AwsAccount]
    telemetry: Telemetry
    clock: Clock
    _recommendations: RecommendationStore = field(init=False)
    _inventory: InventoryStore = field(init=False)
    _due: float = 0.0

    def __post_init__(self) -> None:
        self._recommendations, self._inventory = RecommendationStore(self.store), InventoryStore(self.store)

    def clean_up(self) -> None:
        """Forget what is gone, at most every five minutes.

        Raises:
            StoreUnavailable, ClusterUnavailable, Refused: what was not proven or not reached stays until the next pass.
            One watched namespace that cannot be read keeps what is its own, and all shards: it may scan any of them.
        """
        if self.clock.monotonic() < self._due:
            return
        # What is known goes first: whatever is made after the list is not in it.
        shown, heads, unnamed = self.telemetry.policies(), *self._kept()
        watched = self.policies.cache.namespaces
        policies, unread = self._existing()
        accounts = {account.metadata.name: account for account in self.accounts.api.list()}
        for key in shown:
            if key[0] not in unread and key not in policies and self._is_gone(key):
                self.telemetry.forget(*key)
        for key, head in tuple(heads.items()):
            if key[0] in unread or (watched and key[0] not in watched):
                continue
            if not _is_same(head.uid, policies.get(key)) and self._is_gone(key, head.uid):
                self._recommendations.forget(key, head.generation)
                del heads[key]
                logger.info("forgotten, the policy is gone", extra={"policy": "/".join(key)})
        if not unread:
            self._forget_shards(unnamed, [(policy, heads.get(key)) for key, policy in policies.items()], accounts)
        self._due = self.clock.monotonic() + _PAUSE_SECONDS

    def _existing(self) -> tuple[dict[Key, ScanPolicy], frozenset[str]]:
        """Return the policies that exist, and those of several watched namespaces that could not be read."""
        found, unread = dict[Key, ScanPolicy](), set[str]()
        for where in self.policies.cache.namespaces or (None,):
            try:
                found |= {_key(policy): policy for policy in self.policies.api.list(where)}
            except (Refused, ClusterUnavailable) as error:
                if where is None:
                    raise
                unread.add(where)
                logger.warning("nothing of namespace %s is forgotten: %s", where, error)
        return found, frozenset(unread)

    def _kept(self) -> tuple[dict[Key, PolicyHead], list[ShardHead]]:
        """Return the heads of all policies, and those of the shards that none of them names.

        A head that cannot be read stays; it may name any shard, so beside it no shard counts as unnamed.
        """
        heads: dict[Key, PolicyHead] = {}
        unread = False
        for key in self._recommendations.policies():
            try:
                head = self._recommendations.head(key)
            except HeadUnreadable as error:
                logger.warning("kept, nothing of it is forgotten: %s", error, extra={"policy": "/".join(key)})
                unread = True
                continue
            if head is not None:
                heads[key] = head
        if unread:
            return heads, []
        named = {shard for head in heads.values() for shard, _ in head.shards}
        unnamed = (self._inventory.head(shard) for shard in self._inventory.shards() if shard not in named)
        return heads, [head for head in unnamed if head is not None]

    def _is_gone(self, key: Key, uid: str = "") -> bool:
        """Ask the API server for one policy: a list leaves out what this version cannot read."""
        try:
            found = self.policies.api.get(*key)
        except InvalidObject:
            return False
        return not _is_same(uid, found)

    def _forget_shards(
        self,
        unnamed: Iterable[ShardHead],
        policies: Collection[tuple[ScanPolicy, PolicyHead | None]],
        accounts: Mapping[str, AwsAccount],
    ) -> None:
        if self.policies.cache.broken() or self.accounts.cache.broken():
            # Nobody knows what those would scan.
            return
        now = self.clock.now()
        for head in unnamed:
            if is_abandoned(head, policies, accounts, now):
                self._inventory.forget(head)
                logger.info("forgotten, nobody scans it any more: %s", head.shard)


def is_abandoned(
    head: ShardHead,
    policies: Iterable[tuple[ScanPolicy, PolicyHead | None]],
    accounts: Mapping[str, AwsAccount],
    now: datetime,
) -> bool:
    """Return whether no policy scans a shard that no policy's last scan has seen.

    Args:
        head: the shard.
        policies: all that exist, each with what its last scan left.
        accounts: all that exist, by name.
        now: the time.
    """
    if head.generation and now - head.attempted < _KEPT_UNSCANNED:
        return False
    return all(_passed_over(head, found) for policy, found in policies if may_scan(policy, accounts, head.shard))


def may_scan(policy: ScanPolicy, accounts: Mapping[str, AwsAccount], shard: Shard) -> bool:
    """Return whether a policy asks for a shard, as far as is known without asking AWS which regions are enabled."""
    spec = policy.spec
    if spec.resources and shard.kind not in spec.resources:
        return False
    names = [reference.name for reference in spec.accounts]
    granted, _ = granted_accounts(names, accounts, policy.metadata.namespace or "")
    allowed = [one.regions for one in granted if one.access.account_id == shard.account]
    return any(all(not named or shard.region in named for named in (spec.regions, regions)) for regions in allowed)


def _passed_over(shard: ShardHead, found: PolicyHead | None) -> bool:
    """Return whether the last scan left out a shard that its policy asks for: its region is not enabled any more.

    A scan tries all there is, so one that began after the last attempt did not want to, unless it could not even enter
    the account.
    """
    if found is None or found.summary.start_time <= shard.attempted:
        return False
    return not any(gap.account == shard.shard.account and not gap.region for gap in found.summary.gaps)


def _is_same(uid: str, policy: ScanPolicy | None) -> bool:
    """Return whether a policy is there and the one of that uid; an unknown uid may be anyone's."""
    return policy is not None and uid in {"", policy.metadata.uid}


def _key(policy: ScanPolicy) -> Key:
    return policy.metadata.namespace or "default", policy.metadata.name
