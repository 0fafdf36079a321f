"""`finops iam-policy`: the least IAM policies of the two roles, from what the plug-ins declare they call."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from typing import Annotated, Final

import typer

from finops.errors import InvalidInput
from finops_operator.cli.command import Command
from finops_operator.cli.iam_documents import act_policy, scan_policy
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
) -> None:
    """Print the least IAM policy as JSON, ready for `aws iam put-role-policy`."""
    if actions and for_ is not Purpose.ACT:
        raise InvalidInput(
            "narrows the role that changes, not the one that reads", field="--action", hint="add --for act"
        )
    loaded = plugins()
    document = scan_policy(loaded) if for_ is Purpose.SCAN else act_policy(loaded, actions or ())
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


COMMAND: Final = Command("iam-policy", _run)
