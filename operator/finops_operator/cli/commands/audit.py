"""`finops audit list | verify | prove | export`: the ledger, read from the store or from a file."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from finops.audit_verify import ProofReport, is_noted, verify, verify_proof
from finops.audit_verify.processes import ProcessLost
from finops.audit_verify.report import VerifyReport
from finops.domain.audit import Record
from finops.domain.quantity import counted
from finops.errors import FinopsError, InvalidInput, LedgerDiverged
from finops.ledger.checkpoint import Checkpoint, parse_checkpoint
from finops.ledger.lines import line_of, record_of
from finops.ledger.proofs import prove_growth, prove_request
from finops.ledger.sentences import sentence_of
from finops.ledger.stories import latest_stories
from finops.store.ledger import LedgerStream, unchecked
from finops_operator.cli import audit_stories
from finops_operator.cli.command import Command
from finops_operator.cli.extras import not_installed
from finops_operator.cli.failures import FAILED
from finops_operator.cli.options import Output, Redis
from finops_operator.cli.output import Column, Format, emit, emit_one, field, note
from finops_operator.cli.public_keys import PublicKey, public_keys, text_of
from finops_operator.cli.stdout import OutputFailed, write_bytes
from finops_operator.cli.store_access import store_to_read
from finops_operator.cli.tables import Fit

_STORIES: Final = 20
_WIDE: Final = (
    field("attempt", right=True, wide=True),
    field("fence", right=True, wide=True),
    field("planHash", wide=True),
    field("hash", wide=True),
    field("operationId", wide=True),
    field("detail", wide=True),
    field("sentence", wide=True),
    field("about", wide=True),
)
_ANNOTATION: Final = r"{.metadata.annotations.finops\.dev/ledger-checkpoint}"
_Kept = Annotated[
    list[str] | None,
    typer.Option(
        "--checkpoint",
        metavar="FILE|LINE",
        help="A checkpoint that was kept outside of the ledger, which must hold for it: a file, or the line "
        "“Ledger checkpoint …” from the thread of an act; may be repeated.",
    ),
]
_Proof = Annotated[
    str, typer.Option("--proof", metavar="FILE", help="Check a proof of finops audit prove instead, without a ledger.")
]
_EverySignature = Annotated[
    bool,
    typer.Option("--every-signature", help="Check also the signatures of records that a signed checkpoint covers."),
]
_FOR_SIGNATURES: Final = 2
_Processes = Annotated[
    int | None,
    typer.Option(
        "--processes",
        min=0,
        max=64,
        help="Further processes that read a long ledger, each with about 32 MB of memory; 0: none. By default "
        f"{_FOR_SIGNATURES} with --every-signature; none without it, since they gain nothing there.",
    ),
]
_MOST_COLLECTED: Final = 100_000
"""New objects before Python searches for such as hold each other: no record does, and a search takes long."""
app: Final = typer.Typer(no_args_is_help=True, help="Show, check and export the ledger of every decision and act.")


@app.command("list")
def _list(
    output: Output = Format.TABLE,
    request: Annotated[
        str, typer.Option("--request", metavar="NAME", help="Only of this ActionRequest: its name or uid.")
    ] = "",
    start: Annotated[
        int | None, typer.Option("--from", metavar="SEQUENCE", min=1, help="List records, from this one on.")
    ] = None,
    before: Annotated[
        int | None, typer.Option("--before", metavar="SEQUENCE", min=1, help="Stories older than this record.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="At most N stories (20 by default) or N records.")
    ] = None,
    redis: Redis = "",
) -> None:
    """Show what became of requests: who asked and voted, what was called, what AWS answered, what it saves.

    The latest ones come first, twenty at a time; the last line says how to see older ones. As wide, json, yaml or csv,
    or with --from, it lists the records themselves, in order: --from and --limit page through them.

    Exit code 1 when the store has not all records any more: what it has is listed all the same.
    """
    with store_to_read(redis) as store:
        stream = LedgerStream(store, unchecked)
        if output is Format.TABLE and start is None:
            _show_stories(stream, request, before or 0, limit or _STORIES)
            stream.whole_head()
            return
        if before:
            raise InvalidInput("pages through stories; records have --from", field="--before")
        found = (one for one in stream.read(start or 1) if not request or _is_about(one, request))
        emit(map(_record, islice(found, limit)), _columns(), output)
        stream.whole_head()


def _show_stories(stream: LedgerStream, request: str, before: int, limit: int) -> None:
    def is_wanted(reference: str) -> bool:
        return request in reference.split("/")

    page = latest_stories(stream, limit, before=before, wanted=is_wanted if request else None)
    audit_stories.write(page, sys.stdout, whole=bool(request))
    if not page.stories:
        what = f"no story of {request}" if request else "no story of a request"
        note(f"{what} among these records")
    if page.before:
        narrowed = f" --request {request}" if request else ""
        note(f"older: finops audit list{narrowed} --before {page.before}")


def _columns() -> tuple[Column, ...]:
    """Return the columns of the listing; times are in the reader's zone, which their heading names."""
    zone = datetime.now().astimezone().strftime("%Z")
    return (
        field("sequence", right=True, heading="SEQ"),
        field("time", heading=f"TIME ({zone})", words=_minute),
        field("kind"),
        field("actor", fit=Fit.CUT),
        field("request", fit=Fit.CUT, words=_name),
        field("step", fit=Fit.CUT),
        field("result", fit=Fit.CUT),
        *_WIDE,
    )


