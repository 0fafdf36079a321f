"""The price source of a folder that `finops prices refresh` has written; asked before the tables of the wheel.

Made where the setting FINOPS_PRICE_TABLES names a folder. A figure of exactly the region and product, or None: the
bundled tables answer then, with their own dates.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from finops.domain.price import Price, PriceQuery
from finops.errors import InvalidInput
from finops_operator.pricing.price_tables import Age, Table, ages_of, line_of, read_table

SOURCE_ID: Final = "refreshed"
VARIABLE: Final = "FINOPS_PRICE_TABLES"
_NAME: Final = re.compile(r"prices-([a-z]{2,4}(?:-[a-z]+)+-\d)\.jsonl\.gz")


def is_region(word: str) -> bool:
    """Return whether a word is the code of a region."""
    return _NAME.fullmatch(file_name(word)) is not None


def file_name(region: str) -> str:
    """Return the name of a region's table."""
    return f"prices-{region}.jsonl.gz"


def regions_in(folder: Path) -> frozenset[str]:
    """Return the regions of which a folder has a table. Raises OSError."""
    return frozenset(found[1] for path in folder.iterdir() if (found := _NAME.fullmatch(path.name)))


@dataclass(frozen=True, slots=True)
class RefreshedPrices:
    """Lookup in the tables of a folder; each is read on its first question and kept.

    Raises (lookup):
        InvalidInput: a table cannot be read.
    """

    folder: Path
    regions: frozenset[str]
    id: str = SOURCE_ID
    _tables: dict[tuple[str, str], Table | None] = field(default_factory=dict, repr=False, compare=False)

    def lookup(self, query: PriceQuery) -> Price | None:
        """Return the figure, or None when the tables have no row for exactly this question."""
        if query.region not in self.regions:
            return None
        key = query.region, query.service
        if key not in self._tables:
            self._tables[key] = self._read(*key)
        table = self._tables[key]
        return None if table is None else table.figure(query.dimension, dict(query.attributes))

    def check(self) -> None:
        """Read every table once. Raises InvalidInput for the first that cannot be read."""
        for region in sorted(self.regions):
            self._lines(region)

    def ages(self, region: str) -> dict[str, Age]:
        """Return service → the age of its figures in a region; empty where there is no table of it.

        Raises:
            InvalidInput: the table cannot be read.
        """
        return ages_of(self._lines(region).values()) if region in self.regions else {}

    def _lines(self, region: str) -> dict[str, str]:
        return lines_in(self.folder / file_name(region), field_name=VARIABLE)

    def _read(self, region: str, service: str) -> Table | None:
        path = self.folder / file_name(region)
        try:
            line = line_of(_content(path), service)
            return None if line is None else read_table(json.loads(line), SOURCE_ID)
        except (OSError, EOFError, zlib.error, ValueError, KeyError, IndexError, TypeError) as error:
            hint = "write it anew: finops prices refresh"
            raise InvalidInput(f"{path} is no price table: {error}", field=VARIABLE, hint=hint) from error


def opened(folder: str) -> RefreshedPrices:
    """Return the source of a folder.

    Raises:
        InvalidInput: it cannot be read or has no table.
    """
    path, hint = Path(folder), f"write tables there: finops prices refresh --to {folder}"
    try:
        regions = regions_in(path)
    except OSError as error:
        raise InvalidInput(f"cannot read {folder}: {error.strerror}", field=VARIABLE, hint=hint) from error
    if not regions:
        raise InvalidInput(f"{folder} has no price table", field=VARIABLE, hint=hint)
    return RefreshedPrices(path, regions)


def _content(path: Path) -> bytes:
    """Return the bytes of a table, of which there are some. Raises OSError, ValueError."""
    content = path.read_bytes()
    if not content:
        raise ValueError("it is empty")
    return content


def lines_in(path: Path, field_name: str = "--to") -> dict[str, str]:
    """Return service → line of a table as it stands, empty when there is none.

    Raises:
        InvalidInput: it is no price table.
    """
    try:
        text = gzip.decompress(_content(path)).decode()
        return {str(json.loads(line)["service"]): line for line in text.split("\n") if line}
    except FileNotFoundError:
        return {}
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(
            f"{path} is no price table: {error}", field=field_name, hint="name another folder"
        ) from error
