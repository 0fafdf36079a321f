"""Judges id tokens of OpenID Connect: who signed them, for whom, until when, and which name they give a person.

Pure: keys, expectations and the time are arguments. A token counts only when every rule of OpenID Connect Core 1.0,
section 3.1.3.7, holds; names are made as the API server makes them (`--oidc-username-claim` and its siblings).
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from joserfc import jws, jwt
from joserfc.errors import BadSignatureError, ExpiredTokenError, JoseError
from joserfc.jwk import ECKey, RSAKey

from finops.errors import Refused

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Signatures by a private key alone, as the API server takes: neither `none` nor one made with a shared secret."""
SKEW_SECONDS: Final = 30
"""How far the issuer's clock may be from ours."""
_SMALLEST_RSA_BITS: Final = 2048
_LATEST: Final = datetime(9999, 1, 1, tzinfo=UTC).timestamp()
_SIGNATURES: Final = jws.JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
VerifyingKey: TypeAlias = RSAKey | ECKey


class IdTokenRefused(Refused):
    """A rule does not hold; the sentence says which."""


class KeyUnknown(IdTokenRefused):
    """None of the keys made the signature: the issuer may have changed its keys since they were read."""


@dataclass(frozen=True, slots=True)
class Naming:
    """How claims become the name and the groups by which RBAC knows a person.

    Attributes:
        groups_claim: empty when groups are not taken from tokens.
    """

    username_claim: str
    username_prefix: str
    groups_claim: str
    groups_prefix: str


@dataclass(frozen=True, slots=True)
class Expected:
    """Who must have made a token, for whom, and for which attempt to sign in."""

    issuer: str
    client_id: str
    nonce: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a token names, with prefixes, and until when."""

    name: str
    groups: tuple[str, ...]
    until: datetime


def keys_in(document: Mapping[str, Any]) -> tuple[VerifyingKey, ...]:
    """Return the keys of a JSON Web Key Set that can verify signatures; others are left out, as RFC 7517 asks."""
    found = document.get("keys")
    return tuple(key for one in (found if isinstance(found, list) else ()) if (key := _key(one)) is not None)


def judge(token: str, keys: Sequence[VerifyingKey], expected: Expected, naming: Naming, now: datetime) -> Identity:
    """Return whom the token names.

    Raises:
        KeyUnknown: no key made its signature.
        IdTokenRefused: anything else about it is not as it must be.
    """
    claims = _signed_claims(token, keys)
    _judge_claims(claims, expected, now)
    return Identity(
        _name_in(claims, naming),
        _groups_in(claims, naming),
        datetime.fromtimestamp(min(float(claims["exp"]), _LATEST), UTC),
    )


def _key(data: Any) -> VerifyingKey | None:
    if not isinstance(data, dict) or data.get("use", "sig") != "sig":
        return None
    public = {name: value for name, value in data.items() if name in {"kty", "kid", "alg", "n", "e", "crv", "x", "y"}}
    try:
        if data.get("kty") == "EC":
            return ECKey.import_key(public)
        if data.get("kty") == "RSA" and len(str(data.get("n"))) * 6 >= _SMALLEST_RSA_BITS:
            return RSAKey.import_key(public)
    except (JoseError, ValueError, TypeError):
        return None
    return None


def _signed_claims(token: str, keys: Sequence[VerifyingKey]) -> Mapping[str, Any]:
    try:
        header = jws.extract_compact(token.encode()).headers()
    except (JoseError, ValueError) as error:
        raise _refused("is no signed token") from error
    if header.get("alg") not in ALGORITHMS:
        raise _refused(f"is signed by {str(header.get('alg'))[:20]!r}, which is not taken")
    wanted = header.get("kid")
    for key in keys:
        if (wanted and key.kid != wanted) or key.get("alg", header["alg"]) != header["alg"]:
            continue
        try:
            return jwt.decode(token, key, registry=_SIGNATURES).claims
        except BadSignatureError:
            continue
        except (JoseError, ValueError) as error:
            raise _refused("cannot be read") from error
    raise KeyUnknown(
        "the id token is signed by none of the issuer's keys",
        code="IdTokenRefused",
        hint="sign in again; if it stays so, the issuer's keys do not belong to what it signs",
    )


def _judge_claims(claims: Mapping[str, Any], expected: Expected, now: datetime) -> None:
    rules = jwt.JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=SKEW_SECONDS,
        iss={"essential": True, "value": expected.issuer},
        sub={"essential": True},
        aud={"essential": True, "value": expected.client_id},
        exp={"essential": True},
        iat={"essential": True},
    )
    try:
        rules.validate(dict(claims))
    except ExpiredTokenError as error:
        raise _refused("has expired", "compare the clocks of the issuer and of the cluster's nodes") from error
    except JoseError as error:
        raise _refused(
            f"does not fit: {error.description or error.error}", "compare issuer and client id in the settings"
        ) from error
    if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and "azp" not in claims:
        raise _refused("is for several clients and does not say for which it was made (azp)")
    if claims.get("azp", expected.client_id) != expected.client_id:
        raise _refused("was made for another client (azp)", "compare the client id in the settings")
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), expected.nonce.encode()):
        raise _refused("was made for another attempt to sign in (nonce)", "sign in again")


def _name_in(claims: Mapping[str, Any], naming: Naming) -> str:
    found = claims.get(naming.username_claim)
    if not isinstance(found, str) or not found.strip():
        raise _refused(
            f"has no claim {naming.username_claim!r}", "let the issuer add it, or choose another claim for names"
        )
    if naming.username_claim == "email" and claims.get("email_verified", True) is not True:
        raise _refused("names an address that the issuer has not verified", "verify the address at the issuer")
    return naming.username_prefix + found


def _groups_in(claims: Mapping[str, Any], naming: Naming) -> tuple[str, ...]:
    found = claims.get(naming.groups_claim, []) if naming.groups_claim else []
    groups = [found] if isinstance(found, str) else found
    if not isinstance(groups, list) or not all(isinstance(one, str) for one in groups):
        raise _refused(f"holds no list of names in claim {naming.groups_claim!r}", "choose another claim for groups")
    return tuple(naming.groups_prefix + one for one in groups)


def _refused(why: str, hint: str = "sign in again") -> IdTokenRefused:
    return IdTokenRefused(f"the id token {why}", code="IdTokenRefused", hint=hint)