def _minute(time: object) -> str:
    return datetime.fromisoformat(str(time)).astimezone().strftime("%Y-%m-%d %H:%M")


def _name(request: object) -> str:
    """Return the name in `namespace/name/uid`; data shows the whole."""
    parts = str(request).split("/")
    return parts[1] if len(parts) > 1 else parts[0]


@app.command("verify")
def _verify(
    output: Output = Format.TABLE,
    file: Annotated[
        str, typer.Option("--file", metavar="FILE", help="An export or the ledger's own file; - reads stdin.")
    ] = "",
    expected_head: Annotated[
        str,
        typer.Option("--expected-head", metavar="HASH", help="Hash of a record noted earlier, which must be there."),
    ] = "",
    public_key: PublicKey = "",
    checkpoint: _Kept = None,
    every_signature: _EverySignature = False,
    processes: _Processes = None,
    proof: _Proof = "",
    redis: Redis = "",
) -> None:
    """Check every record: signature, chain, votes before acts, intents before outcomes. Exit code 1 when it fails.

    Works offline on an export. The public key is in the Secret of the release, under ledger-public-key: without it
    whoever can write the ledger can have made all of it. Only --checkpoint, with the annotation
    finops.dev/ledger-checkpoint of the operator's Lease or one noted earlier, or --expected-head shows a tail that was
    cut off, up to the record that it names and no further. An empty ledger or file is never intact.

    The last line says what was not checked for want of a key or a checkpoint.
    Keys stand in the file of public keys oldest first: the last one must have signed the checkpoint of a proof.

    A record that a checkpoint by its own key covers is signed by that; other signatures are checked one by one.
    """
    keys = public_keys(public_key) if public_key else None
    if proof:
        _show_proof(verify_proof(text_of(proof, "--proof"), keys=keys), output)
        return
    kept = [one if is_noted(one) else text_of(one, "--checkpoint") for one in checkpoint or ()]
    with _lines(file, redis) as lines, _rarely_collected(), _room_asked_for():
        report = verify(
            lines,
            keys=keys,
            expected_head=expected_head or None,
            kept=kept,
            every_signature=every_signature,
            processes=(_FOR_SIGNATURES if every_signature else 0) if processes is None else processes,
        )
    _print(report, output)
    _say(report)
    note(_verdict(report))
    if not _is_intact(report):
        raise typer.Exit(FAILED)


@contextmanager
def _room_asked_for() -> Iterator[None]:
    try:
        yield
    except ProcessLost as error:
        hint = "--processes 0 verifies without further processes"
        raise InvalidInput(f"cannot be verified: {error}", field="--processes", hint=hint) from error
    except OSError as error:
        hint = "set TMPDIR to a directory with room for about the size of the ledger; --processes 0 starts none"
        raise InvalidInput(f"cannot be verified: {error}", field="TMPDIR", hint=hint) from error


