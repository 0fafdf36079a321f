"""Charges in a Parquet file: the columns of FOCUS with their types, written as they come.

Needs the extra `parquet` of the package, since its library is larger than everything else that `finops` brings.
"""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from itertools import islice
from pathlib import Path
from typing import Any, Final

from finops.domain.focus.charges import Charge
from finops.domain.focus.columns import CUSTOM, DataType, Version, columns_of
from finops.errors import InvalidInput

_OPTION: Final = "--parquet"
_ROWS: Final = 10_000
"""Of a group: as many are in memory at a time."""
_DIGITS: Final = 38
_SCALE: Final = 15
"""Digits behind the point: prices have twelve, and ten more digits of a quantity do not matter in a product."""
_STEP: Final = Decimal(1).scaleb(-_SCALE)


def write_parquet(path: Path, rows: Iterable[Charge], version: Version) -> None:
    """Write the file when all rows are there; another one of that name is replaced then, and not before.

    Raises:
        InvalidInput: the extra is not installed, or the file cannot be written.
    """
    arrow, parquet = _library()
    schema = _schema(arrow, version)
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            made = Path(file.name)
        try:
            with parquet.ParquetWriter(made, schema, compression="zstd") as writer:
                for group in _groups(rows):
                    writer.write_table(arrow.Table.from_pylist(list(_typed(group, version)), schema=schema))
            made.replace(path)
        finally:
            made.unlink(missing_ok=True)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror or error}", field=_OPTION) from None


def _library() -> tuple[Any, Any]:
    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError:
        hint = "install locks/parquet.txt as docs/focus.md says, or leave --parquet out for CSV"
        raise InvalidInput("Parquet needs pyarrow, which is not installed", field=_OPTION, hint=hint) from None


def _schema(arrow: Any, version: Version) -> Any:
    types = {
        DataType.DECIMAL: arrow.decimal128(_DIGITS, _SCALE),
        DataType.TIME: arrow.timestamp("s", tz="UTC"),
    }
    fields = [(column.name, types.get(column.data_type, arrow.string())) for column in columns_of(version)]
    return arrow.schema([*fields, *((name, arrow.string()) for name in CUSTOM)], metadata={"FocusVersion": version})


def _groups(rows: Iterable[Charge]) -> Iterator[Sequence[Charge]]:
    left = iter(rows)
    while group := list(islice(left, _ROWS)):
        yield group


def _typed(rows: Iterable[Charge], version: Version) -> Iterator[Mapping[str, Any]]:
    kinds = {column.name: column.data_type for column in columns_of(version)}
    for row in rows:
        yield {name: _value(kinds.get(name, DataType.TEXT), text) for name, text in row.items()}


def _value(kind: DataType, text: str | None) -> Any:
    if text is None:
        return None
    if kind is DataType.DECIMAL:
        return Decimal(text).quantize(_STEP, rounding=ROUND_HALF_UP)
    return datetime.fromisoformat(text) if kind is DataType.TIME else text
