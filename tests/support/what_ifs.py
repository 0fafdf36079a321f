"""A scanned policy in a store, and the loop of the operator that answers what-ifs about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.support.fake_clock import FakeClock
from tests.support.scan_samples import account, recommendation
from tests.support.web_estate import NOW, StoredScan, priced, resource

from finops.crds.aws_account import AwsAccount
from finops.crds.part import API_VERSION
from finops.crds.scan_policy import ScanPolicy
from finops.domain.recommendation import Status
from finops.domain.resource import Gap
from finops.store.connection import Store
from finops.store.what_if import Question
from finops_operator.background import Background
from finops_operator.plugins.loaded import known_ids, plugins
from finops_operator.telemetry import Telemetry
from finops_operator.upkeep.what_ifs import AnsweredWhatIfs

OWN: dict[str, Any] = {
    "id": "our_rule",
    "kind": "ec2-instance",
    "when": "resource.state == 'running'",
    "message": "It breaks our rule.",
}
SPEC: dict[str, Any] = {"accounts": [{"name": "production"}], "customChecks": [OWN]}


def live_policy(name: str = "all", namespace: str = "team-a", **spec: Any) -> ScanPolicy:
    """The policy as the cluster has it."""
    return ScanPolicy.from_object(
        {
            "apiVersion": API_VERSION,
            "kind": "ScanPolicy",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"accounts": [{"name": "production"}], **spec},
        }
    )


def question(number: int = 1, by: str = "alice", spec: Mapping[str, Any] | None = None, **changes: Any) -> Question:
    """One question about the policy `team-a/all`."""
    facts: dict[str, Any] = {
        "id": f"{number:032x}",
        "namespace": "team-a",
        "policy": "all",
        "by": by,
        "at": NOW,
        "spec": SPEC if spec is None else spec,
    }
    return Question(**{**facts, **changes})


def write_scan(store: Store, *, instances: int = 3, gaps: tuple[Gap, ...] = (), generation: str = "g1") -> None:
    """Leave what a scan of `team-a/all` leaves: instances, and advice on one that no check of today gives any more."""
    rows = {str(number): (resource("ec2-instance", f"i-{number}"), priced("0.10")) for number in range(instances)}
    stands = recommendation(1, policy="team-a/all", monthly_savings=Decimal("65.21"), status=Status.ACTIONABLE)
    StoredScan(store).write(rows, recommendations=(stands,), gaps=gaps, generation=generation)


@dataclass(slots=True)
class Operator:
    """The loop, with the policies and the lease that a test gives it."""

    store: Store
    policies: list[ScanPolicy] = field(default_factory=lambda: [live_policy()])
    clock: Any = field(default_factory=lambda: FakeClock(NOW))
    holds: bool = True
    granted: list[AwsAccount] = field(default_factory=lambda: [account()])

    def loop(self) -> AnsweredWhatIfs:
        telemetry = Telemetry()
        return AnsweredWhatIfs(
            store=self.store,
            offered=plugins(),
            known=known_ids(plugins()),
            live=self._live,
            accounts=self._accounts,
            clock=self.clock,
            may_write=lambda: self.holds,
            background=Background(telemetry, self.clock),
        )

    def _live(self, namespace: str, name: str) -> ScanPolicy | None:
        fitting = (one for one in self.policies if (one.metadata.namespace, one.metadata.name) == (namespace, name))
        return next(fitting, None)

    def _accounts(self) -> Iterable[AwsAccount]:
        return self.granted
