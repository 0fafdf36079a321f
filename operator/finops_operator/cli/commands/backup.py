"""`finops backup FILE`: writes what no scan brings back from the store into one file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from finops.domain.quantity import counted
from finops.ledger.lines import line_of
from finops.store.backup import Held
from finops.store.ledger import Head
from finops_operator.cli.backup_file import Header, write_backup
from finops_operator.cli.command import Command
from finops_operator.cli.options import Output, Redis
from finops_operator.cli.output import Format, emit_one, note
from finops_operator.cli.store_access import store_to_read


def _run(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The file to make; it must not exist yet.")],
    output: Output = Format.TABLE,
    redis: Redis = "",
) -> None:
    """Write ledger, costs per day, realised savings, counts of acts and the places of Slack cards into a file.

    The operator may go on working. What scans find (resources, metrics, prices, recommendations) is not part of it: the
    next scan reads it again. Policies, accounts, requests and votes are Kubernetes objects: back them up with the
    cluster. Passwords and keys are in neither.
    """
    path = Path(file)
    with store_to_read(redis) as store:
        held = Held(store)
        head = held.head()
        header = Header(datetime.now(UTC).isoformat(timespec="seconds"), head.sequence, head.hash)
        others = _Counted(held)
        write_backup(path, header, others.after(head))
    document = {
        "file": file,
        "taken": header.taken,
        "ledgerRecords": head.sequence,
        "ledgerHead": head.hash,
        "otherParts": others.count,
    }
    emit_one(document, output)
    note(f"{counted(head.sequence, 'record')} of the ledger; keep the head elsewhere, it shows that none is missing")


class _Counted:
    """The documents of a backup, counted while they are written: nothing is held in memory."""

    def __init__(self, held: Held) -> None:
        self._held = held
        self.count = 0

    def after(self, head: Head) -> Iterator[dict[str, Any]]:
        """Yield the ledger up to `head`, then everything else."""
        for record in self._held.records(head.sequence):
            yield {"ledger": json.loads(line_of(record))}
        for document in self._held.documents():
            self.count += 1
            yield document


COMMAND: Final = Command("backup", _run)
