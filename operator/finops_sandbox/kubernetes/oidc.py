"""How an API server with `--oidc-issuer-url` and its siblings takes id tokens: who signed them, and who they name.

As the real one by default: RS256 alone, names of other claims than email get the issuer as a prefix, an address that is
not verified names nobody.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256

from finops_sandbox.kubernetes.objects import Obj, UserInfo

AUTHENTICATED = "system:authenticated"


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """The API server's flags, its clock, and how it gets the issuer's key set (RFC 7517)."""

    issuer: str
    client_id: str
    keys: Callable[[], Mapping[str, Any]]
    now: Callable[[], datetime]
    username_claim: str = "sub"
    username_prefix: str = ""
    groups_claim: str = ""
    groups_prefix: str = ""

    def authenticate(self, token: str) -> UserInfo | None:
        """Return whom a token names, None when it is not taken."""
        try:
            claims = self._signed(token)
        except (ValueError, KeyError, TypeError, InvalidSignature):
            return None
        audience = claims.get("aud")
        fits = self.client_id in (audience if isinstance(audience, list) else [audience])
        now = self.now().timestamp()
        if claims.get("iss") != self.issuer or not fits or now >= float(claims.get("exp", 0)):
            return None
        if now < float(claims.get("nbf", 0)):
            return None
        return self._named(claims)

    def _signed(self, token: str) -> Obj:
        head, body, signature = token.split(".")
        header = json.loads(_bytes(head))
        if header["alg"] != "RS256":
            raise ValueError(header["alg"])
        key = next(one for one in [*self.keys()["keys"], {}] if one.get("kid") == header["kid"])
        numbers = RSAPublicNumbers(_number(key["e"]), _number(key["n"]))
        numbers.public_key().verify(_bytes(signature), f"{head}.{body}".encode(), PKCS1v15(), SHA256())
        claims: Obj = json.loads(_bytes(body))
        return claims

    def _named(self, claims: Obj) -> UserInfo | None:
        name = claims.get(self.username_claim)
        if not isinstance(name, str) or (self.username_claim == "email" and not claims.get("email_verified", True)):
            return None
        prefix = self.username_prefix or ("" if self.username_claim == "email" else f"{self.issuer}#")
        groups = claims.get(self.groups_claim, []) if self.groups_claim else []
        listed = [groups] if isinstance(groups, str) else groups
        return UserInfo(
            name if prefix == "-" else prefix + name,
            (*(self.groups_prefix + str(one) for one in listed), AUTHENTICATED),
        )


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _number(text: str) -> int:
    return int.from_bytes(_bytes(text))
