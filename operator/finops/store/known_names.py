"""Names of people by their Slack member ids, as the administrator's ConfigMap of identities gives them.

Written by the operator, read by the dashboard to show a name beside an id. A name here decides nothing: whose vote
counts is judged by ids alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from finops.store.connection import Store, store_errors
from finops.store.keys import NameKeys


class KnownNames:
    """The names on one store. Every method raises StoreUnavailable."""

    def __init__(self, store: Store) -> None:
        self._client = store.client
        self._key = NameKeys(store.keys.prefix).of_slack

    def put(self, names: Mapping[str, str]) -> None:
        """Operator: replace all names by Slack member id → name."""
        with store_errors(), self._client.pipeline(transaction=True) as pipe:
            pipe.delete(self._key)
            for member, name in names.items():
                pipe.hset(self._key, member, name)
            pipe.execute()

    def read(self) -> Mapping[str, str]:
        """Dashboard: return Slack member id → name; ids that are absent have no known name."""
        with store_errors():
            found: Any = self._client.hgetall(self._key)
        return {str(member): str(name) for member, name in found.items()}
