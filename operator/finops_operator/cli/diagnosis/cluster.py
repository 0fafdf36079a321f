"""Who we are on the cluster, what it serves, and what we may do there."""

from __future__ import annotations

from typing import Final

from finops.crds.aws_account import AwsAccount
from finops.crds.conditions import ACTS_PAUSED, SCAN_PODS_POSSIBLE, ConditionStatus, find_condition
from finops.crds.policy_actions import Mode
from finops.crds.scan_policy import ExecutionMode, ScanPolicy
from finops.errors import FinopsError, Refused
from finops.k8s.kinds import action_requests, aws_accounts, scan_policies
from finops_operator.cli.cluster_access import Cluster
from finops_operator.cli.diagnosis.result import Result, Results, Verdict, failed, ok
from finops_operator.rules.paused import paused

_PART: Final = "kubernetes"
_MOST_PAUSED: Final = 10
KINDS: Final = ("scanpolicies", "awsaccounts", "actionrequests", "approvals", "budgets")
_STOPPED: Final = {
    "Frozen": "an administrator lifts the freeze in the ConfigMap RELEASE-freeze",
    "Unprotected": "install the chart again, or helm upgrade: it brings the admission policies back",
    "StoreNearlyFull": "raise valkey.maxMemory and its memory limit; see docs/operations.md",
    "LedgerUnusable": "check the file's volume and the ledger's bucket; see docs/operations.md",
    "LedgerBroken": "compare store, file and checkpoint with `finops audit verify`; see docs/operations.md",
}
_RIGHTS: Final = (
    ("get", "scanpolicies", "see policies", "any viewer has it: the chart adds it to the cluster role view"),
    ("create", "scanpolicies", "write policies", "the chart adds it to the cluster role edit"),
    ("get", "actionrequests", "see requests", "any viewer has it: the chart adds it to the cluster role view"),
    ("create", "approvals", "vote", "an administrator binds the chart's approver role"),
)


def diagnose_cluster(cluster: Cluster) -> Results:
    """Yield identity, kinds and rights in the chosen namespace."""
    access = cluster.access
    try:
        version = access.server_version()
        username, groups = access.username()
        yield ok(
            _PART, "identity", f"{username} ({', '.join(groups)}) by {cluster.connection.source}, server {version}"
        )
        missing = access.missing_kinds(KINDS)
        if missing:
            hint = "install the chart, or kubectl apply -f crds/"
            yield Result(_PART, "kinds", Verdict.FAILED, f"not served: {', '.join(missing)}", hint)
            return
        yield ok(_PART, "kinds", f"serves {', '.join(KINDS)}")
        for verb, resource, what, hint in _RIGHTS:
            allowed = access.may(verb, resource, namespace=cluster.namespace)
            seen = f"may {'' if allowed else 'not '}{verb} {resource} in {cluster.namespace}"
            yield Result(_PART, what, Verdict.OK if allowed else Verdict.WARNING, seen, "" if allowed else hint)
        yield from _acts(cluster)
        yield from _scan_pods(cluster)
        yield from _paused_kinds(cluster)
        yield from _paused(cluster)
    except FinopsError as error:
        yield failed(_PART, "connection", error)


def _acts(cluster: Cluster) -> Results:
    """Yield what stops approved acts, as the operator writes it on the policies that may act."""
    try:
        found = tuple(scan_policies(cluster.connection).list(cluster.namespace))
    except Refused:
        return
    for policy in found:
        condition = find_condition(policy.status.conditions, "ActsPossible")
        if condition is None or policy.spec.actions.mode is Mode.RECOMMEND:
            continue
        possible = condition.status is ConditionStatus.TRUE
        text = condition.message if possible else f"{condition.reason}: {condition.message}"
        hint = "" if possible else _STOPPED.get(condition.reason, "")
        name = f"acts of {policy.metadata.name}"
        yield Result(_PART, name, Verdict.OK if possible else Verdict.FAILED, text, hint)


def _scan_pods(cluster: Cluster) -> Results:
    """Yield whether pods may be made for the policies that ask for scans in pods."""
    try:
        found = tuple(scan_policies(cluster.connection).list(cluster.namespace))
    except Refused:
        return
    for policy in found:
        condition = find_condition(policy.status.conditions, SCAN_PODS_POSSIBLE)
        if condition is not None and policy.spec.execution.mode is ExecutionMode.JOB:
            verdict = Verdict.OK if condition.status is ConditionStatus.TRUE else Verdict.FAILED
            yield Result(_PART, f"pods of scans of {policy.metadata.name}", verdict, condition.message)


def _paused_kinds(cluster: Cluster) -> Results:
    """Yield the policies of which a kind of act waits because one failed."""
    try:
        found = tuple(scan_policies(cluster.connection).list(cluster.namespace))
    except Refused:
        return
    for policy in found:
        condition = find_condition(policy.status.conditions, ACTS_PAUSED)
        if condition is not None and condition.status is ConditionStatus.TRUE:
            hint = "an approver of the policy resumes them: finops resume, or Resume on the card in Slack"
            yield Result(_PART, f"paused acts of {policy.metadata.name}", Verdict.FAILED, condition.message, hint)


def _paused(cluster: Cluster) -> Results:
    """Yield the approved acts of the namespace that stand still, and why."""
    try:
        found = paused(action_requests(cluster.connection, newer=True).list(cluster.namespace))
    except Refused:
        return
    for name, why in sorted(found.items())[:_MOST_PAUSED]:
        yield Result(_PART, f"act {name.rpartition('/')[2]}", Verdict.WARNING, why, "finops requests shows it")
    if len(found) > _MOST_PAUSED:
        yield Result(_PART, "more acts", Verdict.WARNING, f"{len(found) - _MOST_PAUSED} more approved acts wait")


def accounts_of(cluster: Cluster) -> tuple[AwsAccount, ...]:
    """Return the AwsAccounts that we may see; they are an administrator's business, so often none."""
    try:
        return tuple(aws_accounts(cluster.connection).list())
    except Refused:
        return ()


def policies_of(cluster: Cluster) -> tuple[ScanPolicy, ...] | None:
    """Return the ScanPolicies of the chosen namespace, None where they cannot be read."""
    try:
        return tuple(scan_policies(cluster.connection).list(cluster.namespace))
    except FinopsError:
        return None
