"""The edge of `finops prices refresh`: downloads AWS's offer files over HTTPS, in pieces and without credentials.

A file that AWS does not give for the moment (503, 429, a broken connection) is asked for again after a pause, a few
times; an answer that ends before the length that AWS named is broken, never short. Nothing is kept on disk.
Source: "Getting price list files manually" (Billing user guide).
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3

from finops.errors import InvalidInput, Unavailable
from finops_operator.pricing.offer_file import MalformedOffer

AWS: Final = "https://pricing.us-east-1.amazonaws.com"
_OFFERS: Final = "/offers/v1.0/aws"
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_TIMEOUT: Final = urllib3.Timeout(connect=10.0, read=60.0)
_PIECE: Final = 1 << 20
_LONGEST_INDEX: Final = 4 << 20
_ATTEMPTS: Final = 4
_FIRST_PAUSE_SECONDS: Final = 1.0
_OK: Final = 200
_BUSY: Final = frozenset({429, 500, 502, 503, 504})
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class OfferPlace:
    """Where the offer file of a service in a region lies.

    Attributes:
        path: below the address of the source.
        origin: the same without scheme and ending, as tables name it.
    """

    path: str
    origin: str


class _Broken(Exception):
    """AWS gave no whole answer this time."""


def on_this_machine(address: str) -> bool:
    """Return whether an address names this machine literally."""
    return urlsplit(address).hostname in _LOCAL


@dataclass(slots=True)
class OfferFiles:
    """AWS's offer files, or a mirror's.

    Attributes:
        base: address of AWS or of a mirror. Plain HTTP only on this machine.
        sleep: waits so many seconds.
    """

    base: str
    sleep: Callable[[float], None]
    _pool: Any = None
    _indexes: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise InvalidInput for an address that is none."""
        parts = urlsplit(self.base)
        host, local = parts.hostname or "", on_this_machine(self.base)
        if not host or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
            raise InvalidInput(f"{self.base!r} is no address of offer files", field="--from", hint=f"such as {AWS}")
        proxy = "" if local or proxy_bypass(host) else getproxies().get(parts.scheme, "")
        make = urllib3.ProxyManager(proxy, timeout=_TIMEOUT) if proxy else urllib3.PoolManager(timeout=_TIMEOUT)
        self._pool = make

    def place(self, code: str, region: str) -> OfferPlace | None:
        """Return where a service's offer file of a region lies, None where AWS does not offer the service.

        Raises:
            Unavailable: AWS does not give the index.
            MalformedOffer: what it gives is none.
        """
        if code not in self._indexes:
            self._indexes[code] = self._retried(f"the index of {code}", lambda: self._index(code))
        path = self._indexes[code].get(region)
        if path is None:
            return None
        csv_path = f"{path.removesuffix('.json')}.csv"
        return OfferPlace(csv_path, f"{urlsplit(self.base).netloc}{path.removesuffix('/index.json')}")

    def read(self, place: OfferPlace, reader: Callable[[Iterator[str]], _T], progress: Callable[[int], None]) -> _T:
        """Return what `reader` makes of the lines of a file; it reads them anew after a broken answer.

        Args:
            place: of the file.
            reader: is given the lines as they come.
            progress: is given the bytes so far.

        Raises:
            Unavailable: AWS does not give the file.
            MalformedOffer: as the reader, or what AWS gives is not written in UTF-8.
        """
        return self._retried(place.origin, lambda: self._read(place.path, reader, progress))

    def _retried(self, what: str, ask: Callable[[], _T]) -> _T:
        why = ""
        for attempt in range(_ATTEMPTS):
            if attempt:
                self.sleep(_FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
            try:
                return ask()
            except (_Broken, urllib3.exceptions.HTTPError, OSError) as error:
                why = str(error)
        raise Unavailable(f"{what} could not be read in {_ATTEMPTS} attempts: {why}", hint="try again later")

    @contextmanager
    def _answer(self, path: str) -> Iterator[Any]:
        answer = self._pool.request(
            "GET", f"{self.base.rstrip('/')}{path}", preload_content=False, redirect=False, retries=False,
            headers={"Accept-Encoding": "gzip"}, decode_content=True,
        )  # fmt: skip
        try:
            if answer.status in _BUSY:
                raise _Broken(f"HTTP status {answer.status}")
            if answer.status != _OK:
                raise MalformedOffer(f"{self.base}{path} answers with HTTP status {answer.status}")
            yield answer
        finally:
            answer.close()

    def _index(self, code: str) -> dict[str, str]:
        with self._answer(f"{_OFFERS}/{code}/current/region_index.json") as answer:
            text = answer.read(_LONGEST_INDEX + 1)
        try:
            regions = json.loads(text)["regions"]
            found = {str(region): str(one["currentVersionUrl"]) for region, one in regions.items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise MalformedOffer(f"the index of {code} cannot be read: {error}") from error
        wrong = [path for path in found.values() if not path.startswith(f"{_OFFERS}/{code}/") or ".." in path]
        if wrong:
            raise MalformedOffer(f"the index of {code} names a file that is none of its own: {wrong[0]}")
        return found

    def _read(self, path: str, reader: Callable[[Iterator[str]], _T], progress: Callable[[int], None]) -> _T:
        with self._answer(path) as answer:
            if answer.headers.get("Content-Length") is None and not answer.chunked:
                raise MalformedOffer(f"{path} is given without its length, so that a part of it may be missing")
            return reader(_lines(answer, progress))


def _lines(answer: Any, progress: Callable[[int], None]) -> Iterator[str]:
    """Yield the lines of an answer, each with its end, in pieces of a megabyte."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    rest, count = "", 0
    for piece in answer.stream(_PIECE):
        count += len(piece)
        progress(count)
        try:
            *whole, rest = (rest + decoder.decode(piece)).split("\n")
        except UnicodeDecodeError as error:
            raise MalformedOffer(f"an offer file is not written in UTF-8: {error.reason}") from error
        yield from (f"{line}\n" for line in whole)
    if rest:
        yield rest
