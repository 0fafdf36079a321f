"""Scans that pods do: what they are asked, and what each has found. Kept until the scan has it, a day at most.

Written by the operator (the work) and by the pods (the parts); texts are the callers'.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from finops.store.connection import Store, store_errors
from finops.store.keys import WorkKeys

_SECONDS: Final = 86_400
_WORK: Final = "work"

# Asked and written at once: a hash that is made anew behind `drop` would have no expiry, and nobody who removes it.
_IF_ASKED: Final = """
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return false end
return redis.call(ARGV[2], KEYS[1], ARGV[3], ARGV[4])
"""


class ScanWork:
    """One hash for each scan. Every method raises StoreUnavailable when the server does not answer."""

    def __init__(self, store: Store) -> None:
        self._client: Any = store.client
        self._keys = WorkKeys(store.keys.prefix)

    def ask(self, scan: str, work: str) -> None:
        """Keep what a scan's pods are asked."""
        with store_errors(), self._client.pipeline(transaction=True) as pipe:
            pipe.hset(self._keys.of(scan), _WORK, work)
            pipe.expire(self._keys.of(scan), _SECONDS)
            pipe.execute()

    def asked(self, scan: str) -> str | None:
        """Return what a scan's pods are asked, None when nobody waits for them any more."""
        return self._read(scan, _WORK)

    def begin(self, scan: str, index: int) -> bool:
        """Note that a pod begins; return whether an earlier one began with the same part.

        False also where nobody waits for the scan any more: then nothing is noted.
        """
        return int(self._if_asked(scan, "HINCRBY", f"begun:{index}", "1") or 0) > 1

    def put(self, scan: str, index: int, found: str) -> bool:
        """Keep what a pod has found, unless nobody waits for it any more; return whether it was kept."""
        return self._if_asked(scan, "HSET", f"found:{index}", found) is not None

    def found(self, scan: str, index: int) -> str | None:
        """Return what the pod of a part has found, None when it has not ended."""
        return self._read(scan, f"found:{index}")

    def drop(self, scan: str) -> None:
        """Forget a scan: what a pod still finds for it is not kept."""
        with store_errors():
            self._client.delete(self._keys.of(scan))

    def _if_asked(self, scan: str, command: str, field: str, value: str) -> Any:
        with store_errors():
            return self._client.eval(_IF_ASKED, 1, self._keys.of(scan), _WORK, command, field, value)

    def _read(self, scan: str, field: str) -> str | None:
        with store_errors():
            text = self._client.hget(self._keys.of(scan), field)
        return None if text is None else str(text)


def take_out(store: Store, policy: tuple[str, str], generation: str, ids: Sequence[str]) -> None:
    """Remove recommendations from a generation that nobody sees yet. Raises StoreUnavailable."""
    if not ids:
        return
    keys, client = store.keys.policy(*policy), store.client
    with store_errors(), client.pipeline(transaction=True) as pipe:
        pipe.hdel(keys.part(generation, "recs"), *ids)
        pipe.zrem(keys.part(generation, "by-saving"), *ids)
        pipe.execute()
