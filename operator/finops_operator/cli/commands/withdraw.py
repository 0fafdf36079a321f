"""`finops withdraw NAME`: takes one's own approval back, as long as nothing has been called yet."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from finops.domain.decision import Choice
from finops_operator.cli.cluster_access import open_cluster
from finops_operator.cli.command import Command
from finops_operator.cli.finding import find_request
from finops_operator.cli.options import Context, Kubeconfig, Namespace, Request, Wait
from finops_operator.cli.voting import cast, checked_reason, show_answer


def _run(
    request: Request,
    reason: Annotated[
        str, typer.Option("--reason", help="Why; it is kept in the ledger.", callback=checked_reason)
    ] = "",
    kubeconfig: Kubeconfig = "",
    context: Context = "",
    namespace: Namespace = "",
    wait: Wait = 10.0,
) -> None:
    """Withdraw your approval of an ActionRequest. Exit code 4 when it is too late or you have not voted."""
    cluster = open_cluster(kubeconfig, context, namespace)
    found = find_request(cluster, request)
    show_answer(cluster, cast(cluster, found, Choice.WITHDRAW, reason=reason, wait_seconds=wait))


COMMAND: Final = Command("withdraw", _run)
