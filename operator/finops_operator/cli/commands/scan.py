"""`finops scan -f FILE…`: one scan without a cluster, by the operator's own code."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from finops.crds.scan_policy import ScanPolicy
from finops.errors import InvalidInput
from finops.ports.clock import SystemClock
from finops_operator.cli.command import Command
from finops_operator.cli.documents import read_documents
from finops_operator.cli.failures import FAILED, GAPS
from finops_operator.cli.options import Files, Output, Redis
from finops_operator.cli.output import Format, note
from finops_operator.cli.scan_output import OutcomePrinter
from finops_operator.cli.scanning import scan_all
from finops_operator.cli.store_access import settings_with, store_to_scan
from finops_operator.plugins.loaded import known_ids, plugins
from finops_operator.scan.scan import ScanOutcome


def _run(
    files: Files,
    output: Output = Format.TABLE,
    redis: Redis = "",
    fresh: Annotated[bool, typer.Option("--fresh", help="Start with an empty store; without --redis only.")] = False,
    why: Annotated[bool, typer.Option("--why", help="Also say why nothing is recommended.")] = False,
) -> None:
    """Scan AWS once, as ScanPolicy and AwsAccount documents say; credentials come from the AWS SDK's own chain.

    Without --redis the data is kept in $XDG_STATE_HOME/finops, so that the next scan asks only for what is new.
    With -o json one policy gives one ScanReport; several give one ScanReport a line, in the order of the files.
    Exit code 3 when something could not be seen, 1 when nothing could.
    """
    clock, loaded = SystemClock(), plugins()
    documents = read_documents(files, loaded.checks, known_ids(loaded), clock.now())
    if not documents.policies:
        raise InvalidInput(
            "there is no ScanPolicy in these files",
            field="--file",
            source=", ".join(files),
            hint="add a document with kind: ScanPolicy; docs/examples/first-policy.yaml is one",
        )
    codes: list[int] = []
    printer = OutcomePrinter(output, why, several=len(documents.policies) > 1)
    with store_to_scan(redis, fresh=fresh) as store:
        for policy, outcome in scan_all(documents, store, loaded, settings_with(redis), clock):
            printer.show(outcome)
            codes.append(_end(policy, outcome))
    if any(codes):
        raise typer.Exit(FAILED if all(code == FAILED for code in codes) else GAPS)


def _end(policy: ScanPolicy, outcome: ScanOutcome) -> int:
    """Say on stderr what is missing, and return this scan's exit code."""
    name, summary = policy.metadata.name, outcome.summary
    if not summary.complete_failure and not summary.gaps:
        return 0
    note(f"{name}: {summary.complete_failure or f'{len(summary.gaps)} gaps: something could not be seen'}")
    for gap in summary.gaps:
        if gap.code == "AccountNotFound":
            note(f"  hint: add the AwsAccount document named {gap.account} with -f, or correct spec.accounts")
    return FAILED if summary.complete_failure else GAPS


COMMAND: Final = Command("scan", _run)
