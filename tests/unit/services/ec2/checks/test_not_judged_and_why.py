"""Instances that nobody may size or stop by their figures: each check that would says why it does not judge them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.support.facts import FIVE_MINUTES, busy, facts_of, flat, instance

from finops.domain.recommendation import NotRecommended
from finops.domain.resource import Resource
from finops.domain.utilization import Utilization
from finops_operator.plugins.check import Check, Pictures, Settled
from finops_operator.pricing.instance_types import bundled_catalog
from finops_operator.services.ec2.checks.ec2_instance_graviton import CHECK as GRAVITON
from finops_operator.services.ec2.checks.ec2_instance_idle import CHECK as IDLE
from finops_operator.services.ec2.checks.ec2_instance_off_hours import CHECK as OFF_HOURS
from finops_operator.services.ec2.checks.ec2_instance_overprovisioned import CHECK as OVERPROVISIONED
from finops_operator.services.ec2.checks.ec2_instance_previous_generation import CHECK as PREVIOUS
from finops_operator.services.ec2.checks.ec2_instance_underprovisioned import CHECK as UNDERPROVISIONED

OFFERED = frozenset(kind.name for kind in bundled_catalog())
HOST = "it runs on a dedicated host, which is billed whatever runs on it"
SERVICES = [
    ({"tags": {"AWSElasticDisasterRecoveryManaged": "drs.amazonaws.com"}}, "Elastic Disaster Recovery runs it"),
    ({"tags": {"AWSApplicationMigrationServiceManaged": "mgn"}}, "Application Migration Service runs it"),
    ({"tags": {"aws:cloud9:environment": "a"}}, "AWS Cloud9 runs it"),
    (
        {"tags": {"aws:cloudformation:stack-name": "SC-1", "aws:servicecatalog:productArn": "p"}},
        "Service Catalog runs it",
    ),
    (
        {"operator_managed": True, "operator_principal": "workspaces-instances.amazonaws.com"},
        "WorkSpaces runs it",
    ),
]


def idle(**changes: Any) -> Resource:
    """Return an instance of a previous generation that has done nothing, on x86 and without anything special."""
    return instance(**{"instance_type": "m4.2xlarge", **changes})


def seen() -> Utilization:
    fine = busy(flat(1, period=FIVE_MINUTES), memoryPercent=flat(5, period=FIVE_MINUTES))
    hours = {"cpuPercent": flat(1), "networkInBytes": flat(1000), "networkOutBytes": flat(1000)}
    volumes = {name.replace("ebs", "volume", 1): one for name, one in fine.fine.items()}
    return replace(fine, metrics=hours, fine=volumes)


def why(check: Check[Any], resource: Resource) -> str:
    facts = facts_of(resource, seen(), offered_types=OFFERED)
    found = check.evaluate(facts, {spec.name: spec.default for spec in check.parameters})
    return found.reason if isinstance(found, NotRecommended) else ""


@pytest.mark.parametrize("check", [IDLE, OVERPROVISIONED, GRAVITON, PREVIOUS], ids=lambda check: check.id)
def test_an_instance_with_nothing_special_is_judged(check: Check[Any]) -> None:
    kind = "m5.2xlarge" if check is GRAVITON else "m4.2xlarge"
    assert why(check, idle(instance_type=kind)) == ""


@pytest.mark.parametrize(
    "check", [IDLE, OFF_HOURS, OVERPROVISIONED, UNDERPROVISIONED, GRAVITON, PREVIOUS], ids=lambda check: check.id
)
@pytest.mark.parametrize(("changes", "reason"), SERVICES, ids=[reason for _, reason in SERVICES])
def test_what_another_service_runs_is_not_judged(check: Check[Any], changes: dict[str, Any], reason: str) -> None:
    assert why(check, idle(**changes)).startswith(reason)


@pytest.mark.parametrize("check", [IDLE, OFF_HOURS], ids=lambda check: check.id)
def test_on_a_dedicated_host_no_stop_saves_anything(check: Check[Any]) -> None:
    assert why(check, idle(tenancy="host")) == HOST


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"tenancy": "host"}, "it does not run on shared hardware"),
        ({"tenancy": "dedicated"}, "it does not run on shared hardware"),
        ({"marketplace": True}, "its image is from the Marketplace, whose terms may fix the type"),
        ({"availability_zone": "us-west-2-lax-1a"}, "it is in a Local or Wavelength Zone, which has types and prices"),
        ({"availability_zone": "us-east-1-wl1-bos-wlz-1"}, "it is in a Local or Wavelength Zone, which has types"),
        ({"usage_operation": "RunInstances:0800"}, "its licence is the account's own and may be counted by cores"),
    ],
)
def test_marketplace_hosts_zones_of_their_own_and_licences_that_follow_cores_keep_their_type(
    changes: dict[str, Any], reason: str
) -> None:
    for check in (OVERPROVISIONED, UNDERPROVISIONED):
        assert why(check, idle(**changes)).startswith(reason), check.id
    for check in (GRAVITON, PREVIOUS):
        kind = "m5.2xlarge" if check is GRAVITON else "m4.2xlarge"
        assert why(check, idle(instance_type=kind, **changes)), check.id


@pytest.mark.parametrize("check", [IDLE, OVERPROVISIONED], ids=lambda check: check.id)
def test_what_is_not_judged_is_settled_by_its_days(check: Check[Any]) -> None:
    """Nothing finer is paid for where no figure could change the answer."""
    facts = facts_of(idle(tags={"aws:cloud9:environment": "a"}), seen(), offered_types=OFFERED)
    parameters = {spec.name: spec.default for spec in check.parameters}
    assert check.settled_by_days(Pictures(facts, facts, facts), parameters) is Settled.BY_DAYS
    assert not check.wants_fine(facts, parameters)
