"""The operator's Prometheus metrics, in one registry; names and labels are listed in docs/metrics.md.

Labels are bounded by policies, accounts and words of ours; never a resource id.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from finops import __version__


@dataclass(frozen=True, slots=True)
class Telemetry:
    """All metrics of one process."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    scan_seconds: Histogram = field(init=False)
    scans: Counter = field(init=False)
    last_success: Gauge = field(init=False)
    resources: Gauge = field(init=False)
    unpriced: Gauge = field(init=False)
    monthly_cost: Gauge = field(init=False)
    potential_savings: Gauge = field(init=False)
    gaps: Gauge = field(init=False)
    api_calls: Counter = field(init=False)
    api_cost: Counter = field(init=False)
    open_requests: Gauge = field(init=False)
    acts: Counter = field(init=False)
    votes: Counter = field(init=False)
    canary_age: Gauge = field(init=False)
    lease_held: Gauge = field(init=False)
    frozen: Gauge = field(init=False)
    ledger_sequence: Gauge = field(init=False)

    def __post_init__(self) -> None:
        policy = ("namespace", "policy")
        made = {
            "scan_seconds": Histogram(
                "finops_scan_duration_seconds",
                "Time a scan of a policy took.",
                policy,
                buckets=(1, 5, 15, 60, 300, 900, 3600),
                registry=self.registry,
            ),
            "scans": Counter("finops_scans_total", "Scans ended.", (*policy, "result"), registry=self.registry),
            "last_success": Gauge(
                "finops_last_success_timestamp_seconds",
                "When the last scan ended that saw anything.",
                policy,
                registry=self.registry,
            ),
            "resources": Gauge("finops_resources", "Resources the last scan saw.", policy, registry=self.registry),
            "unpriced": Gauge(
                "finops_resources_unpriced", "Of those, without a known price.", policy, registry=self.registry
            ),
            "monthly_cost": Gauge(
                "finops_estimated_monthly_cost", "Cost a month in US dollars.", policy, registry=self.registry
            ),
            "potential_savings": Gauge(
                "finops_potential_monthly_savings",
                "What open recommendations would save a month in US dollars.",
                policy,
                registry=self.registry,
            ),
            "gaps": Gauge("finops_gaps", "What the last scan could not see.", policy, registry=self.registry),
            "api_calls": Counter(
                "finops_aws_api_calls_total", "Requests sent to AWS.", ("operation",), registry=self.registry
            ),
            "api_cost": Counter(
                "finops_aws_api_cost_total", "Estimated cost of those requests in US dollars.", registry=self.registry
            ),
            "open_requests": Gauge(
                "finops_open_requests", "ActionRequests by state.", ("state",), registry=self.registry
            ),
            "acts": Counter("finops_actions_total", "Acts ended.", ("action", "result"), registry=self.registry),
            "votes": Counter("finops_votes_total", "Votes answered.", ("result", "reason"), registry=self.registry),
            "canary_age": Gauge(
                "finops_watch_unseen_write_seconds",
                "Age of the oldest own write the watch has not shown.",
                ("kind",),
                registry=self.registry,
            ),
            "lease_held": Gauge(
                "finops_lease_held", "1 while this process may decide and act.", registry=self.registry
            ),
            "frozen": Gauge("finops_frozen", "1 while the freeze switch is on.", registry=self.registry),
            "ledger_sequence": Gauge(
                "finops_ledger_sequence", "Sequence of the last record written.", registry=self.registry
            ),
        }
        for name, metric in made.items():
            object.__setattr__(self, name, metric)
        build = Gauge("finops_build_info", "Version of the program.", ("version",), registry=self.registry)
        build.labels(__version__).set(1)
