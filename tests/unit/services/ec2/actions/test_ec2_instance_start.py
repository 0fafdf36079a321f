"""ec2_instance_start: what speaks against it, what it calls, and when it has succeeded."""

from __future__ import annotations

from typing import Any, Final

import pytest
from tests.support.act_reading import granted
from tests.support.action_cases import INSTANCE, instance, instance_with

from finops.domain.execution import Observation
from finops_operator.plugins.action import PolicyFacts
from finops_operator.services.ec2.actions.ec2_instance_start import ACTION

_NO_FACTS: Final = PolicyFacts()
_ASSUMED: Final = {"state": "stopped", "launchTime": "t0"}
_SMALL_QUOTA: Final[dict[str, Any]] = {"quota/limit": 2, "quota/used": 0}


def codes(seen: Observation, facts: PolicyFacts = _NO_FACTS) -> list[str]:
    return [refusal.code for refusal in ACTION.preflight(seen, {}, facts)]


def stopped(**changes: Any) -> Observation:
    return instance_with({"state": "stopped", **changes})


def test_nothing_speaks_against_a_stopped_instance_that_nobody_protects() -> None:
    assert codes(stopped()) == []
    assert codes(stopped(tags={"DoNotStop": "true"})) == [], "what forbids a stop forbids no start"
    assert codes(stopped(tags={"aws:cloudformation:stack-name": "shop"})) == [], "a template says nothing of it"


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (Observation(exists=False), "NotFound"),
        (instance(), "NotStopped"),
        (stopped(tags={"finops.dev/protected": "true"}), "Protected"),
        (stopped(tags={"aws:autoscaling:groupName": "workers"}), "OwnedByController"),
        (stopped(**{"instance/Operator": {"Managed": True}}), "ManagedInstance"),
        (stopped(**_SMALL_QUOTA), "QuotaTooSmall"),
        (stopped(keyStates={"arn:aws:kms:us-east-1:1:key/1": "Disabled"}), "KmsKeyUnusable"),
    ],
)
def test_every_reason_against_it_has_its_rule(seen: Observation, code: str) -> None:
    assert codes(seen) == [code]


def test_what_the_policy_protects_is_refused() -> None:
    assert codes(stopped(), PolicyFacts({"team": ("web",)})) == ["Protected"]


def test_it_makes_one_call_on_the_instance_alone_and_waits_for_its_checks() -> None:
    plan = ACTION.plan(INSTANCE, {}, _ASSUMED)
    start, wait = plan.steps
    assert (start.operation, start.parameters) == ("ec2:StartInstances", {"InstanceIds": ["i-1"]})
    assert not wait.changes
    assert ACTION.procedure.compensation(plan) == ()
    assert list(granted(ACTION, plan)) == [("ec2:StartInstances", "ec2:StartInstances", INSTANCE.arn)]


def test_it_has_succeeded_when_it_runs_and_its_checks_pass_and_failed_when_it_falls_back() -> None:
    plan, rules = ACTION.plan(INSTANCE, {}, _ASSUMED), ACTION.procedure
    assert rules.verified(plan, instance())
    assert not rules.verified(plan, instance(checks="initializing"))
    assert rules.restored(plan, stopped())
    failed = rules.steps["wait_healthy"].failed
    assert failed is not None
    assert failed(plan, stopped())


def test_people_are_warned_of_cost_and_address() -> None:
    cost, address = ACTION.warnings(stopped(), {})
    assert "costs as much as before" in cost
    assert "Elastic IP" in address
    assert ACTION.words(stopped(), {}, ACTION.plan(INSTANCE, {}, _ASSUMED)).verb == "Start"
