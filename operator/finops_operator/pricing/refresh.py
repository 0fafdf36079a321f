"""Rebuilds price tables from AWS's offer files, region by region; called by `finops prices refresh`.

A region's table is replaced when every offer file that was asked for has been read to its end and found good, by a
file beside it that takes its name at once. Otherwise it stays as it was. Services that were not asked for keep their
figures.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from finops.domain.money import CURRENCY
from finops.errors import FinopsError, InvalidInput
from finops_operator.pricing.bundled import tabled
from finops_operator.pricing.downloads import OfferPlace
from finops_operator.pricing.listed import Figure, Rule
from finops_operator.pricing.offer_file import Amount, MalformedOffer, OfferFile, read_offer_file
from finops_operator.pricing.price_tables import packed_lines, table_line
from finops_operator.pricing.refreshed import file_name, lines_in

SOURCES: Final = "sources.json"
_MIB: Final = 1 << 20
_T = TypeVar("_T")


class Files(Protocol):
    """Where offer files come from."""

    def place(self, code: str, region: str) -> OfferPlace | None: ...

    def read(self, place: OfferPlace, reader: Callable[[Iterator[str]], _T], progress: Callable[[int], None]) -> _T: ...


@dataclass(frozen=True, slots=True)
class TableWritten:
    """A service's table of a region that is in the folder now.

    Attributes:
        origin, published: of the offer file; the day is the one as of which its figures hold.
        figures: how many it holds.
        left_out: those that the offer file leaves open, with the reason.
        missing: figures of the bundled table that the offer file does not name; the bundled one answers for them.
    """

    region: str
    service: str
    origin: str
    published: date
    figures: int
    left_out: Mapping[Figure, str]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RegionLeft:
    """A region whose table stays as it was, and why."""

    region: str
    error: FinopsError


@dataclass(frozen=True, slots=True)
class _Read:
    place: OfferPlace
    file: OfferFile


@dataclass(frozen=True, slots=True)
class Refresh:
    """One run of the command.

    Attributes:
        files: AWS or a mirror.
        rules: of all figures.
        services: whose tables are asked for, in our words.
        folder: where tables are written.
        now: when it runs.
        show: is given where it is, for people.
    """

    files: Files
    rules: Sequence[Rule]
    services: frozenset[str]
    folder: Path
    now: datetime
    show: Callable[[str], None]

    def regions(self, regions: Iterable[str]) -> Iterator[TableWritten | RegionLeft]:
        """Yield what became of each region, as soon as it is written.

        Raises:
            InvalidInput: the folder cannot be written, or holds something that is no table.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._unwritable(error) from error
        for region in regions:
            before = lines_in(self.folder / file_name(region))
            try:
                read = self._read(region)
            except FinopsError as error:
                yield RegionLeft(region, error)
                continue
            written = tuple(self._tables(region, read))
            lines = {name: line for name, line in before.items() if name not in self.services}
            lines |= {one.service: line for one, line in written}
            try:
                _replace(self.folder / file_name(region), packed_lines([lines[name] for name in sorted(lines)]))
                self._note_sources(region, read)
            except OSError as error:
                raise self._unwritable(error) from error
            yield from (one for one, _ in written)

    def _unwritable(self, error: OSError) -> InvalidInput:
        return InvalidInput(
            f"cannot write {self.folder}: {error.strerror}", field="--to", hint="name a folder of your own"
        )

    def _read(self, region: str) -> dict[str, _Read]:
        """Return code → offer file of the services that AWS offers there. Raises Unavailable, MalformedOffer."""
        wanted = [rule for rule in self.rules if rule.service in self.services]
        found: dict[str, _Read] = {}
        for code in sorted({rule.code for rule in wanted}):
            self.show(f"{code} in {region}: asking where its offer file is")
            place = self.files.place(code, region)
            if place is None:
                continue
            rules = [rule for rule in wanted if rule.code == code]
            reader = partial(read_offer_file, code=code, region=region, rules=rules, today=self.now.date())
            found[code] = _Read(place, self.files.read(place, reader, partial(self._so_far, f"{code} in {region}")))
        if not found:
            raise MalformedOffer(f"AWS has no offer file of these services in {region}")
        return found

    def _so_far(self, what: str, count: int) -> None:
        self.show(f"{what}: {count // _MIB:,} MiB read")

    def _tables(self, region: str, read: Mapping[str, _Read]) -> Iterator[tuple[TableWritten, str]]:
        for service in sorted(self.services):
            codes = {rule.code for rule in self.rules if rule.service == service}
            for code in sorted(codes & read.keys()):
                figures = _of_service(service, read[code].file.figures)
                if figures:
                    yield self._table(region, service, read[code], figures)

    def _table(
        self, region: str, service: str, read: _Read, figures: Mapping[Figure, Amount]
    ) -> tuple[TableWritten, str]:
        own = {
            (dimension, attributes): (one.amount, one.unit, one.sku)
            for (_, dimension, attributes), one in figures.items()
        }
        names = {_name(dimension, attributes) for dimension, attributes in own}
        missing = sorted({_name(*one) for one in tabled(region, service)} - names)
        left_out = {figure: why for figure, why in read.file.left_out.items() if figure[0] == service}
        origin, published = read.place.origin, read.file.published
        written = TableWritten(region, service, origin, published, len(own), left_out, tuple(missing))
        return written, table_line(service, own, origin, published)

    def _note_sources(self, region: str, read: Mapping[str, _Read]) -> None:
        """Write down where the folder's figures come from, for people; no program reads it back but this one."""
        path = self.folder / SOURCES
        before: dict[str, Any] = {}
        if path.is_file():
            try:
                before = dict(json.loads(path.read_text(encoding="utf-8"))["regions"])
            except (ValueError, KeyError, TypeError) as error:
                raise InvalidInput(f"{path} is not ours: {error}", field="--to", hint="name another folder") from error
        offers = {
            code: {
                "source": one.place.origin,
                "published": one.file.published.isoformat(),
                "version": one.file.version,
                "readAt": self.now.isoformat(timespec="seconds"),
                "rows": one.file.rows,
                "figures": len(one.file.figures),
                "leftOut": len(one.file.left_out),
            }
            for code, one in sorted(read.items())
        }
        about = "On-demand list prices from AWS's offer files, written by finops prices refresh."
        before[region] = {**before.get(region, {}), **offers}
        document = {"about": about, "currency": CURRENCY, "regions": before}
        _replace(path, (json.dumps(document, indent=2, sort_keys=True) + "\n").encode())


def _of_service(service: str, figures: Mapping[Figure, Amount]) -> dict[Figure, Amount]:
    return {figure: one for figure, one in figures.items() if figure[0] == service}


def _name(dimension: str, attributes: tuple[tuple[str, str], ...]) -> str:
    """Return a figure by its values, in whatever order a table nests them."""
    return "/".join((dimension, *(value for _, value in sorted(attributes))))


def _replace(path: Path, content: bytes) -> None:
    """Put a file in the place of another one, whole or not at all. Raises OSError."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    finally:
        # Nothing is left under this name unless something went wrong.
        Path(name).unlink(missing_ok=True)
