"""The keys that sign the tests' ledgers: the same in every process, since tests kill one and go on in the next."""

from __future__ import annotations

import hashlib
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from finops.audit_verify import Keys
from finops.ledger.signing import Keyring, public_key_of

PRIVATE_KEY: Final = (
    Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"the ledgers of the tests").digest())
    .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    .decode("ascii")
)
KEYS: Final = Keyring.of(PRIVATE_KEY)
PUBLIC_KEYS: Final = Keys(public_key_of(PRIVATE_KEY))
MEMBERSHIP_KEY: Final = "another key for tests only"
"""Of the bot and the operator, for lists of group members."""
