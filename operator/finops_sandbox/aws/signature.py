"""Signature Version 4 as the receiving side checks it (IAM user guide, "Create a signed AWS API request").

The gateway calls this with the secret of the key named in the request, so that a wrong secret is refused as in AWS.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Authorization:
    """The parts of an Authorization header."""

    access_key: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str


def parse_authorization(header: str) -> Authorization | None:
    """Read the header, or nothing when it is not Signature Version 4."""
    algorithm, _, rest = header.partition(" ")
    fields = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    scope = fields.get("Credential", "").split("/")
    if algorithm != _ALGORITHM or len(scope) != 5 or "SignedHeaders" not in fields or "Signature" not in fields:
        return None
    key, date, region, service, _ = scope
    return Authorization(key, date, region, service, tuple(fields["SignedHeaders"].split(";")), fields["Signature"])


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def is_valid(
    authorization: Authorization, secret: str, method: str, target: str, headers: Mapping[str, str], body: bytes
) -> bool:
    """Recompute the signature over the request as it arrived. Header names are lower case."""
    path, _, query = target.partition("?")
    pairs = sorted((quote(key, safe="-_.~"), quote(value, safe="-_.~")) for key, value in parse_qsl(query, True))
    canonical = "\n".join(
        [
            method,
            # Every service but S3 signs the path as sent, quoted once more.
            quote(path, safe="/-_.~%" if authorization.service == "s3" else "/-_.~"),
            "&".join(f"{key}={value}" for key, value in pairs),
            *(f"{name}:{' '.join(headers.get(name, '').split())}" for name in authorization.signed_headers),
            "",
            ";".join(authorization.signed_headers),
            headers.get("x-amz-content-sha256") or hashlib.sha256(body).hexdigest(),
        ]
    )
    scope = f"{authorization.date}/{authorization.region}/{authorization.service}/aws4_request"
    text = "\n".join([_ALGORITHM, headers.get("x-amz-date", ""), scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + secret).encode()
    for part in (authorization.date, authorization.region, authorization.service, "aws4_request"):
        key = _hmac(key, part)
    return hmac.compare_digest(hmac.new(key, text.encode(), hashlib.sha256).hexdigest(), authorization.signature)
