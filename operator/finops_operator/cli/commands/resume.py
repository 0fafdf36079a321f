"""`finops resume REQUEST --reason WHY`: lets acts begin again that were paused because one of their kind failed."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from finops.crds.conditions import ACTS_PAUSED, ConditionStatus, find_condition
from finops.domain.decision import Choice
from finops_operator.cli.cluster_access import open_cluster
from finops_operator.cli.command import Command
from finops_operator.cli.finding import find_request
from finops_operator.cli.options import Context, Kubeconfig, Namespace, Request, Wait
from finops_operator.cli.output import note
from finops_operator.cli.voting import cast, checked_reason


def _run(
    request: Request,
    reason: Annotated[
        str, typer.Option("--reason", help="What was found out; it is kept in the ledger.", callback=checked_reason)
    ],
    kubeconfig: Kubeconfig = "",
    context: Context = "",
    namespace: Namespace = "",
    wait: Wait = 10.0,
) -> None:
    """Resume the acts of REQUEST's kind and policy that are paused since one failed.

    REQUEST is the one that failed or one that waits. Exit code 4 when nothing is paused or you are no approver.
    """
    cluster = open_cluster(kubeconfig, context, namespace)
    found = find_request(cluster, request)
    # The policy says it too, but an approver need not have the right to read it.
    paused = find_condition(found.status.conditions, ACTS_PAUSED)
    if paused is not None and paused.status is ConditionStatus.TRUE:
        note(paused.message)
    sent = cast(cluster, found, Choice.RESUME, reason=reason, wait_seconds=wait)
    note(sent.status.message or "resumed")


COMMAND: Final = Command("resume", _run)
