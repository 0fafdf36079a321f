"""Budgets are judged and anomalies announced by the operator as it runs, and not by its parts alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from tests.support.notices import announced
from tests.support.operator_estate import ACCOUNT, REGION, Obj
from tests.support.operator_rig import Rig, eventually, running_rig

from finops.crds.budget import Budget
from finops.crds.part import API_VERSION
from finops.domain.notice import Notice
from finops.domain.report import ShardCost
from finops.domain.resource import Shard
from finops.k8s.connection import connect
from finops.k8s.kinds import budgets
from finops.store.connection import open_store
from finops.store.cost_history import CostHistoryStore

KINDS = ("ScanPolicy", "AwsAccount", "ActionRequest", "Approval")


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with running_rig(tmp_path_factory.mktemp("budgets"), start=False) as rig:
        remember_a_dear_yesterday(rig)
        rig.start()
        yield rig


def remember_a_dear_yesterday(rig: Rig) -> None:
    """Keep 59 days of 100 US dollars and one of 400 as scans would have left them."""
    store, today = open_store(rig.valkey.url), datetime.now(UTC).date()
    history = CostHistoryStore(store)
    for ago in range(1, 61):
        monthly = Decimal(400 if ago == 1 else 100) * 730 / 24
        history.put(today - timedelta(days=ago), {Shard(ACCOUNT, REGION, "ec2-instance"): ShardCost(monthly, 2)})
    store.client.close()


def notices(rig: Rig, kind: str) -> list[Notice]:
    store = open_store(rig.valkey.url)
    try:
        return [one for one in announced(store) if one.type == kind]
    finally:
        store.client.close()


def budget_status(rig: Rig, namespace: str) -> Obj:
    (found,) = [one for one in rig.k8s.objects("budgets.finops.dev") if one["metadata"]["namespace"] == namespace]
    return dict(found.get("status") or {})


def unread(rig: Rig) -> dict[str, float]:
    """Return kind → watched namespaces that were not read, as the metrics say."""
    lines = [line for line in rig.http("/metrics")[1].splitlines() if line.startswith("finops_unread_namespaces{")]
    return {line.split('"')[1]: float(line.rsplit(" ", 1)[1]) for line in lines}


def test_a_budget_gets_its_status_and_an_anomaly_is_announced_each_once_though_it_restarts(rig: Rig) -> None:
    case = rig.case()
    document = {
        "apiVersion": API_VERSION,
        "kind": "Budget",
        "metadata": {"name": "tight", "namespace": case.name},
        "spec": {"amount": "1", "alerts": {"actualPercent": [100], "forecastPercent": []}},
    }
    budgets(connect(str(rig.k8s.kubeconfig), "admin")).create(Budget.from_object(document))
    # With a selector the days that were kept of the whole shard would be unknown.
    case.apply(selector={"excludeTags": {}})

    eventually(lambda: budget_status(rig, case.name).get("state") == "Exceeded", 120, rig.tail())
    eventually(lambda: notices(rig, "anomaly.found"), 120, rig.tail())
    rig.restart()
    eventually(lambda: len(unread(rig)) == len(KINDS), 120, rig.tail())
    case.scan_now("again")
    eventually(lambda: rig.http("/readyz")[0] == 200, 120, rig.tail())

    (alert,) = notices(rig, "budget.alert")
    assert (alert.namespace, alert.subject, alert.data["percent"]) == (case.name, "Budget/tight", 100)
    (dear,) = notices(rig, "anomaly.found")
    assert (dear.namespace, dear.data["cost"]) == (case.name, "400.00")


def test_nothing_is_unread_once_the_operator_has_started(rig: Rig) -> None:
    eventually(lambda: unread(rig) == dict.fromkeys(KINDS, 0.0), 120)
