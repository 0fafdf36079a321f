"""`finops costs --focus`: the stored inventory with its prices as charges in the columns of FOCUS.

Every row is checked on its way out. A rule that does not hold and that docs/focus.md does not announce is named on
stderr, so that nobody finds it first in the tool that reads the file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from finops.domain.focus.categories import UNNAMED
from finops.domain.focus.charges import Charge, charges
from finops.domain.focus.columns import COLUMNS, Version, columns_of, names_of
from finops.domain.focus.rules import Violation, check_row
from finops.domain.money import DEFAULT_HOURS_PER_MONTH
from finops.domain.quantity import counted
from finops.store.connection import Store
from finops.store.inventory import InventoryStore, ShardHead
from finops.store.resource_costs import ResourceCostStore
from finops_operator.cli.output import Format, emit, field, note
from finops_operator.cli.parquet_file import write_parquet
from finops_operator.cli.selection import Selection
from finops_operator.plugins.loaded import load_kinds

_ANNOUNCED: Final = frozenset(column.name for column in COLUMNS if column.unknown)
"""Columns whose missing values are listed, with the reason."""


def heads_of(store: Store, only: Sequence[Selection]) -> list[ShardHead]:
    """Return the shards to export; of `only` these policies, empty for all. Raises StoreUnavailable."""
    heads = InventoryStore(store).heads()
    return [head for head in heads if not only or any(one.covers(head.shard) for one in only)]


@dataclass(frozen=True, slots=True)
class FocusExport:
    """How charges are exported.

    Attributes:
        output: what is printed; CSV unless it is JSON or YAML.
        parquet: a file to write instead.
    """

    version: Version
    output: Format
    parquet: Path | None


def export_focus(store: Store, heads: Iterable[ShardHead], only: Sequence[Selection], wanted: FocusExport) -> None:
    """Export the charges of `heads`, of `only` these policies when there are some.

    Raises:
        StoreUnavailable: the store does not answer, or lost a part of what was being read.
        InvalidInput: a file of Parquet cannot be written.
    """
    tally, names = _Tally(wanted.version), names_of(wanted.version)
    rows = tally.counted({name: charge[name] for name in names} for charge in _charges(store, heads, only))
    if wanted.parquet is not None:
        write_parquet(wanted.parquet, rows, wanted.version)
    else:
        format_ = wanted.output if wanted.output in {Format.JSON, Format.YAML} else Format.CSV
        emit(rows, [field(name) for name in names], format_)
    for sentence in tally.sentences():
        note(sentence)


def _charges(store: Store, heads: Iterable[ShardHead], only: Sequence[Selection]) -> Iterator[Charge]:
    kinds, inventory, costs = load_kinds(), InventoryStore(store), ResourceCostStore(store)
    for head in heads:
        kind = kinds.get(head.shard.kind)
        billed_as = UNNAMED if kind is None else kind.billed_as
        for page in inventory.pages(head.shard, head.generation):
            priced = costs.many(head.shard, [one.id for one in page], DEFAULT_HOURS_PER_MONTH)
            for one in page:
                if not only or any(policy.selects(head.shard, one) for policy in only):
                    yield from charges(one, priced[one.id], billed_as, head.completed)


class _Tally:
    """Counts the charges that pass, and the rules that they break without an announcement."""

    def __init__(self, version: Version) -> None:
        self._version = version
        self._rows = 0
        self._broken: Counter[Violation] = Counter()

    def counted(self, rows: Iterable[Charge]) -> Iterator[Charge]:
        for row in rows:
            self._rows += 1
            self._broken.update(one for one in check_row(row, self._version) if not _announced(one))
            yield row

    def sentences(self) -> Iterator[str]:
        columns = columns_of(self._version)
        unknown = sum(not column.holds for column in columns)
        yield (
            f"{counted(self._rows, 'charge')} in FOCUS {self._version}, estimated at list prices; {unknown} of"
            f" {len(columns)} columns are null, for the reasons in docs/focus.md"
        )
        for violation, rows in sorted(self._broken.items()):
            yield f"{violation.column}: {violation.says} That does not hold in {counted(rows, 'row')}."


def _announced(violation: Violation) -> bool:
    return violation.rule == "null" and violation.column in _ANNOUNCED
