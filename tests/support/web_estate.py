"""A store as scans leave it, and a dashboard in front of it whose cluster is a table of people and rights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from fastapi import FastAPI
from fastapi.testclient import TestClient
from tests.support.fake_clock import FakeClock
from tests.support.scan_samples import request

from finops.audit_verify import Keys
from finops.crds.approval import Approval
from finops.domain.price import BilledQuantity, Cost, Price, cost_from
from finops.domain.recommendation import Recommendation
from finops.domain.report import Savings, ScanSummary, ShardCost
from finops.domain.resource import Gap, Resource, Shard
from finops.errors import Refused
from finops.k8s.access import Access
from finops.k8s.connection import Connection, connect
from finops.k8s.kinds import action_requests, approvals
from finops.k8s.person import api_server
from finops.store.connection import Store
from finops.store.ended_sessions import EndedSessions
from finops.store.inventory import InventoryStore, ShardHead
from finops.store.recommendations import PolicyHead, RecommendationStore
from finops.store.resource_costs import ResourceCostStore
from finops_sandbox.kubernetes.accounts import DEFAULT_USERS, User
from finops_sandbox.kubernetes.double import KubernetesDouble
from finops_web.app import make_app
from finops_web.context import Parts
from finops_web.metrics import WebMetrics
from finops_web.people.attempts import Attempts
from finops_web.people.entrance import Entrance
from finops_web.people.issuer import Issuer
from finops_web.people.sessions import Sessions
from finops_web.people.trusted_issuer import TrustedIssuer
from finops_web.people.visitors import Visitors
from finops_web.readings.history import History
from finops_web.readings.pushed import PushedReadings
from finops_web.readings.resources import ResourceReadings
from finops_web.readings.verdicts import Verdicts

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 3, 10, 12, 30, tzinfo=UTC)
ACCOUNT = "111122223333"
HOURS = Decimal(730)
SESSION_KEY = "a key for the cookies of tests"


def priced(hourly: str = "", monthly: str = "", unit: str = "gb-month", missing: tuple[str, ...] = ()) -> Cost:
    """A cost of one hourly part, one monthly part, both or none."""
    parts = []
    if hourly:
        parts.append(BilledQuantity("hour", Decimal(1), Price(Decimal(hourly), "hour", "bundled", date(2026, 3, 1))))
    if monthly:
        parts.append(BilledQuantity("storage", Decimal(1), Price(Decimal(monthly), unit, "bundled", date(2026, 3, 1))))
    return cost_from(parts, missing, HOURS)


def resource(kind: str, identifier: str, *, region: str = "us-east-1", **changes: Any) -> Resource:
    """One resource; its ARN names it."""
    given: dict[str, Any] = {
        "arn": f"arn:aws:test:{region}:{ACCOUNT}:{kind}/{identifier}",
        "name": "",
        "state": "running",
        "tags": {},
        "attributes": {},
        "created": datetime(2026, 1, 1, tzinfo=UTC),
        **changes,
    }
    return Resource(kind=kind, id=identifier, account=ACCOUNT, region=region, **given)


@dataclass(slots=True)
class StoredScan:
    """What one policy's scan leaves in the store."""

    store: Store
    policy: tuple[str, str] = ("team-a", "all")
    costs: dict[Resource, Cost] = field(default_factory=dict)

    def write(
        self,
        costs: Mapping[str, tuple[Resource, Cost]],
        recommendations: tuple[Recommendation, ...] = (),
        gaps: tuple[Gap, ...] = (),
        savings: Savings | None = None,
        exclude_tags: Mapping[str, tuple[str, ...]] | None = None,
        generation: str = "g1",
    ) -> None:
        """Write resources with their costs, the head of their shards, and the policy's head."""
        shards: dict[Shard, list[tuple[Resource, Cost]]] = {}
        for one, cost in costs.values():
            shards.setdefault(one.shard, []).append((one, cost))
        inventory, kept = InventoryStore(self.store), ResourceCostStore(self.store)
        for shard, rows in shards.items():
            inventory.add(shard, generation, 0, [one for one, _ in rows])
            kept.put(shard, {one.id: cost for one, cost in rows})
            inventory.swap(ShardHead(shard, generation, len(rows), 1, 1, (), NOW, NOW, NOW, {}))
        known = [cost.monthly for _, cost in costs.values() if cost.monthly is not None]
        groups = sum(cost.group is not None for _, cost in costs.values())
        summary = ScanSummary(
            policy="/".join(self.policy),
            start_time=NOW,
            completion_time=NOW,
            resources=len(costs),
            monthly_cost=sum(known, Decimal("0.00")),
            unpriced_resources=len(costs) - len(known) - groups,
            unknown_resources=0,
            savings=savings or Savings(),
            gaps=gaps,
            groups=groups,
        )
        stored = RecommendationStore(self.store)
        stored.add(self.policy, generation, recommendations, [])
        head = PolicyHead(
            generation,
            summary,
            tuple((shard, generation) for shard in shards),
            costs={shard: ShardCost(Decimal("0.00"), len(rows), 0) for shard, rows in shards.items()},
            exclude_tags=exclude_tags or {},
        )
        stored.swap(self.policy, head)


