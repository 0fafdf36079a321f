"""The classic example by a real scan: `finops scan` of the AWS double, the store, `finops costs` and the API.

The sheet that dashboards before this one promised has five resources at 720 hours a month. Four of them come out to the
cent. The fifth has a price that AWS does not publish; what is published stands here with its name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from tests.support.scanning import account, policy
from tests.support.web_estate import Site

from finops.store.connection import Store
from finops_operator.cli.main import run
from finops_sandbox.aws.balancers import identity
from finops_sandbox.aws.double import AwsDouble
from finops_sandbox.aws.estate import resource_id

ACCOUNT: Final = "111111111111"
WEB: Final = resource_id("instance", ACCOUNT, "us-east-1", "web")
KINDS: Final = ("ec2-instance", "load-balancer", "auto-scaling-group", "ebs-volume", "rds-instance")
UNUSED: Final = ("ConsumedLCUs", "RequestCount", "ProcessedBytes", "ActiveConnectionCount", "NewConnectionCount")
SHEET: Final[dict[str, tuple[str, str]]] = {
    "ec2Instances": ("66.82", "29.34"),
    "loadBalancers": ("16.20", "7.11"),
    "autoScalingGroups": ("0.00", "0.00"),
    "ebsVolumes": ("7.20", "3.16"),
    "rdsInstances": ("137.52", "60.38"),
}
"""Kind → monthly cost and percentage of the sheet."""
TOTALS: Final = ("227.74", "7.59", "2732.88")
"""A month, a day, a year."""
PUBLISHED: Final = {"db.m5.large, MySQL, one zone, an hour": "0.171", "gp2 of a database, a gigabyte-month": "0.115"}
"""What AWS publishes in place of the sheet's 0.191 an hour: the hours of the class, and the storage beside them."""
STORED_GB: Final = 20
ESTATE: Final[dict[str, Any]] = {
    "accounts": {ACCOUNT: {"name": "production", "regions": ["us-east-1"]}},
    "externalId": "finops-sandbox",
    "resources": [
        {
            "account": "production",
            "region": "us-east-1",
            "instances": [
                {"name": "web", "type": "t2.large", "age": "90d", "volumes": [{"size": 90, "type": "gp3"}]},
            ],
            "databases": [{"name": "orders", "engine": "mysql", "class": "db.m5.large", "size": STORED_GB}],
            "held": [
                {"kind": "load-balancer", "name": "web"},
                {
                    "kind": "auto-scaling-group",
                    "name": "web",
                    "members": {
                        "DesiredCapacity": 1,
                        "Instances": [{"InstanceId": WEB, "LifecycleState": "InService", "HealthStatus": "Healthy"}],
                    },
                },
            ],
            "metrics": [
                {
                    "namespace": "AWS/ApplicationELB",
                    "metric": name,
                    "dimensions": {"LoadBalancer": identity("web")},
                    "value": 0,
                }
                for name in UNUSED
            ],
        }
    ],
}
Command = Callable[..., Any]


@pytest.fixture
def finops(
    valkey_url: str, store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsysbinary: Any
) -> Iterator[Command]:
    """Return what runs a command on the store of the dashboard, and gives its JSON."""
    settings = {"FINOPS_REDIS_PREFIX": store.keys.prefix, "FINOPS_DEMO": "true", "HOME": str(tmp_path)}
    with AwsDouble(ESTATE) as double:
        for name, value in {**double.environment(), **settings}.items():
            monkeypatch.setenv(name, value)

        def call(*arguments: str) -> Any:
            capsysbinary.readouterr()
            code = run((*arguments, "--redis", valkey_url, "-o", "json"))
            printed = capsysbinary.readouterr()
            assert code == 0, printed.err.decode()
            return json.loads(printed.out)

        yield call


def scanned(finops: Command, folder: Path) -> Any:
    """Scan the five kinds at 720 hours a month, and return the report."""
    month = {"hoursPerMonth": 720}
    wanted = policy("production", namespace="team-a", resources=list(KINDS), pricing=month)
    documents = [wanted.to_object(), account("production", ACCOUNT, namespaces=("team-a",)).to_object()]
    file = folder / "example.yaml"
    file.write_text(yaml.safe_dump_all(documents), encoding="utf-8")
    return finops("scan", "-f", str(file))


def as_published(name: str) -> Decimal:
    """Return what a kind of the sheet costs a month by what AWS publishes."""
    if name != "rdsInstances":
        return Decimal(SHEET[name][0])
    hour, gigabyte = (Decimal(one) for one in PUBLISHED.values())
    return 720 * hour + STORED_GB * gigabyte


def test_a_scan_of_the_classic_example_has_its_figures_but_for_one_price_that_aws_does_not_publish(
    finops: Command, store: Store, site: Site, tmp_path: Path
) -> None:
    report = scanned(finops, tmp_path)
    by_kind = {one["kind"]: one for one in finops("costs", "--by", "kind", "--policy", "team-a/all")}
    answer = site.client(store).get("/api/costing/current?hours_per_month=720", headers=site.bearer()).json()["data"]
    total = sum((as_published(name) for name in SHEET), Decimal(0))

    assert (report["gaps"], report["summary"]["unpricedResources"]) == ([], 0)
    parts = {
        (one["kind"], part["dimension"]): part["unitPrice"] for one in report["resources"] for part in one["costParts"]
    }
    assert parts["load-balancer", "hour"] == "0.0225"
    assert (parts["rds-instance", "instance_hour"], parts["rds-instance", "gb_month"]) == tuple(PUBLISHED.values())
    found = {name: (one["cost"], one["count"], one["percentage"]) for name, one in answer["breakdown"].items()}
    assert found == {
        name: (float(as_published(name)), 1, float(round(100 * as_published(name) / total, 2))) for name in SHEET
    }
    assert answer["summary"]["totalMonthlyCost"] == float(total) == float(report["summary"]["monthlyCost"])
    assert answer["summary"]["totalDailyCost"] == float(round(total / 30, 2))
    assert answer["summary"]["totalAnnualCost"] == float(12 * total)
    assert by_kind["load-balancer"]["monthlyCost"] == SHEET["loadBalancers"][0]
    assert by_kind["load-balancer"]["annualCost"] == "194.40"


def test_with_the_sheets_own_price_of_the_database_every_other_figure_of_it_follows() -> None:
    """Four kinds as the scan has them, and 0.191 an hour for the fifth, whose storage the sheet leaves out."""
    costs = {name: as_published(name) for name in SHEET} | {"rdsInstances": 720 * Decimal("0.191")}
    total = sum(costs.values(), Decimal(0))
    assert (f"{total:.2f}", f"{total / 30:.2f}", f"{12 * total:.2f}") == TOTALS
    assert {name: (f"{cost:.2f}", f"{100 * cost / total:.2f}") for name, cost in costs.items()} == SHEET
