"""`finops wake REQUEST --reason WHY`: ends a snooze before its date."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from finops.domain.decision import Choice
from finops_operator.cli.cluster_access import open_cluster
from finops_operator.cli.command import Command
from finops_operator.cli.finding import find_request
from finops_operator.cli.options import Context, Kubeconfig, Namespace, Request, Wait
from finops_operator.cli.output import note
from finops_operator.cli.voting import cast, checked_reason


def _run(
    request: Request,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept in the ledger.", callback=checked_reason)],
    kubeconfig: Kubeconfig = "",
    context: Context = "",
    namespace: Namespace = "",
    wait: Wait = 10.0,
) -> None:
    """End the snooze of REQUEST's resource: the next scan may propose an act on it again.

    Exit code 4 when nothing is snoozed or you are no approver.
    """
    cluster = open_cluster(kubeconfig, context, namespace)
    found = find_request(cluster, request)
    sent = cast(cluster, found, Choice.WAKE, reason=reason, wait_seconds=wait)
    note(sent.status.message or "the snooze is ended")


COMMAND: Final = Command("wake", _run)
