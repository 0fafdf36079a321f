"""Who wrote the ledger: Ed25519 signatures over the hashes of its records (RFC 8032).

The operator alone holds the private key. Whoever can write to the store, restore an old copy of it or read it as the
bot can therefore neither make a record nor change one: a signature is checked at every read that decides, before a
record is copied to the second sink, and at start. `finops audit verify` checks the same with the public key, in code of
its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from finops.domain.audit import Record
from finops.errors import InvalidInput, LedgerDiverged

PURPOSE: Final = b"finops.dev ledger record v1\n"
"""Begins every signed text, so that a signature of this key over something else is none over a record."""

_KEY_CHARACTERS: Final = 16
_BEGIN: Final = "-----BEGIN PUBLIC KEY-----"
_END: Final = "-----END PUBLIC KEY-----"


def signed_text(digest: str) -> bytes:
    """Return what is signed for the record with this hash."""
    return PURPOSE + digest.encode("ascii")


def key_id(public: Ed25519PublicKey) -> str:
    """Return the key's name in records: the first 16 hexadecimal characters of the SHA-256 of its 32 bytes."""
    raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:_KEY_CHARACTERS]


def new_private_key() -> str:
    """Return a fresh private key as PEM (PKCS 8, not encrypted: it lives in a Secret)."""
    return (
        Ed25519PrivateKey.generate()
        .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        .decode("ascii")
    )


def public_key_of(private_pem: str) -> str:
    """Return the public key of a private one as PEM.

    Raises:
        InvalidInput: the text is no private Ed25519 key.
    """
    public = _private_key(private_pem).public_key()
    encoded = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return encoded.decode("ascii")


@dataclass(frozen=True, slots=True)
class Keyring:
    """The key that signs, and all keys whose signatures count: its own and those that it replaced.

    Attributes:
        key: id of the signing key.
        trusted: id → public key.
    """

    key: str
    trusted: Mapping[str, Ed25519PublicKey] = field(repr=False)
    _private: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def of(cls, private_pem: str, trusted_pems: str = "") -> Keyring:
        """Make a keyring.

        Args:
            private_pem: the signing key.
            trusted_pems: public keys that signed before, PEM blocks one after the other.

        Raises:
            InvalidInput: a text is no key of its kind.
        """
        private = _private_key(private_pem)
        keys = [private.public_key(), *_public_keys(trusted_pems)]
        trusted = {key_id(public): public for public in keys}
        return cls(key_id(private.public_key()), trusted, private)

    def sign(self, record: Record) -> Record:
        """Return the record with our key's id and signature."""
        named = replace(record, key=self.key, signature="")
        return replace(named, signature=self.sign_text(signed_text(named.hash)))

    def sign_text(self, text: bytes) -> str:
        """Return our signature in hexadecimal; the text begins with what it is for."""
        return self._private.sign(text).hex()

    def check(self, record: Record) -> None:
        """Refuse a record that no trusted key has signed.

        Raises:
            LedgerDiverged: the signature is absent, by an unknown key, or of another record.
        """
        why = self.problem_of_text(record.key, signed_text(record.hash), record.signature)
        if not why:
            return
        known = record.key in self.trusted
        hint = (
            "somebody wrote to the store: compare both sinks with `finops audit verify`"
            if known
            else "somebody wrote to the store, or an earlier key is missing in FINOPS_LEDGER_TRUSTED_KEYS"
        )
        raise LedgerDiverged(f"record {record.sequence} of the ledger {why}", hint=hint)

    def problem_of_text(self, key: str, text: bytes, signature: str) -> str:
        """Return why a signature does not count, as the end of a sentence; empty when it does."""
        public = self.trusted.get(key)
        if public is None:
            return f"is signed by an unknown key {key!r}"
        try:
            public.verify(bytes.fromhex(signature), text)
        except (InvalidSignature, ValueError):
            return f"does not have the signature of key {key}"
        return ""


def _private_key(pem: str) -> Ed25519PrivateKey:
    try:
        found = serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise _no_key("FINOPS_LEDGER_SIGNING_KEY", "private") from error
    if not isinstance(found, Ed25519PrivateKey):
        raise _no_key("FINOPS_LEDGER_SIGNING_KEY", "private")
    return found


def _public_keys(pems: str) -> list[Ed25519PublicKey]:
    found: list[Ed25519PublicKey] = []
    for block in pems.split(_BEGIN)[1:]:
        body = block.partition(_END)[0]
        try:
            key = serialization.load_pem_public_key(f"{_BEGIN}{body}{_END}".encode())
        except ValueError as error:
            raise _no_key("FINOPS_LEDGER_TRUSTED_KEYS", "public") from error
        if not isinstance(key, Ed25519PublicKey):
            raise _no_key("FINOPS_LEDGER_TRUSTED_KEYS", "public")
        found.append(key)
    if pems.strip() and not found:
        raise _no_key("FINOPS_LEDGER_TRUSTED_KEYS", "public")
    return found


def _no_key(variable: str, kind: str) -> InvalidInput:
    return InvalidInput(
        f"is not a {kind} Ed25519 key",
        field=variable,
        hint="the chart makes one; by hand: openssl genpkey -algorithm ed25519",
    )
