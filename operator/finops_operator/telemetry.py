"""The operator's Prometheus metrics, in one registry; names and labels are listed in docs/metrics.md.

Labels are bounded by policies, accounts and words of ours; never a resource id.
"""

from __future__ import annotations

import math
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from finops import __version__

PARTS: Final = ("scans", "requests", "acts", "undos", "watches", "housekeeping", "webhooks", "what-ifs")
"""Loops that go on after an error nobody expected."""
_POLICY: Final = ("namespace", "policy")


class Telemetry:
    """All metrics of one process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._scans()
        self._decisions()
        self._health()

    def policies(self) -> frozenset[tuple[str, str]]:
        """Return (namespace, name) of every policy that has figures: each scan that ends is counted."""
        labels = [sample.labels for metric in self.scans.collect() for sample in metric.samples]
        return frozenset((one["namespace"], one["policy"]) for one in labels)

    def saw_nothing(self, namespace: str, policy: str) -> None:
        """Take back the figures of a policy: the old ones would be a lie, and zero a worse one."""
        for gauge in self._figures:
            gauge.remove(namespace, policy)

    def forget(self, namespace: str, policy: str) -> None:
        """Drop all series of a policy."""
        self.saw_nothing(namespace, policy)
        for metric in (self.scan_seconds, self.last_success, self.gaps):
            metric.remove(namespace, policy)
        self.scans.remove_by_labels({"namespace": namespace, "policy": policy})
        self.acts_paused.remove_by_labels({"namespace": namespace, "policy": policy})

    def _scans(self) -> None:
        self.scan_seconds = Histogram(
            "finops_scan_duration_seconds",
            "Time a scan of a policy took.",
            _POLICY,
            buckets=(1, 5, 15, 60, 300, 900, 3600),
            registry=self.registry,
        )
        self.scans = self._counter("finops_scans_total", "Scans ended.", *_POLICY, "result")
        self.last_success = self._gauge(
            "finops_last_success_timestamp_seconds", "When the last scan ended that saw anything.", *_POLICY
        )
        self.resources = self._gauge("finops_resources", "Resources the last scan saw.", *_POLICY)
        self.unpriced = self._gauge("finops_resources_unpriced", "Of those, without a known price.", *_POLICY)
        self.monthly_cost = self._gauge("finops_estimated_monthly_cost", "Cost a month in US dollars.", *_POLICY)
        self.potential_savings = self._gauge(
            "finops_potential_monthly_savings",
            "What open recommendations would save a month in US dollars.",
            *_POLICY,
        )
        self._figures = (self.resources, self.unpriced, self.monthly_cost, self.potential_savings)
        self.gaps = self._gauge("finops_gaps", "What the last scan could not see.", *_POLICY)
        self.api_calls = self._counter("finops_aws_api_calls_total", "Requests sent to AWS.", "operation")
        self.api_cost = self._counter("finops_aws_api_cost_total", "Estimated cost of those requests in US dollars.")

    def _decisions(self) -> None:
        self.open_requests = self._gauge("finops_open_requests", "ActionRequests by state.", "state")
        self.acts = self._counter("finops_actions_total", "Acts ended.", "action", "result")
        self.votes = self._counter("finops_votes_total", "Votes answered.", "result", "reason")
        self.frozen = self._gauge("finops_frozen", "1 while the freeze switch is on.")
        self.acts_stopped = self._gauge("finops_acts_stopped", "1 while no act may begin for this reason.", "reason")
        self.scan_pods_stopped = self._gauge(
            "finops_scan_pods_stopped",
            "1 while no pod is made for a scan, because the admission policy that bounds them is not in force.",
        )
        self.acts_paused = self._gauge(
            "finops_acts_paused", "Failed acts after which those of the kind wait until resumed.", *_POLICY, "action"
        )
        self.acts_waiting = self._gauge("finops_acts_waiting", "Approved acts that stand still; /readyz says why.")
        self.store_used = self._gauge(
            "finops_store_used_bytes", "Memory in use of the store, as counted against its limit; NaN: not known."
        )
        self.store_limit = self._gauge(
            "finops_store_limit_bytes", "Memory beyond which the store refuses writes; NaN: it names no limit."
        )
        # A gauge without labels begins as zero, which would be a figure nobody measured.
        self.store_used.set(math.nan)
        self.store_limit.set(math.nan)
        self.ledger_sequence = self._gauge("finops_ledger_sequence", "Sequence of the last record written.")
        self.ledger_anchored = self._gauge(
            "finops_ledger_anchored_sequence", "Sequence of the last record that a checkpoint outside the sinks covers."
        )
        self.ledger_locks_walked = self._gauge(
            "finops_ledger_locks_walked_timestamp_seconds",
            "When all objects of the ledger's bucket were last seen locked for long enough, or when the process began.",
        )
        self.ledger_locks_walked.set(math.nan)
        self.ledger_locks_refused = self._gauge(
            "finops_ledger_locks_refused",
            "1: the last renewal of the ledger's locks in S3 was refused; NaN: none was tried, or not by this process.",
        )
        self.ledger_locks_refused.set(math.nan)

    def _health(self) -> None:
        self.unread_namespaces = self._gauge(
            "finops_unread_namespaces",
            "Watched namespaces whose objects cannot be read: requests, budgets and alerts that lean on them wait.",
            "kind",
        )
        self.canary_age = self._gauge(
            "finops_watch_unseen_write_seconds", "Age of the oldest own write the watch has not shown.", "kind"
        )
        self.lease_held = self._gauge("finops_lease_held", "1 while this process may decide and act.")
        self.webhooks_waiting = self._gauge(
            "finops_webhook_events_waiting", "Events that wait to be sent to a webhook endpoint.", "endpoint"
        )
        self.webhooks_dead = self._gauge(
            "finops_webhook_dead_letters", "Events that were given up: expired, refused or too many.", "endpoint"
        )
        self.defects = self._counter(
            "finops_defects_total", "Errors nobody expected, by the loop that went on after them.", "part"
        )
        for part in PARTS:
            # Nothing can be said of the growth of a series that begins with its first error.
            self.defects.labels(part)
        self._gauge("finops_build_info", "Version of the program.", "version").labels(__version__).set(1)

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(name, meaning, labels, registry=self.registry)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(name, meaning, labels, registry=self.registry)
