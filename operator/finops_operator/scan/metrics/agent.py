"""Finds the dimension sets under which an agent publishes a metric, once a day per shard.

Called by the measure stage for specs marked `discovered`: GetMetricData needs the exact set, and bills a question about
a metric that nobody publishes too. Of an agent's metrics its configuration decides the set: `{InstanceId}` or
`{ImageId, InstanceId, InstanceType, AutoScalingGroupName}` or else. Pages of ListMetrics stream into the store, so
nothing grows with the fleet here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from finops.domain.resource import Shard
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops.store.utilization import Discovered, UtilizationStore
from finops_operator.plugins.kind import MetricSpec
from finops_operator.scan.metrics.failures import Failures

OPERATION: Final = "cloudwatch:ListMetrics"
_KEPT_SECONDS: Final = 86_400


def dimension_sets(
    reader: PageReader,
    store: UtilizationStore,
    shard: Shard,
    spec: MetricSpec,
    ids: Sequence[str],
    failures: Failures,
) -> Mapping[str, Discovered] | str:
    """Return resource id → what to ask for; an absent id publishes nothing. A code when it could not be found out."""
    known = store.discovered(shard, spec.name, ids)
    if known is None:
        try:
            _discover(reader, store, shard, spec)
        except AwsError as error:
            failures.explain(error)
            return error.code
        known = store.discovered(shard, spec.name, ids)
    return known or {}


def _discover(reader: PageReader, store: UtilizationStore, shard: Shard, spec: MetricSpec) -> None:
    discovery = store.start_discovery(shard, spec.name)
    for metric in (spec.metric, *spec.aliases):
        for page in reader.pages(OPERATION, _question(spec, metric)):
            found = _best_sets(metric, spec, page.get("Metrics", ()))
            store.add_discovered(discovery, found)
    store.finish_discovery(shard, spec.name, discovery, seconds=_KEPT_SECONDS)


def _question(spec: MetricSpec, metric: str) -> dict[str, Any]:
    question: dict[str, Any] = {"Namespace": spec.namespace, "MetricName": metric}
    if spec.also:
        question["Dimensions"] = [{"Name": name, "Value": value} for name, value in spec.also]
    return question


def _best_sets(metric: str, spec: MetricSpec, listed: Iterable[Mapping[str, Any]]) -> dict[str, Discovered]:
    """Return the smallest dimension set of each resource on one page."""
    found: dict[str, Discovered] = {}
    for item in listed:
        pairs = tuple((str(one["Name"]), str(one["Value"])) for one in item.get("Dimensions") or ())
        resource_id = dict(pairs).get(spec.dimension)
        if resource_id is None or not set(spec.also) <= set(pairs):
            continue
        best = found.get(resource_id)
        if best is None or len(pairs) < len(best.dimensions):
            found[resource_id] = Discovered(metric, pairs)
    return found