@contextmanager
def _rarely_collected() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(_MOST_COLLECTED)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@app.command("prove")
def _prove(
    request: Annotated[str, typer.Argument(metavar="[REQUEST]", help="Name or uid of an ActionRequest.")] = "",
    since: Annotated[
        str,
        typer.Option("--since", metavar="FILE", help="Prove instead that the ledger only grew since this checkpoint."),
    ] = "",
    checkpoint: Annotated[
        str,
        typer.Option("--checkpoint", metavar="FILE", help="A checkpoint of the ledger; without it the latest one."),
    ] = "",
    file: Annotated[
        str, typer.Option("--file", metavar="FILE", help="An export or the ledger's own file; - reads stdin.")
    ] = "",
    redis: Redis = "",
) -> None:
    """Print a proof for a stranger: the records of a request and how they lead to a signed checkpoint.

    finops audit verify --proof checks it with the public key alone. With --since it is a proof that nothing before a
    checkpoint that you kept was changed.
    """
    if bool(request) == bool(since):
        raise InvalidInput("give a request or --since", field="REQUEST", hint="finops audit prove --help")
    latest = _checkpoint(text_of(checkpoint, "--checkpoint"), "--checkpoint") if checkpoint else None
    if latest is None:
        latest = _latest_checkpoint(file, redis)
    with _lines(file, redis) as lines:
        records = map(record_of, lines)
        if since:
            document = prove_growth(records, _checkpoint(text_of(since, "--since"), "--since"), latest)
        else:
            proved = prove_request(records, request, latest)
            document = proved.document
            if proved.newer:
                note(f"not in the proof: {counted(proved.newer, 'record')} newer than the checkpoint")
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n")


@app.command("export")
def _export(
    bucket: Annotated[
        str,
        typer.Option(
            "--from", metavar="s3://BUCKET/PREFIX", help="Read the bucket in which the ledger is kept, not the store."
        ),
    ] = "",
    redis: Redis = "",
) -> None:
    """Write the ledger to stdout, one line of canonical JSON per record: what `verify --file` reads.

    From a bucket the first version of each object is read, with your own credentials: what was written there later,
    and what was deleted, does not change the export. Its region and role are those of FINOPS_LEDGER_S3_REGION and
    FINOPS_LEDGER_S3_ROLE_ARN, where they are set.
    """
    if bucket and redis:
        raise InvalidInput("names another ledger than --redis", field="--from", hint="use one")
    try:
        if bucket:
            _export_bucket(bucket)
            return
        with store_to_read(redis) as store:
            stream = LedgerStream(store, unchecked)
            for one in stream.read():
                write_bytes(line_of(one))
            stream.whole_head()
    except OutputFailed:
        raise
    except FinopsError as error:
        # A part must not pass for the whole when somebody verifies it: this line is no record.
        write_bytes(f"export failed, records are missing: {error.code}\n".encode())
        raise


def _export_bucket(url: str) -> None:
    """Write the bucket's objects. Raises NotInstalled: there is no AWS SDK, which nothing else here needs."""
    try:
        from finops_operator.cli.bucket_export import export_bucket  # noqa: PLC0415 - loads the AWS SDK
    except ModuleNotFoundError as error:
        raise not_installed("audit export --from", error) or error from None
    export_bucket(url)


def _say(report: VerifyReport) -> None:
    """Say on stderr what was found, one line each."""
    for loss in report.losses:
        note(f"an administrator accepted a loss: {loss}")
    for problem in report.problems:
        where = f"line {problem.line}: " if problem.line else ""
        note(f"{where}{problem.code}: {problem.message}")
    for warning in report.warnings:
        where = f", line {warning.line}" if warning.line else ""
        note(f"warning{where}: {warning.code}: {warning.message}")
    if report.covered:
        note(f"signed by a checkpoint, not checked one by one: {counted(report.covered, 'record')} (--every-signature)")


def _is_intact(report: VerifyReport) -> bool:
    """Return whether there is a ledger and nothing is wrong with it; of nothing, nothing can be said."""
    return report.ok and report.records > 0


def _verdict(report: VerifyReport) -> str:
    """Return the result in a sentence; of an intact ledger also what was not checked for want of something."""
    if not report.ok:
        return f"the ledger is NOT intact: {counted(len(report.problems), 'problem')}"
    if not report.records:
        return "there is no record: an empty ledger proves nothing, check where it comes from"
    return "; ".join(
        part
        for part in (
            f"the ledger is intact: {counted(report.records, 'record')}, head {report.head}",
            "" if report.signed else "signatures were not checked: no public key was given (--public-key)",
            _end(report),
        )
        if part
    )


