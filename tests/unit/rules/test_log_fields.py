"""A line of the request loop and one of the executor about the same request carry the same fields."""

from __future__ import annotations

from tests.support.scan_samples import account, policy, recommendation, request

from finops.ports.act import ActRequest, Limits
from finops.ports.aws_access import Tenant
from finops_operator.rules.access import access_of
from finops_operator.rules.log_fields import act_fields, request_fields


def test_a_request_and_its_act_are_found_by_the_same_values() -> None:
    made = request(recommendation(1), None, by=policy())
    made = made.model_copy(update={"metadata": made.metadata.model_copy(update={"uid": "0f8e"})})
    act = ActRequest(
        uid="0f8e",
        name=made.metadata.name,
        tenant=Tenant(namespace=made.metadata.namespace or "", policy=made.spec.policy),
        access=access_of(account()),
        plan=made.spec.to_plan(),
        plan_hash=made.spec.plan_hash,
        deciders=(),
        limits=Limits(per_hour=1, per_day=1, percent_of_fleet=1, fleet=1),
    )
    assert request_fields(made) == act_fields(act)
    assert request_fields(made) == {
        "request": f"{made.metadata.namespace}/{made.metadata.name}/0f8e",
        "namespace": made.metadata.namespace,
        "policy": made.spec.policy,
        "account": made.spec.resource.account_id,
        "resource": made.spec.resource.id,
        "action": made.spec.action,
    }
