"""`finops restore FILE`: writes a backup into an empty store, from which the operator then starts frozen."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Final

import typer

from finops.audit_verify import VerifyReport, verify
from finops.domain.audit import Record
from finops.domain.canonical import canonical_json
from finops.domain.quantity import counted
from finops.errors import InvalidInput, LedgerDiverged
from finops.ledger.lines import record_of
from finops.store.backup import Held, NotEmpty, Target
from finops.store.connection import Store
from finops_operator.cli import backup_file
from finops_operator.cli.command import Command
from finops_operator.cli.failures import FAILED
from finops_operator.cli.ledger_copy import LedgerCopy
from finops_operator.cli.options import Output, Yes
from finops_operator.cli.output import Format, emit_one, note
from finops_operator.cli.public_keys import PublicKey, public_keys
from finops_operator.cli.store_access import store_to_restore


def _run(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A file that finops backup has written.")],
    ledger: Annotated[
        str,
        typer.Option(
            "--ledger", metavar="FILE", help="A copy of the ledger's file, longer than the ledger in the backup."
        ),
    ] = "",
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
    begun. Where the ledger's file outlived the store, --ledger continues the ledger from a copy of it; everything else
    is as it was when the backup was made.
    """
    path = Path(file)
    header = backup_file.header_of(path)
    digest = backup_file.check(path)
    keys = public_keys(public_key) if public_key else None
    report = verify(_ledger_lines(path, digest), keys=keys)
    _require_intact(report, header)
    copy = LedgerCopy(Path(ledger)) if ledger else None
    if copy is not None:
        report = copy.check(header, keys)
        _require_continued(report, copy)
    with store_to_restore(redis) as store:
        target = Target(store)
        _begin(store, target, _mark(digest, copy), replace=replace, yes=yes)
        records = copy.records() if copy is not None else _ledger_records(path, digest)
        others = _write(path, digest, records, target)
        target.finish((copy.until if copy is not None else "") or header.taken)
    emit_one({"file": file, "taken": header.taken, "ledgerRecords": report.records, "otherParts": others}, output)
    _say_what_follows(copy, signed=bool(public_key))


def _require_intact(report: VerifyReport, header: backup_file.Header) -> None:
    """Refuse a backup whose ledger is not in order, or is not the one that its first line names."""
    for problem in report.problems:
        note(f"record {problem.line}: {problem.code}: {problem.message}" if problem.line else problem.message)
    if not report.ok or report.records != header.records or (report.records and report.head != header.head):
        note("the ledger in the backup is NOT intact; nothing was written")
        raise typer.Exit(FAILED)


def _require_continued(report: VerifyReport, copy: LedgerCopy) -> None:
    """Refuse a copy of the ledger that is not in order, or does not contain the backup's ledger."""
    if copy.torn:
        note(f"{copy.path}: an incomplete last line of {counted(copy.torn, 'byte')} is left out")
    for problem in report.problems:
        note(f"{copy.path}: {f'record {problem.line}: ' if problem.line else ''}{problem.code}: {problem.message}")
    if not report.ok:
        note("the ledger does NOT continue the one in the backup, or is not intact; nothing was written")
        raise typer.Exit(FAILED)


def _mark(digest: str, copy: LedgerCopy | None) -> str:
    """Return what an interrupted restore is known by: the same backup with another ledger is another restore."""
    return digest if copy is None else hashlib.sha256(f"{digest} {copy.sha256}".encode()).hexdigest()


def _say_what_follows(copy: LedgerCopy | None, *, signed: bool) -> None:
    if not signed:
        note("signatures were not checked here (--public-key); the operator checks them when it starts")
    moved = "Move the ledger's file away from its volume if it is longer than this ledger, and keep it. Then start"
    note(
        f"{moved if copy is None else 'Start'} the operator: it is frozen and says in the ConfigMap RELEASE-freeze "
        "what it found and how to accept what is left."
    )


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


def _ledger_lines(path: Path, digest: str) -> Iterator[bytes]:
    return (canonical_json(one["ledger"]) + b"\n" for one in backup_file.documents_of(path, digest) if "ledger" in one)


def _ledger_records(path: Path, digest: str) -> Iterator[Record]:
    return map(record_of, _ledger_lines(path, digest))


def _write(path: Path, digest: str, records: Iterable[Record], target: Target) -> int:
    """Write everything; return the number of parts that are not the ledger's."""
    others = 0
    try:
        for record in records:
            target.write_record(record)
        for document in backup_file.documents_of(path, digest):
            if "ledger" not in document:
                target.write(document)
                others += 1
    except (KeyError, ValueError, TypeError, AttributeError, LedgerDiverged) as error:
        raise InvalidInput(
            f"holds a part that cannot be written: {error}", source=str(path), field="FILE", hint="it was changed"
        ) from error
    return others


COMMAND: Final = Command("restore", _run)
