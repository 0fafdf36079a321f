"""Auto Scaling groups and their verdicts, for the tests of the kind and its checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from tests.support.facts import NOW
from tests.support.judging import group_cost

from finops.domain.recommendation import Finding, NotRecommended
from finops.domain.resource import Resource
from finops.domain.utilization import Utilization
from finops_operator.plugins.check import Check, Facts, JudgeSettings
from finops_operator.plugins.facts import facts_of
from finops_operator.pricing.bundled import SOURCE
from finops_operator.services.autoscaling.auto_scaling_group import KIND

ARN = "arn:aws:autoscaling:us-east-1:111122223333:autoScalingGroup:930d940e:autoScalingGroupName/web"


class Groups:
    """A reader with pages of groups, and an error after them."""

    account, region = "111122223333", "us-east-1"

    def __init__(self, *pages: list[dict[str, Any]], error: Exception | None = None) -> None:
        self._pages = pages
        self._error = error
        self.asked: list[tuple[str, Mapping[str, Any]]] = []

    def once(
        self, operation: str, parameters: Mapping[str, Any], *, datapoints: int = 0, metrics: int = 0
    ) -> Mapping[str, Any]:
        raise AssertionError("collectors read pages")

    def pages(self, operation: str, parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        self.asked.append((operation, parameters))
        for page in self._pages:
            yield {"AutoScalingGroups": page}
        if self._error is not None:
            raise self._error


def described(instances: int = 3, **changes: Any) -> dict[str, Any]:
    """Return a group as AWS describes it, all of its sizes the same."""
    return {
        "AutoScalingGroupName": "web",
        "AutoScalingGroupARN": ARN,
        "MinSize": instances,
        "MaxSize": instances,
        "DesiredCapacity": instances,
        "Instances": [{"InstanceId": f"i-{number}", "InstanceType": "m5.large"} for number in range(instances)],
        "HealthCheckType": "EC2",
        "CreatedTime": (NOW - timedelta(days=365)).isoformat(),
        "SuspendedProcesses": [],
        "Tags": [{"Key": "team", "Value": "web", "ResourceId": "web", "PropagateAtLaunch": True}],
        **changes,
    }


def group(instances: int = 3, **changes: Any) -> Resource:
    """Return the group that is made of such a description."""
    (one,) = KIND.listing.collect(Groups([described(instances, **changes)]), "aws")
    assert isinstance(one, Resource)
    return one


def judged(
    check: Check[Any], resource: Resource, utilization: Utilization, costs: Sequence[str | None] | None = None
) -> Finding | NotRecommended:
    """Return the check's verdict at its defaults; `costs` are those of its members, None: nobody knows them."""
    cost = group_cost(KIND, resource, costs)
    facts = Facts(
        resource=resource,
        own=facts_of(KIND.facts, resource),
        utilization=utilization,
        cost=cost,
        cost_of=lambda _: cost,
        lookup=SOURCE.lookup,
        settings=JudgeSettings(),
        now=NOW,
    )
    return check.evaluate(facts, {spec.name: spec.default for spec in check.parameters})


def found(
    check: Check[Any], resource: Resource, utilization: Utilization, costs: Sequence[str | None] | None = None
) -> Finding:
    """Return the finding; a verdict against one fails the test."""
    verdict = judged(check, resource, utilization, costs)
    assert isinstance(verdict, Finding), verdict
    return verdict


def reason(check: Check[Any], resource: Resource, utilization: Utilization) -> str:
    """Return why there is no finding; a finding fails the test."""
    verdict = judged(check, resource, utilization)
    assert isinstance(verdict, NotRecommended), verdict
    return verdict.reason
