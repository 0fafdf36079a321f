"""Validates what the SDK takes from the environment before it fails there: endpoints, and numbers that are none.

Called by `session.py`, for every client and by `SdkSessions.check`. An endpoint is never repeated in a message: it may
carry a password.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from finops.errors import InvalidInput

ENDPOINT: Final = "AWS_ENDPOINT_URL"
ENDPOINT_HINT: Final = "write http://HOST:PORT or https://HOST (chart: aws.endpointUrl), or leave it out for AWS itself"
_IGNORED: Final = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"
_FIGURES: Final = ("AWS_METADATA_SERVICE_TIMEOUT", "AWS_METADATA_SERVICE_NUM_ATTEMPTS")


def check_environment(environment: Mapping[str, str]) -> None:
    """Refuse what the SDK would only refuse in the middle of its work.

    Raises:
        InvalidInput: a variable that names an endpoint or a figure holds none; names it.
    """
    if environment.get(_IGNORED, "").strip().lower() != "true":
        for variable, value in sorted(environment.items()):
            if variable == ENDPOINT or variable.startswith(f"{ENDPOINT}_"):
                problem = endpoint_problem(value) if value else ""
                if problem:
                    raise InvalidInput(
                        f"is not the address of an endpoint: {problem}", field=variable, hint=ENDPOINT_HINT
                    )
    for variable in _FIGURES:
        value = environment.get(variable, "")
        if value and not (value.isascii() and value.isdecimal()):
            raise InvalidInput("is not a whole number", field=variable, hint="write a number, or leave it out")


def endpoint_problem(url: str) -> str:
    """Return what is wrong with the address of an endpoint, empty when it can be used."""
    if any(sign.isspace() or not sign.isprintable() for sign in url):
        return "it holds a blank or a line break"
    try:
        parts = urlsplit(url)
        usable = parts.port != 0
    except ValueError:
        return "its host or port cannot be read"
    if parts.scheme not in {"http", "https"}:
        return "it does not start with http:// or https://"
    if not parts.hostname or not usable:
        return "it names no host, or a port that cannot be"
    if "@" in parts.netloc:
        return "it holds a user or password, which AWS does not take there"
    return ""
