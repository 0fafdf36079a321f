"""A scan as tests run it: real plug-ins and prices, a given store, the AWS double behind AWS_ENDPOINT_URL.

Used by the scan's integration tests and benchmarks, and as a program by those that need a process of its own to
measure or to kill: `python -m tests.support.scanning '{"redis": …}'` scans once and prints what it used.
"""

from __future__ import annotations

import io
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from finops.crds.aws_account import AwsAccount
from finops.crds.part import API_VERSION
from finops.crds.scan_policy import ScanPolicy
from finops.domain.backoff import Backoff
from finops.ports.clock import Clock, SystemClock
from finops.store.connection import Store, open_store
from finops_operator.aws.clients import make_readers
from finops_operator.aws.limiter import OTHERS, OURS, LocalRateLimits, Quota
from finops_operator.aws.reader import CallPacing, RetryPolicy
from finops_operator.cli.heap import bound_heap
from finops_operator.killpoint import arm
from finops_operator.plugins.loaded import load_actions, load_checks, load_kinds
from finops_operator.pricing.bundled import BundledPrices
from finops_operator.scan.dependencies import ScanDependencies
from finops_operator.scan.report import write_report
from finops_operator.scan.scan import ScanOutcome, scan

HASTY = RetryPolicy(attempts=12, unreachable_attempts=2, backoff=Backoff(0.01, 0.05))
"""The real number of attempts with pauses that a test can afford."""
UNLIMITED: Mapping[str, Quota] = {OTHERS: Quota(1e9, 1e9)}


def account(name: str, account_id: str, *, namespaces: Sequence[str] = ("default",), **spec: Any) -> AwsAccount:
    """Return an AwsAccount with the double's scanner role."""
    role = {"scannerRoleArn": f"arn:aws:iam::{account_id}:role/finops-scanner", "externalId": "finops-sandbox"}
    allow = [{"namespaces": list(namespaces)}] if namespaces else []
    return AwsAccount.from_object(
        {
            "apiVersion": API_VERSION,
            "kind": "AwsAccount",
            "metadata": {"name": name},
            "spec": {"accountId": account_id, **role, "allow": allow, **spec},
        }
    )


def policy(*accounts: str, name: str = "all", namespace: str = "default", **spec: Any) -> ScanPolicy:
    """Return a ScanPolicy over the named accounts."""
    return ScanPolicy.from_object(
        {
            "apiVersion": API_VERSION,
            "kind": "ScanPolicy",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"accounts": [{"name": one} for one in accounts], **spec},
        }
    )


def dependencies(
    store: Store,
    pool: ThreadPoolExecutor,
    *,
    clock: Clock | None = None,
    quotas: Mapping[str, Quota] = UNLIMITED,
    retry: RetryPolicy = HASTY,
) -> ScanDependencies:
    """Return what a scan needs; only the store, the pool and the patience are the test's own."""
    pacing = CallPacing(LocalRateLimits(), clock or SystemClock(), retry, quotas)
    return ScanDependencies(
        readers=make_readers(pacing, demo=True),
        store=store,
        kinds=load_kinds(),
        checks=load_checks(),
        price_sources=(BundledPrices(),),
        actions=load_actions(),
        pool=pool,
        metric_requests=ThreadPoolExecutor(8),
    )


def report_of(outcome: ScanOutcome, *, why: bool = False) -> dict[str, Any]:
    """Return the ScanReport, parsed."""
    sink = io.StringIO()
    write_report(sink, outcome, why=why)
    parsed: dict[str, Any] = json.loads(sink.getvalue())
    return parsed


def peak_megabytes() -> float:
    """Return this program's largest resident size; `getrusage` would count what its parent held before the exec too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def run_once(orders: Mapping[str, Any]) -> dict[str, Any]:
    """Scan as asked and return figures of this process; the report goes to `report`, streamed."""
    # As the command and the image do: what is measured is the scan, not what the C library hoards for its threads.
    bound_heap()
    arm(str(orders.get("killPoint", "")))
    accounts = {name: account(name, account_id) for name, account_id in orders["accounts"].items()}
    wanted = policy(*accounts, **orders.get("spec", {}))
    quotas = OURS if orders.get("limited") else UNLIMITED
    with ThreadPoolExecutor(8) as pool:
        began, used = time.monotonic(), time.process_time()
        deps = dependencies(open_store(orders["redis"], prefix=orders["prefix"]), pool, quotas=quotas)
        outcome = scan(wanted, accounts, deps, SystemClock())
        with Path(orders.get("report", os.devnull)).open("w", encoding="utf-8") as sink:
            write_report(sink, outcome, why=True)
    summary, effort = outcome.summary, outcome.metric_effort
    return {
        "peakMegabytes": peak_megabytes(),
        "wallSeconds": time.monotonic() - began,
        "cpuSeconds": time.process_time() - used,
        "resources": summary.resources,
        "unknown": summary.unknown_resources,
        "recommendations": summary.recommendations,
        "gaps": [[gap.region, gap.service, gap.code, gap.resources] for gap in summary.gaps],
        "apiCalls": dict(summary.api_calls),
        "estimatedApiCost": str(summary.estimated_api_cost),
        "points": effort.points,
        "daySeries": effort.day_series,
        "dayRequests": effort.day_requests,
        "hourlySeries": effort.hourly_series,
        "hourlyRequests": effort.hourly_requests,
        "fineSeries": effort.fine_series,
        "fineRequests": effort.fine_requests,
    }


if __name__ == "__main__":
    json.dump(run_once(json.loads(sys.argv[1])), sys.stdout)