def _end(report: VerifyReport) -> str:
    """Return what is not known of the ledger's end, empty where its last record was noted elsewhere."""
    if not report.end_known:
        return "whether the end was cut off is not known: no checkpoint was given (--checkpoint)"
    if report.end_known < report.records:
        known = f"only up to record {report.end_known} of {report.records}"
        return f"whether the end was cut off is known {known}: no later checkpoint was given (--checkpoint)"
    return ""


def _latest_checkpoint(file: str, redis: str) -> Checkpoint:
    """Return the latest checkpoint that the store keeps. Raises InvalidInput: there is none."""
    text = ""
    if not file:
        with store_to_read(redis) as store:
            text = LedgerStream(store, unchecked).checkpoint()
    if not text:
        raise InvalidInput(
            "is needed: no checkpoint is known",
            field="--checkpoint",
            hint=f"save that of the operator's Lease: kubectl get lease RELEASE-executor -o jsonpath='{_ANNOTATION}'",
        )
    return _checkpoint(text, "--checkpoint")


def _checkpoint(text: str, option: str) -> Checkpoint:
    try:
        return parse_checkpoint(text)
    except LedgerDiverged as error:
        raise InvalidInput(error.message, field=option) from error


def _show_proof(report: ProofReport, output: Format) -> None:
    """Print what a proof shows. Exit code 1 when it shows nothing."""
    document = {
        "ok": report.ok,
        "signaturesChecked": report.signed,
        "shows": report.shows if report.ok else "",
        "problems": list(report.problems),
        "warnings": list(report.warnings),
    }
    emit_one(document, output)
    for problem in report.problems:
        note(problem)
    for warning in report.warnings:
        note(f"warning: {warning}")
    if not report.signed:
        note("signatures were not checked: give --public-key, or anybody can have made this proof")
    if not report.ok:
        raise typer.Exit(FAILED)


@contextmanager
def _lines(file: str, redis: str) -> Iterator[Iterable[bytes]]:
    if file == "-":
        yield sys.stdin.buffer
    elif file:
        with ExitStack() as stack:
            try:
                opened = stack.enter_context(Path(file).open("rb"))
            except OSError as error:
                raise InvalidInput(
                    f"cannot be read: {error.strerror}", source=file, field="--file", hint="check the path"
                ) from error
            yield opened
    else:
        with store_to_read(redis) as store:
            yield _stored(LedgerStream(store, unchecked))


def _stored(stream: LedgerStream) -> Iterator[bytes]:
    """Yield the store's records, and a last line that is none where it has not all of them any more."""
    for one in stream.read():
        yield line_of(one)
    try:
        stream.whole_head()
    except LedgerDiverged as error:
        # What is there is verified all the same: the verifier reports this line with whatever else is wrong.
        note(error.message)
        yield b"records are missing\n"


def _is_about(record: Record, request: str) -> bool:
    return request in record.entry.request.split("/")


def _record(record: Record) -> dict[str, Any]:
    sentence = sentence_of(record)
    return {**record.to_json(), "hash": record.hash, "sentence": sentence.whole, "about": sentence.detail}


def report_to_json(report: VerifyReport) -> dict[str, Any]:
    """Return a verification as data; `head` is the anchor to keep."""
    return {
        "ok": _is_intact(report),
        "signaturesChecked": report.signed,
        "coveredByCheckpoint": report.covered,
        "endKnownTo": report.end_known,
        "records": report.records,
        "sequence": report.sequence,
        "head": report.head,
        "openIntents": list(report.open_intents),
        "acceptedLosses": list(report.losses),
        "warnings": [{"line": one.line, "code": one.code, "message": one.message} for one in report.warnings],
        "problems": [{"line": one.line, "code": one.code, "message": one.message} for one in report.problems],
    }


def _print(report: VerifyReport, output: Format) -> None:
    record = report_to_json(report)
    if output is Format.CSV:
        emit([record], [field(name) for name in record], output)
        return
    if output in {Format.TABLE, Format.WIDE}:
        del record["problems"], record["warnings"]
    emit_one(record, output)


COMMAND: Final = Command("audit", app)
