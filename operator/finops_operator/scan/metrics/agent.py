"""Finds the dimension sets under which an agent publishes a metric, once a day per shard.

Called by the measure stage for specs marked `discovered`: GetMetricData needs the exact set, and bills a question about
a metric that nobody publishes too. Of an agent's metrics its configuration decides namespace, name and set:
`{InstanceId}` or `{ImageId, InstanceId, InstanceType, AutoScalingGroupName}` or else. CloudWatch lists a set for two
weeks after its last point, so of agents only those are listed that were active within three hours, and a set of another
type than the resource has now is none of it. Pages of ListMetrics stream into the store, so nothing grows with the
fleet here.
Sources: CloudWatch API reference, ListMetrics; CloudWatch user guide, "Metrics collected by the CloudWatch agent".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from finops.domain.resource import Resource, Shard
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops.store.utilization import Discovered, UtilizationStore
from finops_operator.plugins.kind import MetricSpec, Published
from finops_operator.scan.metrics.failures import Failures

OPERATION: Final = "cloudwatch:ListMetrics"
_KEPT_SECONDS: Final = 86_400
_AWS: Final = "AWS/"
_ANY_TYPE: Final = "*"


class Agents:
    """What agents publish of the resources of one shard, as one scan of it asks."""

    def __init__(
        self,
        reader: PageReader,
        store: UtilizationStore,
        shard: Shard,
        type_of: Callable[[Resource], str],
        failures: Failures,
    ) -> None:
        """`type_of`: resource → its type in AWS's word, empty where it has none."""
        self.reader, self._store, self._shard = reader, store, shard
        self._type_of, self._failures = type_of, failures
        self._searched: set[str] = set()

    def sets(self, spec: MetricSpec, resources: Sequence[Resource]) -> Mapping[str, Discovered] | str:
        """Return resource id → what to ask for; an absent id publishes nothing. A code when it could not be found out.

        A change of type searches anew, once in a scan.
        """
        known = self._known(spec, resources)
        if known is None or (known[1] and spec.name not in self._searched):
            self._searched.add(spec.name)
            try:
                _discover(self.reader, self._store, self._shard, spec)
            except AwsError as error:
                self._failures.explain(error)
                return error.code
            known = self._known(spec, resources)
        return {} if known is None else known[0]

    def _known(self, spec: MetricSpec, resources: Sequence[Resource]) -> tuple[dict[str, Discovered], bool] | None:
        """Return what is known, and whether a resource is known by another type alone; None: nobody has searched."""
        fields = {one.id: (one.id, _typed(one.id, self._type_of(one)), _typed(one.id, _ANY_TYPE)) for one in resources}
        kept = self._store.discovered(self._shard, spec.name, [name for names in fields.values() for name in names])
        if kept is None:
            return None
        found: dict[str, Discovered] = {}
        changed = False
        for identity, (plain, typed, any_type) in fields.items():
            able = [kept[name] for name in (plain, typed) if name in kept]
            if able:
                found[identity] = min(able, key=lambda one: one.order)
            changed = changed or (not able and any_type in kept)
        return found, changed


def _typed(identity: str, type_name: str) -> str:
    return f"{identity} {type_name}"


def _discover(reader: PageReader, store: UtilizationStore, shard: Shard, spec: MetricSpec) -> None:
    discovery = store.start_discovery(shard, spec.name)
    for rank, name in enumerate(spec.published or (Published(spec.metric, spec.namespace),)):
        for page in reader.pages(OPERATION, _question(spec, name)):
            store.add_discovered(discovery, _best_sets(name, rank, spec, page.get("Metrics", ())))
    store.finish_discovery(shard, spec.name, discovery, seconds=_KEPT_SECONDS)


def _question(spec: MetricSpec, name: Published) -> dict[str, Any]:
    question: dict[str, Any] = {"MetricName": name.metric}
    if name.namespace:
        question["Namespace"] = name.namespace
    if spec.published:
        question["RecentlyActive"] = "PT3H"
    if spec.also:
        question["Dimensions"] = [{"Name": name, "Value": value} for name, value in spec.also]
    return question


def _best_sets(
    name: Published, rank: int, spec: MetricSpec, listed: Iterable[Mapping[str, Any]]
) -> dict[str, Discovered]:
    """Return the best dimension set of each resource on one page, of one that names its type under this as well."""
    found: dict[str, Discovered] = {}
    for item in listed:
        pairs = tuple((str(one["Name"]), str(one["Value"])) for one in item.get("Dimensions") or ())
        named, namespace = dict(pairs), str(item.get("Namespace") or spec.namespace)
        identity = named.get(spec.dimension)
        foreign = not name.namespace and namespace.startswith(_AWS)
        if identity is None or foreign or not set(spec.also) <= set(pairs):
            continue
        # Two ranks for each name: in the agent's usual namespace, and in another.
        one = Discovered(name.metric, pairs, namespace, 2 * rank + (namespace != spec.namespace), name.left)
        type_name = named.get(spec.typed_by)
        keys = (identity,) if type_name is None else (_typed(identity, type_name), _typed(identity, _ANY_TYPE))
        for key in keys:
            if key not in found or one.order < found[key].order:
                found[key] = one
    return found
