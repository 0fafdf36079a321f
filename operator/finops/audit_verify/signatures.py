"""Checks signatures with public keys, by the rules written down in `form`; the only part that needs a library.

Keys are PEM blocks ("BEGIN PUBLIC KEY"). A key's id is the first 16 hexadecimal characters of the SHA-256 of its 32 raw
bytes, as `openssl pkey -pubin -outform DER | tail -c 32 | sha256sum` prints them.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

_BLOCK: Final = re.compile(r"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", re.DOTALL)
_HEX: Final = re.compile(r"[0-9a-f]{128}")


class NotAKey(ValueError):
    """A text that should hold public Ed25519 keys does not."""


def is_signature(text: str) -> bool:
    """Return whether a text has the form of a signature."""
    return _HEX.fullmatch(text) is not None


class Keys:
    """The public keys whose signatures count.

    Attributes:
        pems: the text that they were read from.
        newest: id of the last one in the text; keys are given oldest first. Where records could have been left out,
            as in a proof, the signature of an older one alone shows nothing: it may have been replaced.
    """

    def __init__(self, pems: str) -> None:
        """Read the keys.

        Raises:
            NotAKey: there is no key in the text, or one of another kind.
        """
        self._keys: dict[str, Ed25519PublicKey] = {}
        self.pems = pems
        self.newest = ""
        for block in _BLOCK.findall(pems):
            try:
                key = load_pem_public_key(block.encode())
            except (ValueError, UnsupportedAlgorithm) as error:
                raise NotAKey(f"not a public key: {error}") from error
            if not isinstance(key, Ed25519PublicKey):
                raise NotAKey("a public key is not of type Ed25519")
            raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
            self.newest = hashlib.sha256(raw).hexdigest()[:16]
            self._keys[self.newest] = key
        if not self._keys:
            raise NotAKey("there is no public key in the text (a PEM block that begins with BEGIN PUBLIC KEY)")

    def problem(self, key: str, digest: str, signature: str) -> str:
        """Return what is wrong with the signature of a record, empty when it is good."""
        return self.problem_of_text(key, b"finops.dev ledger record v1\n" + digest.encode("ascii"), signature)

    def problem_of_text(self, key: str, text: bytes, signature: str) -> str:
        """Return what is wrong with a signature, empty when it is good."""
        public = self._keys.get(key)
        if public is None:
            return f"it is signed by key {key!r}, which is none of those given"
        if not is_signature(signature):
            return "it carries no signature"
        try:
            public.verify(bytes.fromhex(signature), text)
        except InvalidSignature:
            return f"its signature is not that of key {key}"
        return ""
