"""What the demo prints for people when it is ready: the operator's own status, the best advice, and addresses."""

from __future__ import annotations

from typing import Any, TextIO

from finops.crds.conditions import find_condition
from finops.crds.scan_policy import ScanPolicy
from finops.domain.report import Savings
from finops.store.connection import open_store
from finops.store.recommendations import RecommendationStore
from finops_operator.cli.listings import RECOMMENDATIONS, ready_first, row_of, total_line
from finops_operator.cli.output import Format, emit, field
from finops_sandbox.demo.running import RunningDemo
from finops_sandbox.demo.steps import ALICE, BOB, page_of

_TOP = 8


def show(demo: RunningDemo, out: TextIO) -> None:
    """Print what was found and where everything is."""
    out.write(f"\nDashboard       {demo.dashboard('alice')}\n")
    policies = [_policy_row(one) for one in demo.policies()]
    out.write("\nThe operator says about its policies (kubectl get scanpolicies):\n\n")
    emit(policies, [field(name) for name in policies[0]], Format.TABLE, out)
    rows, savings = _recommendations(demo)
    out.write("\nIts best recommendations (finops recommendations):\n\n")
    emit(rows, RECOMMENDATIONS, Format.TABLE, out)
    out.write(f"{total_line(savings)}\n")
    out.write(f"\nSlack           {page_of(demo.slack_page, ALICE)}\n")
    out.write(f"                {page_of(demo.slack_page, BOB)}\n")
    out.write(f"Kubernetes      {demo.places.kubeconfig('people')} (contexts admin, alice, bob)\n")
    out.write("                Alice in Slack is alice in Kubernetes, Bob is bob: one vote each.\n")
    out.write(f"Logs            {demo.places.state / 'programs.log'}\n")
    out.flush()


def _policy_row(policy: ScanPolicy) -> dict[str, Any]:
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


def _recommendations(demo: RunningDemo) -> tuple[list[dict[str, Any]], Savings]:
    """Return the recommendations that one can act on first, the largest saving first, and what all of them save."""
    store = open_store(demo.places.store_url)
    try:
        recommendations = RecommendationStore(store)
        policies = recommendations.policies()
        rows = ready_first(row_of(one) for key in policies for one in recommendations.stream(key) if one.counted)
        heads = [head for key in policies if (head := recommendations.head(key)) is not None]
        savings = sum((head.summary.savings for head in heads), Savings())
        return [dict(row.record) for row in rows[:_TOP]], savings
    finally:
        store.client.close()
