"""`finops deny NAME --reason WHY`: one vote against a request, which ends it."""

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
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept in the ledger.", callback=checked_reason)],
    kubeconfig: Kubeconfig = "",
    context: Context = "",
    namespace: Namespace = "",
    wait: Wait = 10.0,
    yes: Yes = False,
) -> None:
    """Show the act, ask, deny it, and wait for the operator's answer. Exit code 4 when the vote does not count."""
    cluster = open_cluster(kubeconfig, context, namespace)
    found = find_request(cluster, request)
    confirm(found, "deny", yes=yes)
    show_answer(cluster, cast(cluster, found, Choice.DENY, reason=reason, wait_seconds=wait))


COMMAND: Final = Command("deny", _run)
