"""`finops requests`: the ActionRequests and how their votes stand."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from finops.crds.action_request import ActionRequest
from finops.domain.decision import TERMINAL
from finops.k8s.kinds import action_requests
from finops_operator.cli.cluster_access import open_cluster
from finops_operator.cli.command import Command
from finops_operator.cli.options import Context, Kubeconfig, Namespace, Output
from finops_operator.cli.output import Column, Format, Record, emit, field, note


def _outcome(request: Record) -> str:
    """Return how it ended and what to do next, or what it waits for; the words of card and event."""
    outcome = request.get("status", {}).get("outcome", {})
    return str(outcome.get("message") or outcome.get("error") or "")


COLUMNS: Final = (
    field("namespace", path="metadata.namespace", wide=True),
    field("name", path="metadata.name"),
    field("state", path="status.state"),
    field("action", path="spec.action"),
    field("resource", path="spec.resource.id"),
    field("resourceName", path="spec.resource.name"),
    field("monthlySavings", path="spec.estimate.monthlySavings", right=True),
    field("votes", path="status.votes.summary", right=True),
    field("expires", path="spec.expiresAt"),
    field("policy", path="spec.policy", wide=True),
    field("account", path="spec.account", wide=True),
    field("region", path="spec.region", wide=True),
    field("destructive", path="spec.destructive", wide=True),
    field("step", path="status.execution.step", wide=True),
    Column("outcome", _outcome, wide=True),
)


def _run(
    output: Output = Format.TABLE,
    open_only: Annotated[bool, typer.Option("--open", help="Leave out those that have ended.")] = False,
    all_namespaces: Annotated[bool, typer.Option("--all-namespaces", "-A", help="Of every namespace.")] = False,
    policy: Annotated[str, typer.Option("--policy", metavar="NAME", help="Only of this ScanPolicy.")] = "",
    kubeconfig: Kubeconfig = "",
    context: Context = "",
    namespace: Namespace = "",
) -> None:
    """List ActionRequests, the largest saving first."""
    cluster = open_cluster(kubeconfig, context, namespace)
    found = [
        one
        for one in action_requests(cluster.connection).list(None if all_namespaces else cluster.namespace)
        if (not policy or one.spec.policy == policy) and not (open_only and one.status.state in TERMINAL)
    ]
    found.sort(key=_order)
    emit((_record(one) for one in found), COLUMNS, output)
    if not found and output in {Format.TABLE, Format.WIDE}:
        where = "any namespace" if all_namespaces else f"namespace {cluster.namespace}"
        note(f"no ActionRequests in {where}; a policy proposes some when actions.mode is DryRun or Approve")


def _order(one: ActionRequest) -> tuple[bool, float, str]:
    return one.status.state in TERMINAL, -float(one.spec.estimate.monthly_savings), one.metadata.name


def _record(one: ActionRequest) -> dict[str, Any]:
    return one.to_object()


COMMAND: Final = Command("requests", _run)
