"""Sends one event to one endpoint: signed as Standard Webhooks says, to the address that the guard has checked.

Headers: `webhook-id` (the same for every attempt), `webhook-timestamp` (seconds, of the attempt), `webhook-signature`
(`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`). Source: github.com/standard-webhooks, version 1.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ssl
from dataclasses import dataclass
from http.client import HTTPException
from typing import Final
from urllib.parse import urlsplit

from finops.errors import Refused, Unavailable
from finops_operator.webhooks.addresses import Resolve, address_of, resolved
from finops_operator.webhooks.endpoints import Endpoint
from finops_operator.webhooks.exchange import Deadline, Place, status_of_post

_CONTENT: Final = "application/cloudevents+json; charset=utf-8"
_GONE: Final = 410
_PORTS: Final = {"https": 443, "http": 80}


class EndpointGone(Refused):
    """The endpoint answers that it takes no events any more."""


def signature(key: bytes, event_id: str, timestamp: int, body: bytes) -> str:
    """Return the value of `webhook-signature`."""
    signed = f"{event_id}.{timestamp}.".encode() + body
    return f"v1,{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """Sends events.

    Attributes:
        allow_internal: for tests on one machine: http, and addresses that are not public.
        resolve: returns the addresses of a host.
        seconds: how long one event may take, from the name to the status of the answer.
    """

    allow_internal: bool = False
    resolve: Resolve = resolved
    seconds: float = 10.0

    def send(self, endpoint: Endpoint, key: bytes, event_id: str, body: bytes, timestamp: int) -> None:
        """Send one event; returns when the endpoint has taken it (any status of 200 to 299).

        Raises:
            EndpointGone: it answers 410.
            Refused: the guard refuses the address.
            Unavailable: it does not answer in time, or not with success; a redirect is none.
        """
        # Resolving a name cannot be broken off, but counts: what it takes is missing afterwards.
        deadline = Deadline(self.seconds)
        parts = urlsplit(endpoint.url)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        address = address_of(host, port, self.resolve, allow_internal=self.allow_internal)
        headers = {
            "Host": parts.netloc,
            "Content-Type": _CONTENT,
            "User-Agent": "finops-operator",
            "webhook-id": event_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(key, event_id, timestamp, body),
        }
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        place = Place(address, port, host, None if parts.scheme == "http" else ssl.create_default_context())
        try:
            status = status_of_post(place, path, headers, body, deadline)
        except (OSError, HTTPException) as error:
            raise Unavailable(f"{host} does not answer: {error}", code=type(error).__name__) from error
        if status == _GONE:
            raise EndpointGone(f"{host} answered 410: it takes no events any more", code="Gone")
        if not 200 <= status < 300:
            raise Unavailable(f"{host} answered {status}", code=f"Http{status}")
