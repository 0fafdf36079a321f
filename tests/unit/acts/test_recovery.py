"""Acts that a dead process left are adopted with the account they were approved for, or wait until it is back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest
from tests.unit.domain.resize_world import RESOURCE

from finops.crds.aws_account import AwsAccount
from finops.crds.part import API_VERSION
from finops.domain.plan import Plan, PlanStep
from finops.k8s.kinds import KindApi
from finops.ports.act import ActRequest
from finops.ports.ledger import Ledger
from finops_operator.acts import recovery
from finops_operator.acts.journal import InFlight
from finops_operator.acts.recovery import TakingOver

PLAN = Plan("ec2_instance_stop", RESOURCE, {}, (PlanStep("stop", "ec2:StopInstances", {"InstanceIds": ["i-1"]}),), {})
LEFT = InFlight("u1", "team-a", "stop-it", "p", "production", PLAN, PLAN.hash, ("k8s.alice",), False, {})


class Accounts:
    """The AwsAccounts there are."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}

    def get(self, namespace: str, name: str) -> AwsAccount | None:
        assert namespace == ""
        return _account(name, self.known[name]) if name in self.known else None


def _account(name: str, account_id: str) -> AwsAccount:
    role = f"arn:aws:iam::{account_id}:role/finops-executor"
    spec: Mapping[str, Any] = {"accountId": account_id, "executorRoleArn": role, "allow": [{"namespaces": ["team-a"]}]}
    return AwsAccount.from_object(
        {"apiVersion": API_VERSION, "kind": "AwsAccount", "metadata": {"name": name}, "spec": dict(spec)}
    )


@pytest.fixture
def accounts() -> Accounts:
    return Accounts()


@pytest.fixture
def adopted() -> list[ActRequest]:
    return []


@pytest.fixture
def taking(accounts: Accounts, adopted: list[ActRequest], monkeypatch: pytest.MonkeyPatch) -> TakingOver:
    monkeypatch.setattr(recovery, "in_flight", lambda _ledger: (LEFT,))
    return TakingOver(cast("Ledger", object()), cast("KindApi[AwsAccount]", accounts), adopted.extend)


def test_an_act_without_its_account_waits_and_is_adopted_once_when_it_is_back(
    taking: TakingOver, accounts: Accounts, adopted: list[ActRequest]
) -> None:
    taking.from_ledger()
    taking.again()
    assert adopted == []

    accounts.known["production"] = RESOURCE.account
    taking.again()
    taking.again()
    assert [(one.uid, one.plan_hash, one.deciders) for one in adopted] == [("u1", PLAN.hash, ("k8s.alice",))]


def test_an_account_of_the_same_name_with_another_number_is_not_the_one_that_was_approved(
    taking: TakingOver, accounts: Accounts, adopted: list[ActRequest]
) -> None:
    accounts.known["production"] = "999999999999"
    taking.from_ledger()
    assert adopted == []

    accounts.known["production"] = RESOURCE.account
    taking.again()
    assert len(adopted) == 1
