"""What the demo prints for people: the operator's own status, the best advice, addresses, and the steps of a walk."""

from __future__ import annotations

import sys
from typing import Any, TextIO

from finops.crds.conditions import find_condition
from finops.store.connection import open_store
from finops.store.recommendations import RecommendationStore
from finops_operator.cli.listings import RECOMMENDATIONS, ready_first, row_of, total_line
from finops_operator.cli.output import Format, emit, field
from finops_sandbox.demo.running import POLICY, POLICY_NAMESPACE, RunningDemo
from finops_sandbox.demo.steps import ALICE, page_of, steps, written

_TOP = 8


def print_guide(demo: RunningDemo, out: TextIO | None = None) -> None:
    """Print everything a person needs to go on."""
    sink = out or sys.stdout
    sink.write("\nThe operator says about its policy (kubectl get scanpolicies):\n\n")
    emit([_policy_row(demo)], [field(name) for name in _policy_row(demo)], Format.TABLE, sink)
    sink.write("\nIts best recommendations (finops recommendations):\n\n")
    emit(_top(demo), RECOMMENDATIONS, Format.TABLE, sink)
    sink.write(f"{_savings(demo)}\n")
    sink.write(f"\nSlack           {page_of(demo.slack_page, ALICE)}\n")
    sink.write(f"Kubernetes      {demo.places.kubeconfig('people')} (contexts admin, alice, bob)\n")
    sink.write(f"Logs            {demo.places.state / 'programs.log'}\n")
    sink.write("\nWhat to do next, and what you see then:\n\n")
    walk = steps(demo.slack_page, demo.places.state / "env", demo.requests())
    sink.writelines(f"{line}\n" for line in written(walk))
    sink.write("Ctrl-C stops everything and removes it.\n")
    sink.flush()


def _policy_row(demo: RunningDemo) -> dict[str, Any]:
    policy = demo.policy()
    if policy is None:
        return {"name": f"{POLICY_NAMESPACE}/{POLICY}", "ready": "not found"}
    status = policy.status
    ready = find_condition(status.conditions, "Ready")
    scan = status.last_scan
    return {
        "name": policy.metadata.name,
        "ready": ready.status.value if ready else "Unknown",
        "status": ready.reason if ready else "",
        "resources": scan.resources if scan else 0,
        "gaps": scan.gaps if scan else 0,
        "monthlyCost": f"{status.monthly_cost:f}" if status.monthly_cost is not None else "",
        "savings": f"{status.potential_monthly_savings:f}" if status.potential_monthly_savings is not None else "",
        "recommendations": status.recommendations,
    }


def _top(demo: RunningDemo) -> list[dict[str, Any]]:
    """Return the recommendations that one can act on first, the largest saving first."""
    store = open_store(demo.places.store_url)
    try:
        stream = RecommendationStore(store).stream((POLICY_NAMESPACE, POLICY))
        rows = ready_first(row_of(one) for one in stream if one.counted)
        return [dict(row.record) for row in rows[:_TOP]]
    finally:
        store.client.close()


def _savings(demo: RunningDemo) -> str:
    """Return what can be saved, split by what can be done about it."""
    store = open_store(demo.places.store_url)
    try:
        head = RecommendationStore(store).head((POLICY_NAMESPACE, POLICY))
    finally:
        store.client.close()
    return "Nothing is known yet: no scan has ended." if head is None else total_line(head.summary.savings)
