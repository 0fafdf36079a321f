"""The parts that watch and write Kubernetes: the cache, the four kinds, events, switches, and what is measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from finops.crds.action_request import ActionRequest
from finops.crds.approval import Approval
from finops.crds.aws_account import AwsAccount
from finops.crds.scan_policy import ScanPolicy
from finops.k8s.config_maps import ConfigMaps
from finops.k8s.connection import Connection
from finops.k8s.events import Events
from finops.k8s.kinds import action_requests, approvals, aws_accounts, scan_policies
from finops.ports.clock import Clock
from finops.settings import Settings
from finops_operator.cluster.cache import ClusterCache
from finops_operator.cluster.canary import Canary
from finops_operator.cluster.freeze import Freeze
from finops_operator.cluster.objects import Objects
from finops_operator.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class ClusterParts:
    """Everything that is seen and written of the cluster.

    Attributes:
        switches: the ConfigMaps in the operator's namespace.
    """

    connection: Connection
    cache: ClusterCache
    canary: Canary
    telemetry: Telemetry
    events: Events
    policies: Objects[ScanPolicy]
    accounts: Objects[AwsAccount]
    requests: Objects[ActionRequest]
    approvals: Objects[Approval]
    switches: ConfigMaps
    freeze: Freeze

    @property
    def kinds(self) -> tuple[Objects[Any], ...]:
        return (self.policies, self.accounts, self.requests, self.approvals)

    def shown_fence(self) -> int:
        """Return the highest fence in the status of any request. Raises ClusterUnavailable, Refused."""
        self.requests.complete_where_possible()
        return max((request.status.fence or 0 for request in self.cache.requests.all()), default=0)


def make_cluster(settings: Settings, connection: Connection, clock: Clock, holder: str) -> ClusterParts:
    """Make them; `holder` is the name of this process in events."""
    cache, canary = ClusterCache(), Canary(clock)
    switches = ConfigMaps(connection, settings.namespace)
    return ClusterParts(
        connection=connection,
        cache=cache,
        canary=canary,
        telemetry=Telemetry(),
        events=Events(connection, component="operator", instance=holder),
        policies=Objects(scan_policies(connection), cache.policies, canary),
        accounts=Objects(aws_accounts(connection), cache.accounts, canary),
        requests=Objects(action_requests(connection), cache.requests, canary),
        approvals=Objects(approvals(connection), cache.approvals, canary),
        switches=switches,
        freeze=Freeze(switches, f"{settings.release}-freeze"),
    )
