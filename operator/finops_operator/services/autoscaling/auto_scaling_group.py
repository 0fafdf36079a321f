"""Auto Scaling groups: how large they are and may become, and what their members do together.

Loaded by the registry; walked by the discover and measure stages. AWS bills nothing for a group: its instances and
their volumes are resources of their own, so a group's own cost is zero, and `instance_ids` says whose cost belongs to
it. A group has no state in AWS but while it is deleted; ours says whether it has instances, because an empty one
publishes no metrics.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import quote

from finops.domain.focus.categories import BilledAs
from finops.domain.resource import Gap, Resource
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.console import console_page
from finops_operator.plugins.described import gap_of, parse_time, tags_of
from finops_operator.plugins.facts import attributes_of, facts_of
from finops_operator.plugins.kind import BilledPart, Listing, Members, MetricSpec, ResourceKind, Sample, States
from finops_operator.plugins.ownership import owned_by

_OPERATION: Final = "autoscaling:DescribeAutoScalingGroups"
_PAGE: Final = 100
POPULATED: Final = "active"
EMPTY: Final = "empty"
_SAMPLE_ARN: Final = (
    "arn:aws:autoscaling:us-east-1:111111111111:"
    "autoScalingGroup:930d940e-891e-4781-a11a-7b0acd480f03:autoScalingGroupName/my-group"
)


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """What is known of one group; None: AWS did not say. Names as in the reports' `attributes`.

    Attributes:
        instance_ids: its members, whose costs are its cost.
        instance_types: of its members, each once; empty text where AWS did not say one.
        weighted: whether its size counts capacity that its types bring differently, not machines.
        warm_pool: whether it keeps instances ready beside its members.
        suspended: processes that are suspended, such as `Launch`.
        operator_principal: the AWS service that manages it, empty when none does.
    """

    asg_name: str | None = None
    asg_arn: str | None = None
    min_size: int | None = None
    max_size: int | None = None
    desired_capacity: int | None = None
    current_instances: int | None = None
    instance_ids: tuple[str, ...] | None = None
    instance_types: tuple[str, ...] | None = None
    weighted: bool | None = None
    health_check_type: str | None = None
    warm_pool: bool | None = None
    suspended: tuple[str, ...] | None = None
    operator_principal: str | None = None


def _collect(reader: PageReader, _partition: str) -> Iterator[Resource | Gap]:
    """Yield groups page by page; a page that cannot be read ends the listing with a Gap."""
    try:
        for page in reader.pages(_OPERATION, {"MaxRecords": _PAGE}):
            for group in page.get("AutoScalingGroups", ()):
                yield _resource(group, reader)
    except AwsError as error:
        yield gap_of(error, reader)


def _resource(group: Mapping[str, Any], reader: PageReader) -> Resource:
    name, members = str(group["AutoScalingGroupName"]), group.get("Instances")
    facts = GroupFacts(
        asg_name=name,
        asg_arn=group.get("AutoScalingGroupARN"),
        min_size=group.get("MinSize"),
        max_size=group.get("MaxSize"),
        desired_capacity=group.get("DesiredCapacity"),
        current_instances=None if members is None else len(members),
        instance_ids=None if members is None else tuple(str(one.get("InstanceId") or "") for one in members),
        instance_types=None if members is None else tuple(sorted({str(m.get("InstanceType") or "") for m in members})),
        weighted=any(one.get("WeightedCapacity") for one in members or ()) or _by_capacity(group),
        health_check_type=group.get("HealthCheckType"),
        warm_pool=bool(group.get("WarmPoolConfiguration") or group.get("WarmPoolSize")),
        suspended=tuple(str(one.get("ProcessName") or "") for one in group.get("SuspendedProcesses") or ()),
        operator_principal=(group.get("Operator") or {}).get("Principal") or "",
    )
    return Resource(
        kind="auto-scaling-group",
        id=name,
        arn=facts.asg_arn or "",
        name=name,
        account=reader.account,
        region=reader.region,
        # AWS fills in `Status` only while it deletes the group.
        state=str(group.get("Status") or (EMPTY if members == [] else POPULATED)),
        tags=tags_of(group),
        created=parse_time(group.get("CreatedTime")),
        attributes=attributes_of(facts),
    )


def _by_capacity(group: Mapping[str, Any]) -> bool:
    policy = (group.get("MixedInstancesPolicy") or {}).get("LaunchTemplate") or {}
    weighted = any(one.get("WeightedCapacity") for one in policy.get("Overrides") or ())
    return weighted or group.get("DesiredCapacityType", "units") != "units"


def billed_parts(group: Resource) -> tuple[BilledPart, ...]:
    """Return nothing: AWS bills the members, each a resource of its own, and adding them here would count them twice.

    https://aws.amazon.com/ec2/autoscaling/pricing/
    """
    del group
    return ()


_CONSOLE: Final = console_page("ec2/home?region={region}#AutoScalingGroupDetails:id={id}")


def _console_url(resource: Resource) -> str:
    """Return the link; the name may hold any printable character."""
    return _CONSOLE(replace(resource, id=quote(resource.id, safe="")))


KIND: Final = ResourceKind(
    id="auto-scaling-group",
    title="Auto Scaling group",
    service="autoscaling",
    id_pattern=r"[^:\x00-\x1f\x7f]{1,255}",
    arn_pattern="arn:*:autoscaling:*:*:autoScalingGroup:*:autoScalingGroupName/*",
    facts=GroupFacts,
    listing=Listing(permissions=(_OPERATION, "cloudwatch:GetMetricData"), collect=_collect),
    billed_as=BilledAs("Amazon EC2 Auto Scaling", "Compute", "Virtual Machines"),
    states=States(
        running=frozenset({POPULATED}),
        stopped=frozenset({EMPTY}),
        unmeasured=frozenset({EMPTY}),
    ),
    # CloudWatch's average over all members; without a member there is no point, which is no zero.
    metrics=(
        MetricSpec(
            "groupCpuPercent",
            "AWS/EC2",
            "CPUUtilization",
            "AutoScalingGroupName",
            ("Average", "Maximum"),
            "percent",
        ),
    ),
    billed_parts=billed_parts,
    left_out=(),
    console_url=_console_url,
    sample=Sample("my-group", _SAMPLE_ARN),
    owner=owned_by(service=lambda group: facts_of(GroupFacts, group).operator_principal or None),
    members=Members("ec2-instance", lambda resource: facts_of(GroupFacts, resource).instance_ids),
)
