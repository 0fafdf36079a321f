"""The accounts that a policy names, as its last scan found them: whatever came, went or changed since is worth a scan.

Kept by the scheduler for this process only; a restart knows of no change.
"""

from __future__ import annotations

import threading
from collections.abc import Collection

from finops.crds.scan_policy import ScanPolicy
from finops_operator.cluster.cache import ClusterCache, Key
from finops_operator.policies.backoff import Accounts


class SeenAccounts:
    """Accounts by policy; thread-safe."""

    def __init__(self, cache: ClusterCache) -> None:
        self._cache = cache
        self._accounts: dict[Key, Accounts] = {}
        """The accounts as a policy's last scan of this process found them."""
        self._lock = threading.Lock()

    def see(self, key: Key, policy: ScanPolicy) -> None:
        """Keep the accounts of a policy that is scanned now."""
        with self._lock:
            self._accounts[key] = self.of(policy)

    def of(self, policy: ScanPolicy) -> Accounts:
        """Return the accounts that the policy names, as the watch shows them."""
        named = {reference.name for reference in policy.spec.accounts}
        found = (account.metadata for account in self._cache.accounts.all())
        return frozenset((one.name, one.uid, one.generation) for one in found if one.name in named)

    def changed(self, key: Key, policy: ScanPolicy) -> bool:
        """Return whether an account of the policy came, went or changed since its last scan in this process."""
        with self._lock:
            before = self._accounts.get(key)
        return before is not None and before != self.of(policy)

    def forget_all_but(self, known: Collection[Key]) -> None:
        """Forget policies that are gone."""
        with self._lock:
            for key in self._accounts.keys() - set(known):
                del self._accounts[key]
