"""`finops policy validate` and `test`: what the operator would refuse about policies, and what they would say.

Neither asks AWS or a cluster.
"""

from __future__ import annotations

from typing import Annotated, Final

import typer

from finops.errors import InvalidInput
from finops.ports.clock import SystemClock
from finops_operator.cli.command import Command
from finops_operator.cli.documents import Documents, read_documents
from finops_operator.cli.options import Files, Output, Redis
from finops_operator.cli.output import Format, note
from finops_operator.cli.policy_trial import print_trial, try_on_report, try_on_store
from finops_operator.cli.store_access import settings_with
from finops_operator.plugins.loaded import plugins, plugins_with

app = typer.Typer(help="Check and try policies before they are applied.", no_args_is_help=True)


@app.callback()
def _policy() -> None:
    """Check and try policies before they are applied."""


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
    _say(found)
    note(f"valid: {len(found.policies)} ScanPolicies, {len(found.accounts)} AwsAccounts")


@app.command("test")
def _test(
    files: Files,
    *,
    report: Annotated[
        str,
        typer.Option(
            "--report", metavar="FILE", help="Try spec.customChecks on this ScanReport (finops scan -o json) instead."
        ),
    ] = "",
    against: Annotated[
        str,
        typer.Option(
            "--against",
            metavar="NAMESPACE/NAME",
            help="The policy whose last scan is used and compared with. Default: the one of the same name.",
        ),
    ] = "",
    only_changes: Annotated[bool, typer.Option("--only-changes", help="Leave out advice that stays the same.")] = False,
    output: Output = Format.TABLE,
    redis: Redis = "",
) -> None:
    """Show what a policy would say of the data that is stored, and how that differs from the advice that stands.

    Judges as a scan does, with the policy of the file; asks neither AWS nor a cluster and writes nothing. Nothing is
    judged of accounts, with their AwsAccount documents, and regions that it leaves out. CHANGE says whether advice is
    New, Gone, Changed (another saving, or better advice counts instead) or the Same; or Undecided, where it stands and
    something that a scan would ask AWS about its resource is not kept. What is not available is said.
    """
    loaded, clock = plugins_with(settings_with(redis).price_tables), SystemClock()
    found = read_documents(files, loaded, clock.now())
    if len(found.policies) != 1:
        raise InvalidInput(
            f"there are {len(found.policies)} ScanPolicies in these files, one is needed",
            source=", ".join(files),
            field="--file",
            hint="name the file with the policy to try",
        )
    _say(found)
    if report and (against or redis):
        raise InvalidInput(
            "is for stored data, not for a report",
            field="--against" if against else "--redis",
            hint="leave it out, or leave out --report",
        )
    policy = found.policies[0]
    if report:
        trial, compared = try_on_report(policy, found.accounts, loaded, report)
    else:
        trial, compared = try_on_store(policy, found.accounts, loaded, clock, redis=redis, against=against)
    print_trial(trial, compared, output, only_changes=only_changes)


def _say(found: Documents) -> None:
    for line in found.notes():
        note(line)


COMMAND: Final = Command("policy", app)
