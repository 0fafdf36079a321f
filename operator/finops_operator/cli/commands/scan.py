"""`finops scan`: one scan without a cluster, by the operator's own code."""

from __future__ import annotations

import sys
from typing import Annotated, Final

import typer

from finops.crds.scan_policy import ScanPolicy
from finops.domain.quantity import counted
from finops.errors import InvalidInput
from finops.ports.clock import Clock, SystemClock
from finops.settings import Settings
from finops.store.connection import Store
from finops_operator.aws.own_identity import own_identity
from finops_operator.cli.command import Command
from finops_operator.cli.documents import Documents, read_documents
from finops_operator.cli.failures import FAILED, GAPS
from finops_operator.cli.options import OptionalFiles
from finops_operator.cli.output import note
from finops_operator.cli.own_account import own_documents
from finops_operator.cli.pushing import Pusher, Target, target_of
from finops_operator.cli.scan_output import REPORTS, OutcomePrinter, ReportFormat
from finops_operator.cli.scanning import scan_all, shown_status
from finops_operator.cli.store_access import command_to_read, settings_with, store_to_scan
from finops_operator.plugins.loaded import Plugins, plugins_with
from finops_operator.scan.scan import ScanOutcome

_Push = Annotated[
    str, typer.Option("--push", metavar="URL", help="Then push what was seen to this dashboard; needs a token.")
]
_PushNamespace = Annotated[
    str, typer.Option("--push-namespace", metavar="NAME", help="Where it keeps it. Default: the service account's own.")
]
_PushTokenFile = Annotated[
    str, typer.Option("--push-token-file", metavar="FILE", help="Holds the token. Default: FINOPS_PUSH_TOKEN.")
]


def _run(
    files: OptionalFiles = None,
    output: Annotated[
        ReportFormat,
        typer.Option(
            "--output", "-o", help="How to print it; markdown and html are reports to send on.", case_sensitive=False
        ),
    ] = ReportFormat.TABLE,
    redis: Annotated[
        str,
        typer.Option(
            "--redis", metavar="URL", help="Scan into this store, such as the operator's. Default: a store of your own."
        ),
    ] = "",
    fresh: Annotated[bool, typer.Option("--fresh", help="Start with an empty store of your own.")] = False,
    why: Annotated[bool, typer.Option("--why", help="Also say why nothing is recommended, by reason.")] = False,
    push: _Push = "",
    push_namespace: _PushNamespace = "",
    push_token_file: _PushTokenFile = "",
) -> None:
    """Scan AWS once and report what can be saved; nothing is changed. Credentials come from the AWS SDK's own chain.

    Without -f: the account of those credentials, all its regions. With -f: as ScanPolicy and AwsAccount documents say.
    Without --redis the data is kept in $XDG_STATE_HOME/finops, so that the next scan asks only for what is new;
    FINOPS_REDIS_URL is not used. With -o json one policy gives one ScanReport; several give one ScanReport a line, in
    the order of the files. Exit code 3 when something could not be seen, 1 when nothing could.

    With --push the resources go to a dashboard whose operator cannot scan this account: it lists and prices them, and
    nothing acts on them.
    """
    clock, settings = SystemClock(), settings_with(redis)
    loaded = plugins_with(settings.price_tables)
    target = target_of(push, push_namespace, push_token_file, settings)
    documents = _documents(files or [], loaded, settings, clock)
    several = len(documents.policies) > 1
    if several and output is ReportFormat.HTML:
        raise _several_in_html(len(documents.policies))
    codes: list[int] = []
    printer = OutcomePrinter(output, why, several=several, command=command_to_read(redis))
    with store_to_scan(redis, fresh=fresh) as store:
        for policy, outcome in scan_all(documents, store, loaded, settings, clock):
            printer.show(outcome)
            if target is not None and not outcome.summary.complete_failure:
                _push_to(target, outcome, store, clock)
            codes.append(_end(policy, outcome, shown=output in REPORTS and sys.stdout.isatty()))
    if any(codes):
        raise typer.Exit(FAILED if set(codes) == {FAILED} else GAPS)


def _several_in_html(policies: int) -> InvalidInput:
    return InvalidInput(
        f"an HTML report is about one policy, and these files hold {policies}",
        field="--output",
        hint="scan one policy at a time, or use -o markdown",
    )


def _push_to(target: Target, outcome: ScanOutcome, store: Store, clock: Clock) -> None:
    with shown_status("pushing") as progress:
        sent = Pusher(target, clock).push(outcome, store, progress)
    note(f"pushed {counted(sent, 'resource')} to {target.url}")


def _documents(files: list[str], loaded: Plugins, settings: Settings, clock: Clock) -> Documents:
    if not files:
        identity = own_identity(clock, demo=settings.demo)
        note(f"scanning account {identity.account_id} as {identity.arn}; nothing is changed")
        return own_documents(identity)
    documents = read_documents(files, loaded, clock.now())
    if not documents.policies:
        raise InvalidInput(
            "there is no ScanPolicy in these files",
            field="--file",
            source=", ".join(files),
            hint="add a document with kind: ScanPolicy; docs/examples/first-policy.yaml is one",
        )
    for line in documents.notes():
        note(line)
    return documents


def _end(policy: ScanPolicy, outcome: ScanOutcome, *, shown: bool) -> int:
    """Say on stderr what is missing, and return this scan's exit code; `shown`: the report on the screen says why."""
    name, summary = policy.metadata.name, outcome.summary
    if not summary.complete_failure and not summary.gaps:
        return 0
    failure = "nothing could be scanned" if shown and summary.gaps else summary.complete_failure
    missing = f"{counted(len(summary.gaps), 'gap')}: something could not be seen"
    note(f"{name}: {failure if summary.complete_failure else missing}")
    for gap in summary.gaps:
        if gap.code == "AccountNotFound":
            note(f"  hint: add the AwsAccount document named {gap.account} with -f, or correct spec.accounts")
    return FAILED if summary.complete_failure else GAPS


COMMAND: Final = Command("scan", _run)