@dataclass(slots=True)
class People:
    """Tokens of people, and the namespaces whose policies they may read: a cluster whose rights a test takes away."""

    reads: dict[str, frozenset[str]]
    asked: int = 0

    def as_person(self, token: str) -> Connection:
        return cast("Connection", _Answers(self, token))


@dataclass(frozen=True, slots=True)
class _Answers:
    people: People
    token: str

    def username(self) -> tuple[str, tuple[str, ...]]:
        self.people.asked += 1
        if self.token not in self.people.reads:
            raise Refused("who are you?", code="Unauthorized")
        return self.token, ("system:authenticated",)

    def may(self, verb: str, resource: str, *, namespace: str = "") -> bool:
        self.people.asked += 1
        return (verb, resource) == ("get", "scanpolicies") and namespace in self.people.reads[self.token]


def _ask(connection: Connection) -> Access:
    return cast("Access", connection)


@dataclass(frozen=True, slots=True)
class Site:
    """Dashboards in front of a cluster.

    In it alice may read, vote and push in namespace team-a, bob in team-b; in team-a bob may read policies and no
    requests, carol may read everything and not vote.
    Admin may do everything everywhere. The group oidc:deciders may what alice may.
    """

    cluster: KubernetesDouble

    def client(
        self,
        store: Store,
        *,
        people: People | None = None,
        clock: FakeClock | None = None,
        keys: Keys | None = None,
        demo: bool = False,
        metrics: WebMetrics | None = None,
        issuer: TrustedIssuer | None = None,
    ) -> TestClient:
        """A client of a dashboard on `store`; it follows no redirect by itself."""
        app = self.application(store, people=people, clock=clock, keys=keys, demo=demo, metrics=metrics, issuer=issuer)
        return TestClient(app, base_url="http://localhost", follow_redirects=False)

    def application(
        self,
        store: Store,
        *,
        people: People | None = None,
        clock: FakeClock | None = None,
        keys: Keys | None = None,
        demo: bool = False,
        metrics: WebMetrics | None = None,
        issuer: TrustedIssuer | None = None,
    ) -> FastAPI:
        """A dashboard on `store`."""
        moment = clock or FakeClock(NOW)
        if people is None:
            visitors = Visitors(api_server(str(self.cluster.kubeconfig_for("bob"))), moment)
        else:
            visitors = Visitors(people, moment, cast("type[Access]", _ask))
        entrance = Entrance(
            sessions=Sessions(SESSION_KEY),
            attempts=Attempts(SESSION_KEY),
            ended=EndedSessions(store),
            issuer=Issuer(issuer, moment) if issuer is not None else None,
        )
        parts = Parts(
            store=store,
            resources=ResourceReadings(store),
            pushed=PushedReadings(store),
            verdicts=Verdicts(store, keys, moment),
            history=History(store, moment),
            visitors=visitors,
            entrance=entrance,
            clock=moment,
            demo=demo,
        )
        return make_app(parts, metrics or WebMetrics())

    def token(self, person: str = "alice") -> str:
        return self.cluster.token(person)

    def bearer(self, person: str = "alice") -> dict[str, str]:
        """The header that a program sends for a person."""
        return {"Authorization": f"Bearer {self.token(person)}"}

    @contextmanager
    def requests(self, *items: Recommendation, namespace: str = "team-a") -> Iterator[list[str]]:
        """Requests about `items` that wait for votes, as `namespace/name`; with their votes they go at the end."""
        admin = connect(str(self.cluster.kubeconfig_for("admin")))
        made = [request(item, None, namespace=namespace) for item in items]
        for one in made:
            action_requests(admin).create(one)
        try:
            yield [f"{one.metadata.namespace}/{one.metadata.name}" for one in made]
        finally:
            for one in made:
                action_requests(admin).delete(one.metadata.namespace or "", one.metadata.name)
            for vote in self.approvals(namespace):
                approvals(admin).delete(namespace, vote.metadata.name)

    def approvals(self, namespace: str) -> list[Approval]:
        """The votes of a namespace."""
        return list(approvals(connect(str(self.cluster.kubeconfig_for("admin")))).list(namespace))


