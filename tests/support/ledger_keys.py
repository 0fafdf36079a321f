"""The keys that sign the ledgers of the tests: one for all, made when the tests start."""

from __future__ import annotations

from typing import Final

from finops.audit_verify import Keys
from finops.ledger.signing import Keyring, new_private_key, public_key_of

PRIVATE_KEY: Final = new_private_key()
KEYS: Final = Keyring.of(PRIVATE_KEY)
PUBLIC_KEYS: Final = Keys(public_key_of(PRIVATE_KEY))
