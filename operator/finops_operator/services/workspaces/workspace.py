"""WorkSpaces: DescribeWorkspaces, when a user connected last, and for how long users are connected by the day.

Loaded by the registry; walked by the discover and measure stages. A desktop that is always on is billed by the month,
one that stops by itself by a smaller month and the hour; the bundled tables hold no price of WorkSpaces, so that the
cost is unknown. Who uses a desktop is not kept. A stopped desktop may publish nothing, so that a missing point is
unknown. AWS does not say when a desktop was made: for as long as its metric is there it has existed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from finops.domain.focus.categories import BilledAs
from finops.domain.resource import Gap, Resource
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.commitments import NONE_SOLD
from finops_operator.plugins.console import console_page
from finops_operator.plugins.described import gap_of, moment_of
from finops_operator.plugins.facts import attributes_of
from finops_operator.plugins.kind import BilledPart, Listing, MetricSpec, ResourceKind, Sample, States
from finops_operator.plugins.limit import Limit
from finops_operator.plugins.one_by_one import OneByOne
from finops_operator.plugins.ownership import owned_by
from finops_operator.plugins.tagging import CALLS, PERMISSION, Tags, tags_by_arn
from finops_operator.plugins.unknown_state import billed_as_unknown

_LIST: Final = "workspaces:DescribeWorkspaces"
_CONNECTIONS: Final = "workspaces:DescribeWorkspacesConnectionStatus"
_PAGE: Final = 25
_GONE: Final = frozenset({"TERMINATING", "TERMINATED"})
_BEFORE: Final = "pending"
"""It is being made."""
_WORKING: Final = frozenset(
    {
        "available",
        "impaired",
        "unhealthy",
        "rebooting",
        "rebuilding",
        "restoring",
        "maintenance",
        "admin_maintenance",
        "updating",
    }
)
_STOPPED: Final = frozenset({"stopped", "stopping", "suspended"})
_BILLED: Final = _WORKING | _STOPPED | {"starting"}
AT_REST: Final = frozenset({"available", "stopped", "unhealthy", "impaired"})
"""States in which a desktop stays; the others pass."""
ALWAYS_ON: Final = "ALWAYS_ON"
CONNECTED: Final = "userConnected"


@dataclass(frozen=True, slots=True)
class WorkspaceFacts:
    """What is known of one desktop; None: AWS did not say. Names as in the reports' `attributes`.

    Attributes:
        running_mode: `ALWAYS_ON`, `AUTO_STOP` or `MANUAL`.
        auto_stop_minutes: how long after the user left it stops.
        compute_type: its bundle in AWS's word (`STANDARD`).
        connected_last: ISO time of the last connection that AWS knows of, empty where nobody ever connected.
        stands_by: whether it is the standby of a desktop in another region, or has one.
        tags_known: False when its tags could not be read: it may be protected.
    """

    running_mode: str | None = None
    auto_stop_minutes: int | None = None
    compute_type: str | None = None
    operating_system: str | None = None
    root_gib: int | None = None
    user_gib: int | None = None
    connected_last: str | None = None
    stands_by: bool | None = None
    tags_known: bool | None = None


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield desktops page by page; a page that cannot be read ends the listing with a Gap."""
    tags = yield from tags_by_arn(reader, "workspaces:workspace")
    asking = OneByOne(reader)
    try:
        for page in reader.pages(_LIST, {"Limit": _PAGE}):
            there = [one for one in page.get("Workspaces", ()) if one.get("State") not in _GONE]
            connections = _connections(asking, [str(one["WorkspaceId"]) for one in there])
            for workspace in there:
                yield _resource(workspace, connections, tags, reader, partition)
    except AwsError as error:
        yield gap_of(error, reader)
    yield from asking.gaps


