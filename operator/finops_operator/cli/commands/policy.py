"""`finops policy validate -f FILE…`: everything the operator would refuse about policies and accounts, without AWS."""

from __future__ import annotations

from typing import Final

import typer

from finops.errors import InvalidInput
from finops.ports.clock import SystemClock
from finops_operator.cli.command import Command
from finops_operator.cli.documents import read_documents
from finops_operator.cli.options import Files
from finops_operator.cli.output import note
from finops_operator.plugins.loaded import plugins

app = typer.Typer(help="Check policies before they are applied.", no_args_is_help=True)


@app.callback()
def _policy() -> None:
    """Check policies before they are applied."""


@app.command("validate")
def _validate(files: Files) -> None:
    """Check ScanPolicy and AwsAccount documents as the operator does: fields, ids, parameters, schedules.

    Asks neither AWS nor a cluster. Exit code 2 when something is wrong; every problem names file, field and fix.
    """
    loaded = plugins()
    found = read_documents(files, loaded, SystemClock().now())
    if not found.policies and not found.accounts:
        raise InvalidInput(
            "there is no ScanPolicy and no AwsAccount in these files",
            source=", ".join(files),
            field="--file",
            hint="check the path, or what wrote the file; docs/examples/first-policy.yaml is an example",
        )
    note(f"valid: {len(found.policies)} ScanPolicies, {len(found.accounts)} AwsAccounts")


COMMAND: Final = Command("policy", app)
