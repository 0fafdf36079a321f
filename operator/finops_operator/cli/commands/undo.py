"""`finops undo REQUEST`: asks for the undo of an act that succeeded, as the kubeconfig's user."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Annotated, Final

import typer

from finops.crds.action_request import ActionRequest
from finops.domain.decision import Choice, State
from finops.domain.money import CURRENCY
from finops.domain.quantity import counted
from finops.errors import Refused, Unavailable
from finops.k8s.kinds import action_requests
from finops_operator.cli.asking import ask, folded, local_time, preview
from finops_operator.cli.cluster_access import Cluster, open_cluster
from finops_operator.cli.command import Command
from finops_operator.cli.finding import find_request
from finops_operator.cli.listings import what_of
from finops_operator.cli.options import Context, Kubeconfig, Namespace, Request, Wait, Yes
from finops_operator.cli.output import amount, note
from finops_operator.cli.voting import cast, checked_reason

_POLL_SECONDS: Final = 0.25


def _run(
    request: Request,
    reason: Annotated[
        str, typer.Option("--reason", help="Why; it is shown to those who vote on the undo.", callback=checked_reason)
    ] = "",
    kubeconfig: Kubeconfig = "",
    context: Context = "",
    namespace: Namespace = "",
    wait: Wait = 20.0,
    yes: Yes = False,
) -> None:
    """Show what is undone, ask, have the undo proposed, and show the request that is to be approved.

    The undo is a request of its own: nothing happens before as many people approve it as approved the act. Exit code 4
    when the act cannot be undone, or you are not one of its approvers.
    """
    cluster = open_cluster(kubeconfig, context, namespace)
    found = find_request(cluster, request, preferred=_can_be_undone)
    for line in folded(_facts(found)):
        note(line)
    ask("undo", yes=yes)
    approval = cast(cluster, found, Choice.UNDO, reason=reason, wait_seconds=wait)
    made = _proposed(cluster, found, approval.metadata.name, wait)
    note("")
    for line in preview(made):
        note(line)
    note(f"Request {made.metadata.name} waits for votes: finops approve {made.metadata.name} -n {cluster.namespace}")


def _can_be_undone(request: ActionRequest) -> bool:
    undo = request.status.undo
    return request.status.state is State.SUCCEEDED and undo is not None and undo.until is not None and not undo.is_done


def _facts(act: ActionRequest) -> Iterator[tuple[str, str]]:
    spec, words, undo = act.spec, act.spec.presentation, act.status.undo
    verb = words.verb if words is not None else what_of(spec.action, "", spec.parameters)
    named = f" {spec.resource.name}" if spec.resource.name else ""
    yield "Undo of", f"{verb}{named}"
    kind = words.kind if words is not None else spec.resource.kind
    yield "Resource", f"{kind} {spec.resource.id}, {spec.region}, {spec.account}"
    if words is not None and words.change:
        yield "Changed", words.change
    if spec.estimate.is_known:
        before, after = amount(f"{spec.estimate.current_monthly_cost}"), amount(f"{spec.estimate.new_monthly_cost}")
        yield "Costs", f"{before} {CURRENCY} a month again, instead of {after}"
    else:
        yield "Costs", f"what it saved again, unknown: {spec.estimate.saving_unknown}"
    yield "Approvals", f"{counted(spec.approval.required, 'approval')} at least"
    if undo is not None and undo.until is not None:
        yield "Until", local_time(undo.until)
    if act.status.watch is not None and act.status.watch.worse:
        yield "Worse", act.status.watch.worse
    if undo is not None and undo.message:
        yield "So far", undo.message


def _proposed(cluster: Cluster, act: ActionRequest, approval: str, wait_seconds: float) -> ActionRequest:
    """Wait for the request that undoes `act`.

    Raises:
        Refused: the act cannot be undone now.
        Unavailable: nothing was proposed within `wait_seconds`; the ask is recorded.
    """
    api, deadline = action_requests(cluster.connection), time.monotonic() + wait_seconds
    while True:
        current = api.get(cluster.namespace, act.metadata.name)
        undo = current.status.undo if current is not None else None
        if undo is not None and undo.answered == approval:
            made = api.get(cluster.namespace, undo.request) if undo.is_open and undo.request else None
            if made is None:
                raise Refused(undo.message or "the act is not undone", code="NotUndone")
            return made
        if time.monotonic() > deadline:
            raise Unavailable(
                f"the vote {approval} is recorded, but the operator has proposed no undo in {wait_seconds:g} seconds",
                code="NoAnswer",
                hint=f"is the operator running? kubectl describe ar {act.metadata.name} shows the answer when it comes",
            )
        time.sleep(_POLL_SECONDS)


COMMAND: Final = Command("undo", _run)