def _connections(asking: OneByOne, ids: Sequence[str]) -> dict[str, str]:
    """Return id → ISO time of the last connection, empty for none ever; one that is not known is missing."""
    found: dict[str, str] = {}

    def take(page: Mapping[str, Any]) -> None:
        for one in page.get("WorkspacesConnectionStatus", ()):
            last = moment_of(one.get("LastKnownUserConnectionTimestamp"))
            found[str(one.get("WorkspaceId"))] = "" if last is None else last.isoformat()

    if ids:
        asking.each(_CONNECTIONS, {"WorkspaceIds": list(ids)}, take)
    return found


def _resource(
    workspace: Mapping[str, Any], connections: Mapping[str, str], tags: Tags | None, reader: PageReader, partition: str
) -> Resource:
    identity, properties = str(workspace["WorkspaceId"]), workspace.get("WorkspaceProperties") or {}
    arn = f"arn:{partition}:workspaces:{reader.region}:{reader.account}:workspace/{identity}"
    facts = WorkspaceFacts(
        running_mode=properties.get("RunningMode"),
        auto_stop_minutes=properties.get("RunningModeAutoStopTimeoutInMinutes"),
        compute_type=properties.get("ComputeTypeName"),
        operating_system=properties.get("OperatingSystemName"),
        root_gib=properties.get("RootVolumeSizeGib"),
        user_gib=properties.get("UserVolumeSizeGib"),
        connected_last=connections.get(identity),
        stands_by=bool(workspace.get("RelatedWorkspaces") or workspace.get("StandbyWorkspacesProperties")),
        tags_known=tags is not None,
    )
    return Resource(
        kind="workspaces-workspace",
        id=identity,
        arn=arn,
        name=str(workspace.get("WorkspaceName") or ""),
        account=reader.account,
        region=reader.region,
        state=str(workspace.get("State") or "").lower(),
        tags={} if tags is None else tags.get(arn) or {},
        attributes=attributes_of(facts),
    )


def billed_parts(workspace: Resource) -> tuple[BilledPart, ...]:
    """Return its month, and its hours where it stops by itself. https://aws.amazon.com/workspaces/pricing/ ."""
    if workspace.state == _BEFORE:
        return ()
    if workspace.state not in _BILLED:
        return billed_as_unknown("workspace_month", workspace.state)
    month = BilledPart("workspace_month", Decimal(1), None, "no price for WorkSpaces")
    if workspace.text("running_mode") == ALWAYS_ON:
        return (month,)
    return (month, BilledPart("workspace_hour", Decimal(0), None, "no price for the hours of WorkSpaces"))


def _works(workspace: Resource) -> bool:
    return workspace.state in _BILLED


KIND: Final = ResourceKind(
    id="workspaces-workspace",
    title="WorkSpace",
    service="workspaces",
    id_pattern=r"ws-[0-9a-z]{8,63}",
    arn_pattern="arn:*:workspaces:*:*:workspace/*",
    limits={
        "root_gib": Limit(2_000, "GB", "Amazon WorkSpaces administration guide, “Modify a WorkSpace”"),
        "user_gib": Limit(2_000, "GB", "Amazon WorkSpaces administration guide, “Modify a WorkSpace”"),
    },
    facts=WorkspaceFacts,
    listing=Listing(
        permissions=(_LIST, _CONNECTIONS, PERMISSION, "cloudwatch:GetMetricData"), collect=_collect, calls=CALLS
    ),
    billed_as=BilledAs("Amazon WorkSpaces", "Compute", "End User Computing"),
    states=States(running=_WORKING, stopped=_STOPPED, billed=_BILLED, free=frozenset({_BEFORE})),
    metrics=(
        MetricSpec(
            CONNECTED,
            "AWS/WorkSpaces",
            "UserConnected",
            "WorkspaceId",
            ("Average", "Maximum"),
            "users",
            hourly=False,
            daily=True,
            applies=_works,
        ),
    ),
    billed_parts=billed_parts,
    left_out=("further_storage_gb_month",),
    console_url=console_page("workspaces/v2/workspaces/{id}?region={region}"),
    sample=Sample("ws-0123456789", "arn:aws:workspaces:us-east-1:111111111111:workspace/ws-0123456789"),
    owner=owned_by(),
    type_of=lambda resource: resource.text("compute_type"),
    commitments=NONE_SOLD,
)
