"""What was announced: alerts of budgets and anomalies, each once; implements `finops.ports.notifier.Notifier`.

Written by the operator; read by the queue of webhooks and by the bot. One script records the id and the notice
together, so that a notice announced again after a crash stays one. The newest 10,000 are kept, ids for 400 days.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from finops.domain.notice import Notice
from finops.store.connection import Store, store_errors
from finops.store.keys import AnnouncementKeys
from finops.store.records import Record
from finops.store.sealed import Seals

logger = logging.getLogger(__name__)
KEPT: Final = 10_000
_NOTICES: Final[Record[Notice]] = Record(Notice)
_CHANNEL: Final = re.compile("[A-Z0-9]{1,32}")
_PLACE: Final = re.compile("[0-9]{1,19}-[0-9]{1,19}")
_PLACE_OF_SEAL: Final = ("notice",)
_ID_SECONDS: Final = 400 * 86_400
_ANNOUNCE: Final = """
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. (tonumber(ARGV[2]) - tonumber(ARGV[3])))
if redis.call('ZADD', KEYS[2], 'NX', ARGV[2], ARGV[1]) == 0 then return 0 end
redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[4], '*', 'notice', ARGV[5], 'seal', ARGV[6], 'code', ARGV[7])
return 1
"""


class StoredNotices:
    """Every method raises StoreUnavailable when Redis is down.

    Args of the constructor:
        seal: makes the signature that is kept beside the text of a notice; without one it is empty.
        is_ours: whether a text has that signature; without one it is not asked.
        shared: the seals of the operator and the bot, which has no key to check signatures with.
    """

    def __init__(
        self,
        store: Store,
        seal: Callable[[str], str] = lambda _text: "",
        is_ours: Callable[[str, str], bool] = lambda _text, _seal: True,
        shared: Seals | None = None,
    ) -> None:
        self._seal, self._is_ours, self._shared = seal, is_ours, shared or Seals()
        self._client: Any = store.client
        keys = AnnouncementKeys(store.keys.prefix)
        self._stream, self._ids = keys.notices, keys.notice_ids

    def announce(self, notice: Notice) -> bool:
        """Record a notice; return whether it is new."""
        text = notice_to_text(notice)
        seals = self._seal(text), self._shared.code(_PLACE_OF_SEAL, text)
        arguments = [notice.id, notice.time.timestamp(), _ID_SECONDS, KEPT, text, *seals]
        with store_errors():
            return bool(self._client.eval(_ANNOUNCE, 2, self._stream, self._ids, *arguments))

    def after(self, place: str, count: int) -> Iterator[tuple[str, Notice | None]]:
        """Yield at most `count` notices behind a place of the stream, each with its own; empty: from the first.

        An entry that is no notice, or none of ours, comes as None and is logged: whoever follows the stream goes on
        behind it.
        """
        with store_errors():
            entries = self._client.xrange(self._stream, min=f"({place}" if is_place(place) else "-", count=count)
        for found, fields in entries:
            text, sealed = str(fields.get("notice", "")), str(fields.get("seal", ""))
            ours = self._is_ours(text, sealed) and self._shared.fits(_PLACE_OF_SEAL, text, str(fields.get("code", "")))
            notice = notice_from_text(text) if ours else None
            if notice is None:
                logger.error("an entry of the notices is none of ours, and is left out", extra={"place": str(found)})
            yield str(found), notice

    def end(self) -> str:
        """Return the place of the newest notice, `0-0` when there is none."""
        with store_errors():
            entries = self._client.xrevrange(self._stream, count=1)
        return str(entries[0][0]) if entries else "0-0"


def is_place(text: str) -> bool:
    """Return whether a text names an entry of a stream: nobody can be asked what is behind anything else."""
    return _PLACE.fullmatch(text) is not None


def notice_to_text(one: Notice) -> str:
    """Return a notice as one JSON text."""
    fields = {
        "id": one.id,
        "type": one.type,
        "namespace": one.namespace,
        "subject": one.subject,
        "time": one.time.isoformat(),
        "text": one.text,
        "data": dict(one.data),
        "title": one.title,
        "lines": one.lines,
        "commands": one.commands,
        "page": one.page,
        "channels": one.channels,
    }
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def notice_from_text(text: str) -> Notice | None:
    """Return the notice behind `notice_to_text`, of which a release before may have written less; None for the rest."""
    found = _NOTICES.value_or_none(text)
    if found is None:
        return None
    is_ours = found.time.tzinfo is not None and all(_CHANNEL.fullmatch(channel) for channel in found.channels)
    return found if is_ours else None