@contextmanager
def running_site(directory: Path) -> Iterator[Site]:
    """Start the cluster's double with two namespaces and alice's rights in one of them."""
    rules = [
        {
            "apiGroups": ["finops.dev"],
            "resources": ["scanpolicies", "actionrequests", "budgets"],
            "verbs": ["get", "list"],
        },
        {"apiGroups": ["finops.dev"], "resources": ["approvals"], "verbs": ["get", "list", "create"]},
        {"apiGroups": ["finops.dev"], "resources": ["scanpolicies/push"], "verbs": ["create"]},
    ]
    rbac = "rbac.authorization.k8s.io"
    manifests: list[dict[str, Any]] = [
        *({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in ("team-a", "team-b")),
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "Role",
            "metadata": {"name": "decides", "namespace": "team-a"},
            "rules": rules,
        },
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "alice-decides", "namespace": "team-a"},
            "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "decides"},
            "subjects": [{"kind": "User", "name": "alice", "apiGroup": rbac}],
        },
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "Role",
            "metadata": {"name": "reads-policies", "namespace": "team-a"},
            "rules": [{"apiGroups": ["finops.dev"], "resources": ["scanpolicies"], "verbs": ["get", "list"]}],
        },
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "bob-reads", "namespace": "team-a"},
            "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "reads-policies"},
            "subjects": [{"kind": "User", "name": "bob", "apiGroup": rbac}],
        },
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "Role",
            "metadata": {"name": "reads", "namespace": "team-a"},
            "rules": [
                {
                    "apiGroups": ["finops.dev"],
                    "resources": ["scanpolicies", "actionrequests", "approvals", "budgets"],
                    "verbs": ["get", "list"],
                }
            ],
        },
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "carol-reads", "namespace": "team-a"},
            "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "reads"},
            "subjects": [{"kind": "User", "name": "carol", "apiGroup": rbac}],
        },
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "Role",
            "metadata": {"name": "decides", "namespace": "team-b"},
            "rules": rules,
        },
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "bob-decides", "namespace": "team-b"},
            "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "decides"},
            "subjects": [{"kind": "User", "name": "bob", "apiGroup": rbac}],
        },
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "deciders-of-the-issuer", "namespace": "team-a"},
            "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "decides"},
            "subjects": [{"kind": "Group", "name": "oidc:deciders", "apiGroup": rbac}],
        },
    ]
    people = (*DEFAULT_USERS, User("carol"))
    with KubernetesDouble(directory, crds=[ROOT / "crds"], manifests=manifests, users=people) as cluster:
        yield Site(cluster)
