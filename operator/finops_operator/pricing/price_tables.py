"""The format of a price table: one line of JSON per service, each figure nested by what selects its product.

Read by the sources of prices and written by `finops prices refresh`; `tools/build_price_tables.py` writes the bundled
ones in the same format.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias

from finops.domain.price import Price

Attributes: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Figures of one service in one region, each dimension nested by the attributes that select the product.

    Attributes:
        source: the word that its prices carry.
        origins: where figures come from, as of when, and their unit; a figure names one by its number, and its product
            by AWS's where the table has that.
        dimensions: figure → names of its attributes, and the nested prices.
    """

    source: str
    origins: tuple[tuple[str, str, str], ...]
    dimensions: Mapping[str, Any]

    def figure(self, dimension: str, attributes: Mapping[str, str]) -> Price | None:
        """Return the figure selected by exactly these attributes."""
        found = self.dimensions.get(dimension)
        if found is None or attributes.keys() != set(found["attributes"]):
            return None
        node: Any = found["prices"]
        for word in [attributes[name] for name in found["attributes"]] or [""]:
            node = node.get(word)
            if node is None:
                return None
        amount, origin, *sku = node
        _, as_of, unit = self.origins[origin]
        return Price(Decimal(amount), unit, self.source, date.fromisoformat(as_of), sku="".join(sku))

    def figures(self) -> Iterator[tuple[str, Attributes]]:
        """Yield every figure that it holds: dimension and attributes."""
        for name, dimension in self.dimensions.items():
            names = dimension["attributes"]
            for words in _leaves(dimension["prices"], len(names) or 1):
                yield name, tuple(zip(names, words, strict=False))


def _leaves(node: Mapping[str, Any], depth: int) -> Iterator[tuple[str, ...]]:
    for word, inner in node.items():
        if depth == 1:
            yield (word,)
        else:
            yield from ((word, *more) for more in _leaves(inner, depth - 1))


@dataclass(frozen=True, slots=True)
class Age:
    """Days of the oldest and the newest figure of one service's tables."""

    oldest: date
    newest: date

    def with_day(self, day: date) -> Age:
        """Return the age with a further figure's day."""
        return Age(min(self.oldest, day), max(self.newest, day))


def ages_of(lines: Iterable[str | bytes]) -> dict[str, Age]:
    """Return service → the age of its figures in lines of tables; reads no figure."""
    found: dict[str, Age] = {}
    for line in lines:
        document = json.loads(line)
        service = str(document["service"])
        for _, day, _ in document["origins"]:
            as_of = date.fromisoformat(day)
            found[service] = found[service].with_day(as_of) if service in found else Age(as_of, as_of)
    return found


def read_table(document: Mapping[str, Any], source: str) -> Table:
    """Return the table of a line."""
    return Table(source, tuple((row[0], row[1], row[2]) for row in document["origins"]), document["dimensions"])


def line_of(packed: bytes, service: str) -> bytes | None:
    """Return a service's line of a region's packed file; only that one is worth parsing."""
    start = f'{{"service":"{service}",'.encode()
    return next((line for line in gzip.decompress(packed).split(b"\n") if line.startswith(start)), None)


def table_line(
    service: str, figures: Mapping[tuple[str, Attributes], tuple[Decimal, str, str]], origin: str, day: date
) -> str:
    """Return a service's line.

    Args:
        service: in our words.
        figures: dimension and attributes → amount, unit and AWS's number of the product, which may be empty.
        origin: where all of them come from.
        day: as of which they hold.
    """
    units = sorted({unit for _, unit, _ in figures.values()})
    dimensions: dict[str, dict[str, Any]] = {}
    for (name, attributes), (amount, unit, sku) in sorted(figures.items()):
        names = [one for one, _ in attributes]
        node: dict[str, Any] = dimensions.setdefault(name, {"attributes": names, "prices": {}})["prices"]
        *above, last = [value for _, value in attributes] or [""]
        for word in above:
            node = node.setdefault(word, {})
        node[last] = [f"{amount.normalize():f}", units.index(unit), *([sku] if sku else [])]
    origins = [[origin, day.isoformat(), unit] for unit in units]
    # The order of the keys is ours: `service` stands first, where a reader of lines expects it.
    return json.dumps({"service": service, "origins": origins, "dimensions": dimensions}, separators=(",", ":"))


def packed_lines(lines: Iterator[str] | list[str]) -> bytes:
    """Return the bytes of a region's file; the same lines always give the same."""
    return gzip.compress("\n".join(lines).encode(), compresslevel=9, mtime=0)
