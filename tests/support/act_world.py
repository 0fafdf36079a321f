"""What the act tests share: an executor on real parts, a clock that runs fast, a request that was voted on.

Used by the tests of this folder and by the process that they kill.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.ledger_keys import KEYS

from finops.domain.audit import Entry, RecordKind
from finops.domain.canonical import Json
from finops.domain.decision import State
from finops.domain.execution import Stop
from finops.domain.recommendation import ResourceRef
from finops.errors import FenceLost
from finops.ledger.durable import DurableLedger, open_ledger
from finops.ports.act import ActProgress, ActRequest, Limits
from finops.ports.aws_access import AccountAccess, Tenant
from finops.ports.aws_steps import ExecutorSessions
from finops.store.caps import StoredCaps
from finops.store.connection import open_ledger_connection, open_store
from finops.store.realized import StoredSavings
from finops_operator.acts.executor import Executor
from finops_operator.acts.progress import ActSettings
from finops_operator.aws.clients import AwsReaders
from finops_operator.aws.counting import CallCounter
from finops_operator.aws.executor import StsExecutorSessions
from finops_operator.aws.limiter import LocalRateLimits
from finops_operator.aws.reader import CallPacing
from finops_operator.aws.session import SdkSessions, read_config
from finops_operator.plugins.action import Action, Target
from finops_operator.services.autoscaling.actions.auto_scaling_group_resize import ACTION as RESIZE_GROUP
from finops_operator.services.awslambda.actions.lambda_function_set_memory import ACTION as SET_MEMORY
from finops_operator.services.dynamodb.actions.dynamodb_table_set_mode import ACTION as SET_MODE
from finops_operator.services.ec2.actions.ebs_snapshot_delete import ACTION as DELETE_SNAPSHOT
from finops_operator.services.ec2.actions.ebs_volume_delete import ACTION as DELETE
from finops_operator.services.ec2.actions.ebs_volume_detach_delete import ACTION as DETACH
from finops_operator.services.ec2.actions.ebs_volume_modify import ACTION as MODIFY
from finops_operator.services.ec2.actions.ec2_instance_resize import ACTION as RESIZE
from finops_operator.services.ec2.actions.ec2_instance_start import ACTION as START
from finops_operator.services.ec2.actions.ec2_instance_stop import ACTION as STOP
from finops_operator.services.ec2.actions.elastic_ip_release import ACTION as RELEASE
from finops_operator.services.ec2.actions.image_deregister import ACTION as DEREGISTER
from finops_operator.services.ec2.actions.nat_gateway_delete import ACTION as DELETE_GATEWAY
from finops_operator.services.ecs.actions.ecs_service_set_desired_count import ACTION as SET_COUNT
from finops_operator.services.eks.actions.eks_nodegroup_resize import ACTION as RESIZE_NODES
from finops_operator.services.elasticache.actions.elasticache_cluster_delete import ACTION as DELETE_CACHE
from finops_operator.services.elasticache.actions.elasticache_replication_group_delete import (
    ACTION as DELETE_CACHE_GROUP,
)
from finops_operator.services.elasticloadbalancing.actions.load_balancer_delete import ACTION as DELETE_BALANCER
from finops_operator.services.logs.actions.log_group_set_retention import ACTION as SET_RETENTION
from finops_operator.services.opensearch.actions.opensearch_domain_delete import ACTION as DELETE_DOMAIN
from finops_operator.services.rds.actions.rds_cluster_start import ACTION as START_CLUSTER
from finops_operator.services.rds.actions.rds_cluster_stop import ACTION as STOP_CLUSTER
from finops_operator.services.rds.actions.rds_instance_delete import ACTION as DELETE_DATABASE
from finops_operator.services.rds.actions.rds_instance_resize import ACTION as RESIZE_DATABASE
from finops_operator.services.rds.actions.rds_instance_start import ACTION as START_DATABASE
from finops_operator.services.rds.actions.rds_instance_stop import ACTION as STOP_DATABASE
from finops_operator.services.rds.actions.rds_snapshot_delete import ACTION as DELETE_DATABASE_SNAPSHOT
from finops_operator.services.s3.actions.s3_bucket_set_lifecycle import ACTION as SET_LIFECYCLE
from finops_sandbox.aws.node_groups import node_group_arn
from finops_sandbox.aws.scaling_groups import group_arn

ACCOUNT = "111111111111"
REGION = "us-east-1"
_OF_EC2 = (STOP, START, RESIZE, MODIFY, DELETE, DETACH, DELETE_SNAPSHOT, RELEASE, DELETE_GATEWAY, DEREGISTER)
_BEYOND_EC2 = (SET_RETENTION, STOP_DATABASE, DELETE_DATABASE_SNAPSHOT, SET_MODE, SET_COUNT, SET_MEMORY, SET_LIFECYCLE)
_DELETIONS = (DELETE_BALANCER, DELETE_CACHE, DELETE_CACHE_GROUP, DELETE_DATABASE, DELETE_DOMAIN)
_SIZES = (RESIZE_GROUP, RESIZE_NODES, RESIZE_DATABASE)
_PAUSES = (START_DATABASE, STOP_CLUSTER, START_CLUSTER)
_ALL = (*_OF_EC2, *_BEYOND_EC2, *_DELETIONS, *_SIZES, *_PAUSES)
ACTIONS: dict[str, Action] = {action.id: action for action in _ALL}
LONGEST_NAME = "/aws/lambda/" + "n" * 500
TENANT = Tenant(namespace="team-a", policy="savings")
ACCESS = AccountAccess(
    name="production",
    account_id=ACCOUNT,
    scanner_role_arn=f"arn:aws:iam::{ACCOUNT}:role/finops-scanner",
    executor_role_arn=f"arn:aws:iam::{ACCOUNT}:role/finops-executor",
    external_id="finops-sandbox",
)
LIMITS = Limits(per_hour=100, per_day=100, percent_of_fleet=100, fleet=100)
_NO_DISTRIBUTION = {"Marker": "", "MaxItems": 100, "IsTruncated": False, "Quantity": 0}


def _unused(cache: str, metric: str) -> dict[str, Any]:
    of_cache = {"CacheClusterId": cache}
    return {"namespace": "AWS/ElastiCache", "metric": metric, "dimensions": of_cache, "value": 0}


def _of_domain(domain: str, metric: str, value: int) -> dict[str, Any]:
    of_domain = {"ClientId": ACCOUNT, "DomainName": domain}
    return {"namespace": "AWS/ES", "metric": metric, "dimensions": of_domain, "value": value}


def _tagged(arn: str, key: str, value: str) -> dict[str, Any]:
    """Return what the tagging API says of a resource that the double holds itself."""
    listed = [{"ResourceARN": arn, "Tags": [{"Key": key, "Value": value}]}]
    operation = "resourcegroupstaggingapi:GetResources"
    return {"operation": operation, "when": {"ResourceARNList": [arn]}, "answer": {"ResourceTagMappingList": listed}}


_DOMAIN_ARN = f"arn:aws:es:{REGION}:{ACCOUNT}:domain/search-of-last-year"

ESTATE: dict[str, Any] = {
    "accounts": {ACCOUNT: {"name": "production", "regions": [REGION]}},
    "externalId": "finops-sandbox",
    "resources": [
        {
            "account": "production",
            "region": REGION,
            "instances": [
                {"name": "web", "type": "m5.xlarge", "tags": {"team": "web"}},
                {
                    "name": "parked",
                    "type": "t3.large",
                    "state": "stopped",
                    "volumes": [{}, {"size": 40, "deleteOnTermination": False, "tags": {"team": "data"}}],
                },
            ],
            "volumes": [
                {"name": "old-data", "size": 50, "type": "gp2", "detached": "60d", "tags": {"team": "data"}},
            ],
            "snapshots": [{"name": "of-gone-volume", "volume": "gone", "age": "200d", "tags": {"team": "data"}}],
            "addresses": [{"name": "left-over", "tags": {"team": "web"}}],
            "images": [{"name": "golden", "tags": {"team": "web"}}],
            "natGateways": [{"name": "unused", "tags": {"team": "web"}}],
            "logGroups": [
                {"name": "application", "tags": {"team": "web"}},
                {"name": "application-archive"},
                {"name": LONGEST_NAME},
                {"name": "audit-trail", "retention": 365},
            ],
            "databases": [
                {"name": "reports", "tags": {"team": "data"}},
                {"name": "yearly", "state": "stopped", "tags": {"team": "data"}},
            ],
            "databaseClusters": [
                {"name": "shop", "tags": {"team": "data"}},
                {"name": "shop-of-last-year", "state": "stopped", "members": 1},
            ],
            "tables": [{"name": "orders", "read": 100, "write": 50, "indexes": {"by-date": [5, 5]}}],
            "databaseSnapshots": [{"name": "before-upgrade", "database": "reports", "tags": {"team": "data"}}],
            "buckets": [
                {
                    "name": "finops-tests-media",
                    "rules": [
                        {
                            "ID": "old logs",
                            "Status": "Enabled",
                            "Filter": {"Prefix": "logs/"},
                            "Expiration": {"Days": "30"},
                        }
                    ],
                    "tags": {"team": "web"},
                },
                {"name": "finops-tests-empty"},
            ],
            "services": [{"name": "web", "desired": 2, "tags": {"team": "web"}}],
            "functions": [{"name": "thumbnails", "tags": {"team": "web"}}],
            "metrics": [
                *(
                    _unused(cache, name)
                    for cache in ("sessions", "carts-001", "carts-002")
                    for name in ("GetTypeCmds", "SetTypeCmds", "PubSubBasedCmds")
                ),
                *(_of_domain("search-of-last-year", name, 0) for name in ("SearchRate", "IndexingRate")),
                _of_domain("search-of-last-year", "SearchableDocuments", 12),
            ],
            "held": [
                {"kind": "load-balancer", "name": "left-behind", "members": {"tags": {"team": "web"}}},
                {"kind": "auto-scaling-group", "name": "workers", "members": {"tags": {"team": "web"}}},
                {"kind": "auto-scaling-group", "name": "eks-nodes"},
                {"kind": "elasticache-cluster", "name": "sessions"},
                {
                    "kind": "elasticache-group",
                    "name": "carts",
                    "members": {"MemberClusters": ["carts-001", "carts-002"]},
                },
                {"kind": "elasticache-cluster", "name": "carts-001", "members": {"ReplicationGroupId": "carts"}},
                {"kind": "elasticache-cluster", "name": "carts-002", "members": {"ReplicationGroupId": "carts"}},
                {"kind": "opensearch-domain", "name": "search-of-last-year"},
                {"kind": "eks-nodegroup", "name": "main/nodes", "members": {"tags": {"eks:cluster-name": "main"}}},
            ],
            "answers": [
                {"operation": "cloudfront:ListDistributions", "answer": {"DistributionList": _NO_DISTRIBUTION}},
                _tagged(_DOMAIN_ARN, "finops.dev/manual-snapshot", "backups/last-year"),
            ],
        }
    ],
}
SPEED = 200.0
_SETTINGS = ActSettings(longest_gap_seconds=3000.0)
"""On a clock that runs fast each observation takes long; a busy machine must not make gaps of its own."""


@dataclass(frozen=True, slots=True)
class FastClock:
    """A clock on which a real second lasts `speed` seconds, the same in every process that has the same base."""

    base: float
    speed: float = SPEED

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.base + (time.time() - self.base) * self.speed, UTC)

    def monotonic(self) -> float:
        return time.monotonic() * self.speed

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / self.speed)


@dataclass(slots=True)
class FakeLease:
    """A lease that the test holds, shortens and takes away."""

    fence: int = 1
    remaining_seconds: float = 30.0
    lost: bool = False

    def check(self) -> None:
        if self.lost:
            raise FenceLost("the lease is held by somebody else")


@dataclass(slots=True)
class FakeGate:
    """Answers what the test says; counts the fresh questions."""

    stop: Stop | None = None
    asked: int = 0

    def may_start(self, request: ActRequest) -> Stop | None:
        return None

    def still_allowed(self, request: ActRequest) -> Stop | None:
        self.asked += 1
        return self.stop

    def may_call(self, request: ActRequest) -> Stop | None:
        return None

    def goes_alone(self, request: ActRequest) -> bool:
        return False


@dataclass(slots=True)
class StatusBoard:
    """Keeps what was reported, and can fail."""

    reports: list[ActProgress] = field(default_factory=list)
    failure: Callable[[], None] | None = None

    def report(self, request: ActRequest, progress: ActProgress) -> None:
        if self.failure is not None:
            self.failure()
        self.reports.append(progress)

    @property
    def states(self) -> list[State]:
        """States in the order shown, repeats left out."""
        found: list[State] = []
        for report in self.reports:
            if not found or found[-1] is not report.state:
                found.append(report.state)
        return found


def no_passage(name: str) -> None:
    """Pass every boundary."""


def make_sessions(clock: FastClock, sdk: SdkSessions | None = None) -> ExecutorSessions:
    """Real STS sessions and readers; where they go is in the environment."""
    counter = CallCounter()
    sdk = sdk or warm_sdk()
    readers = AwsReaders(sdk, CallPacing(LocalRateLimits(), clock), process_counter=counter)
    return StsExecutorSessions(sdk, readers, clock)


def warm_sdk() -> SdkSessions:
    """Return SDK sessions that have read their data files, so that forks of this process need not; nothing is sent."""
    return _warm(os.environ["AWS_ENDPOINT_URL"])


@cache
def _warm(_endpoint: str) -> SdkSessions:
    sdk = SdkSessions(CallCounter())
    for service in (
        *("application-autoscaling", "autoscaling", "dynamodb", "ec2", "ecs", "eks", "elasticache", "lambda"),
        *("cloudwatch", "elb", "elbv2", "service-quotas"),
        *("cloudfront", "globalaccelerator", "opensearch"),
        *("logs", "rbin", "rds", "resourcegroupstaggingapi", "s3", "sts"),
    ):
        sdk.client(sdk.base, service, REGION, read_config(timeout_seconds=10)).close()
    return sdk


@dataclass(slots=True)
class World:
    """One executor with all it needs."""

    redis_url: str
    prefix: str
    ledger_path: Path
    clock: FastClock
    passage: Callable[[str], None] = no_passage
    lease: FakeLease = field(default_factory=FakeLease)
    gate: FakeGate = field(default_factory=FakeGate)
    status: StatusBoard = field(default_factory=StatusBoard)
    settings: ActSettings = _SETTINGS
    sessions: ExecutorSessions | None = None

    def ledger(self) -> DurableLedger:
        """Open and start the ledger on both sinks."""
        ledger = open_ledger(
            open_ledger_connection(self.redis_url, prefix=self.prefix),
            self.ledger_path,
            keys=KEYS,
            clock=self.clock,
            fence=lambda: self.lease.fence,
            passage=self.passage,
        )
        ledger.start()
        return ledger

    def executor(self, ledger: DurableLedger) -> Executor:
        store = open_store(self.redis_url, prefix=self.prefix)
        return Executor(
            actions=ACTIONS,
            sessions=self.sessions or make_sessions(self.clock),
            ledger=ledger,
            gate=self.gate,
            lease=self.lease,
            status=self.status,
            caps=StoredCaps(store),
            savings=StoredSavings(store),
            clock=self.clock,
            settings=self.settings,
            passage=self.passage,
        )


def propose(
    sessions: ExecutorSessions,
    action: Action,
    resource: ResourceRef,
    parameters: dict[str, Json],
    *,
    uid: str,
    dry_run: bool = False,
) -> ActRequest:
    """Read the resource, check that nothing forbids the act, and make the request people would vote on."""
    reader = sessions.reader(ACCESS, REGION, tenant=TENANT)
    observation = action.observe(reader, Target(resource, parameters))
    plan = action.plan(resource, parameters, observation.fingerprint)
    return ActRequest(
        uid=uid,
        name=f"savings-{uid}",
        tenant=TENANT,
        access=ACCESS,
        plan=plan,
        plan_hash=plan.hash,
        deciders=("slack.U0123", "k8s.alice"),
        dry_run=dry_run,
        estimate={
            "currentMonthlyCost": "140.16",
            "newMonthlyCost": "70.08",
            "monthlySavings": "70.08",
            "currency": "USD",
        },
        limits=LIMITS,
    )


def vote(ledger: DurableLedger, request: ActRequest, clock: FastClock) -> None:
    """Record what the decide stage records: proposal, votes, decision."""

    def record(name: str, kind: RecordKind, actor: str, result: str, detail: dict[str, Json], about: str = "") -> None:
        ledger.append(
            Entry(
                operation_id=f"{request.uid}:{name}",
                actor=actor,
                kind=kind,
                request=about or request.ledger_name,
                plan_hash=request.plan_hash,
                result=result,
                detail=detail,
            )
        )

    spec: dict[str, Json] = {"specHash": "5" * 64}
    name = request.ledger_name.removesuffix(request.uid)
    record("intended", RecordKind.PROPOSED, "operator", "intent", {**spec, "dryRun": False}, name)
    record("proposed", RecordKind.PROPOSED, "operator", "created", spec)
    for handle in request.deciders:
        record(f"voted:{handle}", RecordKind.VOTED, handle, "counted", {"choice": "Approve"})
    expiry = (clock.now() + timedelta(hours=72)).isoformat()
    record(
        "decided",
        RecordKind.DECIDED,
        "operator",
        "Approved",
        {"required": len(request.deciders), "mapped": list(request.deciders), "expiresAt": expiry},
    )


_ARNS = {
    "ec2-instance": "ec2:{}:instance/{}",
    "ebs-volume": "ec2:{}:volume/{}",
    "ebs-snapshot": "ec2:{}:snapshot/{}",
    "nat-gateway": "ec2:{}:natgateway/{}",
    "ami": "ec2:{}:image/{}",
    "elastic-ip": "ec2:{}:elastic-ip/{}",
    "log-group": "logs:{}:log-group:{}",
    "rds-instance": "rds:{}:db:{}",
    "rds-cluster": "rds:{}:cluster:{}",
    "dynamodb-table": "dynamodb:{}:table/{}",
    "ecs-service": "ecs:{}:service/{}",
    "rds-snapshot": "rds:{}:{}",
    "s3-bucket": "s3:::{1}",
    "lambda-function": "lambda:{}:function:{}",
    "elasticache-cluster": "elasticache:{}:cluster:{}",
    "elasticache-replication-group": "elasticache:{}:replicationgroup:{}",
    "opensearch-domain": "es:{}:domain/{}",
    "load-balancer": "elasticloadbalancing:{}:loadbalancer/{}",
}


def reference(kind: str, identifier: str) -> ResourceRef:
    if kind == "eks-nodegroup":
        arn = node_group_arn(ACCOUNT, REGION, identifier)
        return ResourceRef(kind, arn.partition(":nodegroup/")[2], arn, ACCOUNT, REGION)
    if kind == "auto-scaling-group":
        return ResourceRef(kind, identifier, group_arn(ACCOUNT, REGION, identifier), ACCOUNT, REGION)
    # AWS names snapshots and images without their account.
    owner = "" if kind in ("ebs-snapshot", "ami") else ACCOUNT
    arn = _ARNS[kind].format(f"{REGION}:{owner}", identifier)
    return ResourceRef(kind=kind, id=identifier, arn=f"arn:aws:{arn}", account=ACCOUNT, region=REGION)
