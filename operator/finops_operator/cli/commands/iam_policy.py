"""`finops iam-policy`: the least IAM policies of the two roles, from what the plug-ins declare they call."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from typing import Annotated, Final

import typer

from finops.errors import InvalidInput
from finops_operator.cli.command import Command
from finops_operator.cli.iam_documents import act_policy, kinds_of, scan_policy
from finops_operator.plugins.loaded import plugins


class Purpose(StrEnum):
    """Which role the policy is for."""

    SCAN = "scan"
    ACT = "act"


def _run(
    for_: Annotated[
        Purpose,
        typer.Option("--for", help="scan: the role that reads. act: the role that changes.", case_sensitive=False),
    ] = Purpose.SCAN,
    actions: Annotated[
        list[str] | None,
        typer.Option("--action", metavar="ID", help="Only for this action. Repeatable; with --for act."),
    ] = None,
    services: Annotated[
        list[str] | None,
        typer.Option(
            "--service", metavar="NAME", help="Only for kinds of this service, by its IAM prefix. Repeatable."
        ),
    ] = None,
    kinds: Annotated[
        list[str] | None, typer.Option("--kind", metavar="ID", help="Only for this kind. Repeatable.")
    ] = None,
) -> None:
    """Print the least IAM policy as JSON, ready for `aws iam put-role-policy`.

    A role for some services or kinds goes with policies that name the same kinds in spec.kinds: what a policy scans
    without the right to is a gap.
    """
    if actions and for_ is not Purpose.ACT:
        raise InvalidInput(
            "narrows the role that changes, not the one that reads", field="--action", hint="add --for act"
        )
    if actions and (services or kinds):
        raise InvalidInput(
            "names actions, and --service and --kind name all actions of theirs", field="--action", hint="use one"
        )
    loaded = plugins()
    chosen = kinds_of(loaded, services or (), kinds or ())
    document = scan_policy(loaded, chosen) if for_ is Purpose.SCAN else act_policy(loaded, chosen, actions or ())
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


COMMAND: Final = Command("iam-policy", _run)
