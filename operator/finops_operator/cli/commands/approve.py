"""`finops approve NAME`: one vote for a request, as the kubeconfig's user."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from finops.domain.decision import Choice
from finops_operator.cli.asking import confirm
from finops_operator.cli.cluster_access import open_cluster
from finops_operator.cli.command import Command
from finops_operator.cli.finding import find_request
from finops_operator.cli.options import Context, Kubeconfig, Namespace, Request, Wait, Yes
from finops_operator.cli.voting import cast, checked_reason, show_answer


def _run(
    request: Request,
    reason: Annotated[
        str, typer.Option("--reason", help="Why; some policies demand one.", callback=checked_reason)
    ] = "",
    kubeconfig: Kubeconfig = "",
    context: Context = "",
    namespace: Namespace = "",
    wait: Wait = 10.0,
    yes: Yes = False,
) -> None:
    """Show what would happen, ask, approve it, and wait for the operator's answer.

    The vote is for exactly the plan that stands in the request now. Exit code 4 when it does not count.
    """
    cluster = open_cluster(kubeconfig, context, namespace)
    found = find_request(cluster, request)
    confirm(found, "approve", yes=yes)
    show_answer(cluster, cast(cluster, found, Choice.APPROVE, reason=reason, wait_seconds=wait))


COMMAND: Final = Command("approve", _run)
