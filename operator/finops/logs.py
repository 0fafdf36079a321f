"""One line per event, JSON in a cluster and text on a terminal; secrets never reach a line.

Called once by every composition root. Hostile text (tag values) is safe in both forms: JSON escapes it, text output
replaces control characters.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final, TextIO

_OWN: Final = frozenset(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {"message", "asctime", "taskName"}
_SHORTEST_SECRET: Final = 6
_LIBRARIES: Final = (
    "botocore",
    "boto3",
    "urllib3",
    "kubernetes",
    "asyncio",
    "slack_bolt",
    "slack_sdk",
    "kopf",
    "uvicorn",
)
"""What they say of their own work is theirs; their warnings are ours."""
_ONE_WORD: Final = re.compile(r"[^\s\"=]+")


class _Redacting(logging.Formatter):
    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        # Short values would blank out ordinary words; no real credential is that short.
        real = {secret for secret in secrets if len(secret) >= _SHORTEST_SECRET}
        # JSON spells quotes, backslashes and other alphabets differently. The longest first: one may hold another.
        spelled = real | {json.dumps(secret)[1:-1] for secret in real}
        self._secrets = tuple(sorted(spelled, key=len, reverse=True))

    def redact(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


class JsonFormatter(_Redacting):
    """One JSON object a line: time, level, logger, message, and whatever was passed as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update({key: value for key, value in _facts(record).items() if key not in line})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return self.redact(json.dumps(line, default=str, ensure_ascii=True))


class TextFormatter(_Redacting):
    """For a terminal: time, level, message, `key=value` for each `extra`.

    Control characters are replaced, and values that are more than one word quoted, so that neither a line nor a fact
    can be forged.
    """

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        # Redacted before signs are replaced: a secret with a tab in it must still be recognised.
        line = f"{time} {record.levelname.lower():7} {_printable(self.redact(record.getMessage()))}"
        line += "".join(f" {key}={self._fact(value)}" for key, value in _facts(record).items())
        if record.exc_info:
            # Indented, so that no line of an exception's text can pass for an event of its own.
            lines = self.redact(self.formatException(record.exc_info)).splitlines()
            line += "".join(f"\n    {_printable(one)}" for one in lines)
        return line

    def _fact(self, value: object) -> str:
        if not isinstance(value, str):
            return _printable(self.redact(json.dumps(value, default=str)))
        text = self.redact(value)
        return _printable(text if _ONE_WORD.fullmatch(text) else json.dumps(text, ensure_ascii=False))


def _facts(record: logging.LogRecord) -> dict[str, Any]:
    """Return what was passed as `extra`."""
    return {key: value for key, value in record.__dict__.items() if key not in _OWN}


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else "�" for sign in text)


def configure(*, format_: str, level: str, secrets: Iterable[str] = (), stream: TextIO | None = None) -> None:
    """Replace the root logger's handlers; `format_` is `json` or `text`."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter(secrets) if format_ == "json" else TextFormatter(secrets))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
