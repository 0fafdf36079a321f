"""`finops requests`: the ActionRequests and how their votes stand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Final

import typer

from finops.crds.action_request import ActionRequest
from finops.domain.channels import still_needed
from finops.domain.decision import TERMINAL, State
from finops.domain.resource import Shard
from finops.k8s.kinds import action_requests
from finops.store.inventory import InventoryStore
from finops_operator.cli import filters
from finops_operator.cli.cluster_access import open_cluster
from finops_operator.cli.command import Command
from finops_operator.cli.finding import advice_id
from finops_operator.cli.listings import SHORT_ID, what_of
from finops_operator.cli.options import Context, Kubeconfig, Namespace, Output, Redis
from finops_operator.cli.output import Column, Format, Record, amount, emit, field, note
from finops_operator.cli.store_access import store_to_read
from finops_operator.cli.tables import Fit


def _outcome(request: Record) -> str:
    """Return how it ended and what to do next, or what it waits for; the words of card and event."""
    status = request.get("status", {})
    outcome, watch = status.get("outcome", {}), status.get("watch", {})
    ended = str(outcome.get("message") or outcome.get("error") or "")
    worse = f"Worse than promised: {watch['worse']}" if watch.get("worse") else ""
    return " ".join(part for part in (ended, worse, str(watch.get("message") or ""), _undo(request)) if part)


def _undo(request: Record) -> str:
    """Return what came of the undo of the act: done, under way, or not done and why; empty while nobody asked."""
    undo = request.get("status", {}).get("undo") or {}
    said = str(undo.get("message") or "")
    if _is_undone(request):
        return f"{said or 'Undone.'} Its saving has ended."
    if undo.get("request") and not undo.get("state"):
        return f"Its undo is open: request {undo['request']}. {said}".rstrip()
    return said


def _is_undone(request: Record) -> bool:
    undo = request.get("status", {}).get("undo") or {}
    return undo.get("state") == State.SUCCEEDED.value


def _saves(request: Record) -> object:
    """Return what the act saves a month: nothing any more once it was undone."""
    estimate: Mapping[str, object] = request["spec"].get("estimate") or {}
    return "0.00" if _is_undone(request) else estimate.get("monthlySavings")


def _what(request: Record) -> str:
    spec = request["spec"]
    words = spec.get("presentation") or {}
    target = str(words.get("target") or "")
    if "undoes" in spec:
        return f"undo {what_of(spec['action'], '', {}, target)}"
    return what_of(spec["action"], "", spec.get("parameters", {}), target)


def _needed(request: Record) -> str:
    """Return which approvals a request lacks that waits for votes; by which channel others came is not read here."""
    spec, status = request["spec"]["approval"], request.get("status", {})
    if status.get("state") not in {None, State.PENDING.value}:
        return ""
    approve, step_up = int((status.get("votes") or {}).get("approve", 0)), bool(spec.get("stepUp"))
    outside = None if approve else False
    return still_needed(int(spec["required"]) - approve, step_up=step_up, outside=outside)


def columns(now: datetime) -> tuple[Column, ...]:
    """Return the columns of the listing; what is left until an expiry is counted from `now`."""

    def left(request: Record) -> str | None:
        ended = request.get("status", {}).get("state") in {state.value for state in TERMINAL}
        return None if ended else str(request["spec"]["expiresAt"])

    def in_words(value: str) -> str:
        return time_left(datetime.fromisoformat(value), now)

    return (
        Column(
            "state",
            lambda one: one.get("status", {}).get("state"),
            note=lambda one: ", undone" if _is_undone(one) else "",
        ),
        Column("monthlySavings", _saves, right=True, heading="SAVES/MONTH", words=amount),
        Column("what", _what),
        Column("name", lambda one: one["spec"]["resource"].get("name") or one["spec"]["resource"]["id"], fit=Fit.CUT),
        field("votes", path="status.votes.summary", right=True),
        Column("expires", left, words=in_words),
        Column("id", lambda one: advice_id(ActionRequest.from_object(one)), words=lambda value: value[:SHORT_ID]),
        field("request", path="metadata.name", wide=True),
        field("namespace", path="metadata.namespace", wide=True),
        field("action", path="spec.action", wide=True),
        field("resource", path="spec.resource.id", wide=True),
        field("policy", path="spec.policy", wide=True),
        field("account", path="spec.account", wide=True),
        field("region", path="spec.region", wide=True),
        field("destructive", path="spec.destructive", wide=True),
        field("step", path="status.execution.step", wide=True),
        Column("needs", _needed, wide=True),
        Column("outcome", _outcome, wide=True),
    )


def time_left(until: datetime, now: datetime) -> str:
    """Return the time that is left in its two largest units: `2d 23h`, `5h 3m`; `now` when it is over."""
    minutes = int((until - now).total_seconds() // 60)
    if minutes <= 0:
        return "now"
    days, hours = divmod(minutes // 60, 24)
    return f"{days}d {hours}h" if days else f"{hours}h {minutes % 60}m" if hours else f"{minutes}m"


def _run(
    *,
    output: Output = Format.TABLE,
    open_only: Annotated[bool, typer.Option("--open", help="Leave out those that have ended.")] = False,
    all_namespaces: Annotated[bool, typer.Option("--all-namespaces", "-A", help="Of every namespace.")] = False,
    policy: Annotated[str, typer.Option("--policy", metavar="NAME", help="Only of this ScanPolicy.")] = "",
    account: filters.Account = "",
    region: filters.Region = "",
    kind: filters.Kind = "",
    check: filters.CheckOption = "",
    tag: filters.Tags = None,
    owner: filters.Owner = "",
    status: filters.Status = "",
    min_savings: filters.MinSavings = "",
    sort: filters.SortOption = None,
    limit: filters.Limit = 0,
    redis: Redis = "",
    kubeconfig: Kubeconfig = "",
    context: Context = "",
    namespace: Namespace = "",
) -> None:
    """List ActionRequests: open ones first, the largest saving first.

    `approve` and `deny` take the ID. --tag reads the tags from the store of the scans.
    """
    wanted = filters.make_filter(
        account=account,
        region=region,
        kind=kind,
        check=check,
        tags=tag,
        owner=owner,
        status=status,
        min_savings=min_savings,
        known_statuses=[state.value for state in State],
    )
    cluster = open_cluster(kubeconfig, context, namespace)
    found = [
        one
        for one in action_requests(cluster.connection).list(None if all_namespaces else cluster.namespace)
        if (not policy or one.spec.policy == policy) and not (open_only and one.status.state in TERMINAL)
    ]
    tags = _tags_of(found, redis) if tag else {}
    rows = [row for one in found if wanted.matches(row := _row(one, tags.get(one.spec.resource.arn, {})))]
    rows = _open_first(rows) if sort is None else filters.ordered(rows, sort)
    emit((row.record for row in rows[: limit or None]), columns(datetime.now(UTC)), output)
    if not rows and output in {Format.TABLE, Format.WIDE}:
        where = "any namespace" if all_namespaces else f"namespace {cluster.namespace}"
        what = "such ActionRequests" if found else "ActionRequests"
        note(f"no {what} in {where}; a policy proposes some when actions.mode is DryRun or Approve")


def _open_first(rows: list[filters.Row]) -> list[filters.Row]:
    ended = {state.value for state in TERMINAL}
    return sorted(filters.ordered(rows, filters.Sort.SAVINGS), key=lambda row: bool(row.statuses & ended))


def _tags_of(found: list[ActionRequest], redis: str) -> Mapping[str, Mapping[str, str]]:
    """Return ARN → tags as of the last scan."""
    with store_to_read(redis) as store:
        inventory = InventoryStore(store)
        return {
            resource.arn: resource.tags
            for spec in (one.spec for one in found)
            for resource in inventory.many(
                Shard(spec.resource.account_id, spec.region, spec.resource.kind), [spec.resource.id]
            ).values()
        }


def _row(one: ActionRequest, tags: Mapping[str, str]) -> filters.Row:
    record: dict[str, Any] = one.to_object()
    spec, words = one.spec, record["spec"].get("presentation") or {}
    return filters.Row(
        record=record,
        account=spec.resource.account_id,
        region=spec.region,
        kind=spec.resource.kind,
        id=spec.resource.id,
        name=spec.resource.name,
        statuses=frozenset({(one.status.state or State.PENDING).value}),
        checks=frozenset({spec.evidence.check}),
        tags=tags,
        owner=str(words.get("owner") or spec.evidence.values.get("owner") or ""),
        savings=Decimal(0) if one.status.is_undone else spec.estimate.monthly_savings,
        cost=spec.estimate.current_monthly_cost,
    )


COMMAND: Final = Command("requests", _run)
