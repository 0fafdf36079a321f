"""The acts of `make pod-kills`: waste enough for them, what each may call, and how it may end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from tests.chaos.chaos_checker import Expected
from tests.chaos.chaos_resources import members
from tests.e2e.cluster import Object
from tests.e2e.doubles import ACCOUNT, REGION

from finops.crds.action_request import ActionRequest
from finops.domain.plan import Plan
from finops_operator.plugins.loaded import plugins


class Wish(Enum):
    """What people want of a request."""

    CARRIED_OUT = "carried out"
    DENIED = "denied"
    UNDECIDED = "left with one vote of two"


@dataclass(frozen=True, slots=True)
class Share:
    """How many acts of a kind a batch has."""

    action: str
    count: int
    wish: Wish = Wish.CARRIED_OUT


BATCH: Final = (
    Share("ec2_instance_resize", 2),
    Share("ec2_instance_stop", 2),
    Share("ebs_volume_modify", 2),
    Share("ebs_volume_delete", 1),
    Share("elastic_ip_release", 1),
    Share("ec2_instance_resize", 1, Wish.DENIED),
    Share("ebs_volume_delete", 1, Wish.UNDECIDED),
)
ACTIONS: Final = tuple(sorted({share.action for share in BATCH}))
_ENDS: Final[Mapping[Wish, frozenset[str]]] = {
    # Nothing in AWS refuses them, and who is killed goes on: an act that is led back was given up without a reason.
    Wish.CARRIED_OUT: frozenset({"Succeeded"}),
    Wish.DENIED: frozenset({"Denied"}),
    Wish.UNDECIDED: frozenset({"Pending"}),
}


def estate(batches: int) -> Object:
    """Return an estate with a resource of its own for every act of that many batches."""
    needed = {action: batches * sum(one.count for one in BATCH if one.action == action) for action in ACTIONS}
    busy = {"cpu": "steady", "memory": "memory_busy", "tags": {"team": "orders"}}
    idle = {"cpu": "idle", "network": "quiet", "age": "400d", "tags": {"team": "web"}}
    oversized = {"cpu": "low", "memory": "memory_low", "age": "200d", "tags": {"team": "api"}}
    instances: list[dict[str, Any]] = [
        {"name": "oversized", "count": needed["ec2_instance_resize"], "type": "m5.2xlarge", **oversized},
        {"name": "idle", "count": needed["ec2_instance_stop"], "type": "t2.large", **idle},
        {
            "name": "old-disk",
            "count": needed["ebs_volume_modify"],
            "type": "m5.large",
            **busy,
            "volumes": [{"size": 100, "type": "gp2"}],
        },
    ]
    # What is released is gone, and a policy's share is of what is left: after half of them no more is allowed.
    addresses = 2 * needed["elastic_ip_release"] + 1
    forgotten = {"size": 200, "type": "gp3", "age": "200d", "detached": "45d", "tags": {"team": "data"}}
    return {
        "accounts": {ACCOUNT: {"name": "production", "regions": [REGION]}},
        "externalId": "finops-sandbox",
        "resources": [
            {
                "account": "production",
                "region": REGION,
                "instances": instances,
                "volumes": [{"name": "forgotten", "count": needed["ebs_volume_delete"], **forgotten}],
                "addresses": [{"name": f"left-over-{number}"} for number in range(addresses)],
            }
        ],
    }


@dataclass(frozen=True, slots=True)
class Act:
    """One request of a batch and what people want of it; `by_slack`: they click in Slack."""

    request: Object
    wish: Wish
    by_slack: bool
    expected: Expected

    @property
    def name(self) -> str:
        return self.expected.name

    @property
    def instance(self) -> str:
        """The id of the instance that it is about, empty when it is about something else."""
        return self.resource if self.request["spec"]["resource"]["kind"] == "ec2-instance" else ""

    @property
    def resource(self) -> str:
        """The id of what it is about, in AWS."""
        return str(self.request["spec"]["resource"]["id"])

    @classmethod
    def of(cls, request: Object, wish: Wish, *, by_slack: bool, before: Object) -> Act:
        """Work out what the act may do from its request and its action's own code.

        Args:
            request: what people are asked.
            wish: what they want of it.
            by_slack: whether they click in Slack.
            before: what AWS shows of the resource now.

        Raises:
            AssertionError: the action plans something else than what people are shown.
        """
        return cls(request, wish, by_slack, _expected(request, wish, before))


def _expected(request: Object, wish: Wish, before: Object) -> Expected:
    spec = ActionRequest.from_object(request).spec
    action = plugins().actions[spec.action]
    shown = spec.to_plan()
    assumed = {key: str(value) for key, value in shown.fingerprint.items()}
    plan: Plan = action.plan(shown.resource, shown.parameters, assumed)
    assert plan.hash == spec.plan_hash, f"{request['metadata']['name']} shows another plan than its action makes"
    instances = frozenset({spec.resource.id} if spec.resource.kind == "ec2-instance" else ())
    return Expected(
        uid=request["metadata"]["uid"],
        name=request["metadata"]["name"],
        plan_hash=spec.plan_hash,
        required=spec.approval.required,
        forward=tuple(step for step in plan.steps if step.changes),
        back=tuple(step for step in action.procedure.compensation(plan) if step.changes),
        ends=_ENDS[wish],
        running=instances,
        may_stop=instances if spec.action == "ec2_instance_stop" else frozenset(),
        before={spec.resource.id: members(before)},
    )
