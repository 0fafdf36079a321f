"""`finops restore FILE`: writes a backup into an empty store, from which the operator then starts frozen."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import typer

from finops.audit_verify import VerifyReport, verify
from finops.domain.canonical import canonical_json
from finops.domain.quantity import counted
from finops.errors import InvalidInput, LedgerDiverged
from finops.ledger.file_sink import record_of
from finops.store.backup import Held, NotEmpty, Target
from finops.store.connection import Store
from finops_operator.cli import backup_file
from finops_operator.cli.command import Command
from finops_operator.cli.failures import FAILED
from finops_operator.cli.options import Output, Yes
from finops_operator.cli.output import Format, emit_one, note
from finops_operator.cli.public_keys import PublicKey, public_keys
from finops_operator.cli.store_access import store_to_restore


def _run(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A file that finops backup has written.")],
    public_key: PublicKey = "",
    replace: Annotated[
        bool, typer.Option("--replace", help="Remove what the store holds now, after a question.")
    ] = False,
    yes: Yes = False,
    output: Output = Format.TABLE,
    redis: Annotated[
        str, typer.Option("--redis", metavar="URL", help="The store to write to. Default: FINOPS_REDIS_URL.")
    ] = "",
) -> None:
    """Write a backup into a store. The operator must be stopped meanwhile; when it starts, everything is frozen.

    The whole file is checked before anything is written: its lines, and every record of its ledger. A restore that was
    interrupted goes on when the same command is given again. What was acted upon after the backup is not done again:
    the operator records that records are missing, withdraws the requests from before and only leads back acts that had
    begun.
    """
    path = Path(file)
    header = backup_file.header_of(path)
    digest = backup_file.check(path)
    report = verify(_ledger_lines(path), keys=public_keys(public_key) if public_key else None)
    _require_intact(report, header)
    with store_to_restore(redis) as store:
        target = Target(store)
        _begin(store, target, digest, replace=replace, yes=yes)
        others = _write(path, target)
        target.finish(header.taken)
    emit_one({"file": file, "taken": header.taken, "ledgerRecords": header.records, "otherParts": others}, output)
    if not public_key:
        note("signatures were not checked here (--public-key); the operator checks them when it starts")
    note(
        "Move the ledger's file away from its volume if it is longer than this ledger, and keep it. Then start the "
        "operator: it is frozen and says in the ConfigMap RELEASE-freeze what it found and how to accept what is left."
    )


def _require_intact(report: VerifyReport, header: backup_file.Header) -> None:
    """Refuse a backup whose ledger is not in order, or is not the one that its first line names."""
    for problem in report.problems:
        note(f"record {problem.line}: {problem.code}: {problem.message}" if problem.line else problem.message)
    if not report.ok or report.records != header.records or (report.records and report.head != header.head):
        note("the ledger in the backup is NOT intact; nothing was written")
        raise typer.Exit(FAILED)


def _begin(store: Store, target: Target, digest: str, *, replace: bool, yes: bool) -> None:
    if replace:
        _confirm(Held(store).head().sequence, yes=yes)
        target.clear(digest)
    try:
        target.begin(digest)
    except NotEmpty as error:
        hint = "stop the operator; then name an empty store, or remove what it holds with --replace"
        raise NotEmpty(error.message, code=error.code, field="--redis", hint=hint) from error


def _confirm(records: int, *, yes: bool) -> None:
    note(f"The store holds a ledger of {counted(records, 'record')}; it and all else in the store is removed.")
    if yes:
        return
    if not sys.stdin.isatty():
        raise InvalidInput(
            "nobody can be asked: this is not a terminal", field="--yes", hint="add --yes to replace without a question"
        )
    sys.stderr.write("Replace it? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        note("Nothing was written.")
        raise typer.Exit(FAILED)


def _ledger_lines(path: Path) -> Iterator[bytes]:
    return (canonical_json(one["ledger"]) + b"\n" for one in backup_file.documents_of(path) if "ledger" in one)


def _write(path: Path, target: Target) -> int:
    """Write everything; return the number of parts that are not the ledger's."""
    others = 0
    for document in backup_file.documents_of(path):
        try:
            if "ledger" in document:
                target.write_record(record_of(canonical_json(document["ledger"]) + b"\n"))
            else:
                target.write(document)
                others += 1
        except (KeyError, ValueError, TypeError, AttributeError, LedgerDiverged) as error:
            raise InvalidInput(
                f"holds a part that cannot be written: {error}", source=str(path), field="FILE", hint="it was changed"
            ) from error
    return others


COMMAND: Final = Command("restore", _run)
