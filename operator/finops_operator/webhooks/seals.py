"""Notices and events in the store are sealed: whoever writes there cannot have their own sent under our signature.

A seal is the operator's own signature, as of the ledger: over the text of a notice where it is announced; over the
endpoint, the event's id and its text where an event waits. A key that was replaced still opens what it sealed.
"""

from __future__ import annotations

from typing import Final

from finops.domain.canonical import canonical_json
from finops.ledger.signing import Keyring

_PURPOSE: Final = b"finops.dev webhook event v1\n"
_NOTICE: Final = b"finops.dev notice v1\n"


def notice_seal(keys: Keyring, text: str) -> str:
    """Return what is kept beside the text of a notice: the key's id and the signature."""
    return f"{keys.key} {keys.sign_text(_NOTICE + text.encode())}"


def is_our_notice(keys: Keyring, text: str, sealed: str) -> bool:
    """Return whether the operator has announced a notice with this text."""
    key, _, signature = sealed.partition(" ")
    return not keys.problem_of_text(key, _NOTICE + text.encode(), signature)


def seal(keys: Keyring, endpoint: str, event: str, body: str) -> str:
    """Return the text to keep of an event: the key's id, the signature and the body."""
    return f"{keys.key} {keys.sign_text(_signed(endpoint, event, body))} {body}"


def opened(keys: Keyring, endpoint: str, event: str, text: str) -> str | None:
    """Return the body of an event that waited, None when it is not one that was sealed for this endpoint and id."""
    key, _, rest = text.partition(" ")
    signature, _, body = rest.partition(" ")
    return None if keys.problem_of_text(key, _signed(endpoint, event, body), signature) else body


def _signed(endpoint: str, event: str, body: str) -> bytes:
    return _PURPOSE + canonical_json([endpoint, event, body])
