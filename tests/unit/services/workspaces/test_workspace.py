"""Desktops as collected: last connections in pages of 25, nobody's name, errors as gaps, and a cost no table knows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import botocore.session
from botocore.validate import ParamValidator
from tests.support.judging import Pages
from tests.unit.services.workspaces.desktops import ARN, DESKTOPS, ID, desktop

from finops.domain.resource import Gap, Resource
from finops.errors import AwsDenied, AwsThrottled
from finops_operator.plugins.facts import facts_of
from finops_operator.services.workspaces.workspace import KIND, WorkspaceFacts

MODEL = botocore.session.get_session().get_service_model("workspaces")
LIST, STATUS = "workspaces:DescribeWorkspaces", "workspaces:DescribeWorkspacesConnectionStatus"
TAGS = "resourcegroupstaggingapi:GetResources"
DENIED = "AccessDeniedException"


def listed(**changes: Any) -> dict[str, Any]:
    return {
        "WorkspaceId": ID,
        "UserName": "jane.doe",
        "State": "AVAILABLE",
        "WorkspaceProperties": {
            "RunningMode": "AUTO_STOP",
            "RunningModeAutoStopTimeoutInMinutes": 60,
            "ComputeTypeName": "STANDARD",
            "RootVolumeSizeGib": 80,
            "UserVolumeSizeGib": 50,
        },
        **changes,
    }


def reader(*workspaces: dict[str, Any], **answers: Any) -> Pages:
    status = [{"WorkspaceId": ID, "LastKnownUserConnectionTimestamp": "2026-02-01T00:00:00Z"}]
    standard = {
        LIST: [{"Workspaces": list(workspaces)}],
        STATUS: [{"WorkspacesConnectionStatus": status}],
        TAGS: [{"ResourceTagMappingList": [{"ResourceARN": ARN, "Tags": [{"Key": "team", "Value": "shop"}]}]}],
    }
    return Pages({**standard, **answers})


def facts(pages: Pages) -> WorkspaceFacts:
    one, *_ = KIND.listing.collect(pages, "aws")
    assert isinstance(one, Resource)
    return facts_of(WorkspaceFacts, one)


def test_a_desktop_carries_its_mode_and_its_last_connection_and_nobodys_name() -> None:
    asked = reader(listed())
    (one,) = KIND.listing.collect(asked, "aws")
    assert isinstance(one, Resource)
    own = facts_of(WorkspaceFacts, one)
    assert (one.id, one.arn, one.state, one.tags) == (ID, ARN, "available", {"team": "shop"})
    assert (own.running_mode, own.auto_stop_minutes, own.compute_type) == ("AUTO_STOP", 60, "STANDARD")
    assert (own.connected_last, own.stands_by) == ("2026-02-01T00:00:00+00:00", False)
    assert "jane" not in repr(one)
    assert listed().keys() <= MODEL.shape_for("Workspace").members.keys()
    for operation, parameters in asked.asked:
        if operation != TAGS:
            shape = MODEL.operation_model(operation.partition(":")[2]).input_shape
            assert not ParamValidator().validate(parameters, shape).has_errors()


def test_connections_are_asked_for_a_page_at_a_time_and_one_that_nobody_used_is_known_as_such() -> None:
    pages = [{"Workspaces": [listed(), listed(WorkspaceId="ws-2222222222")]}, {"Workspaces": [listed()]}]
    asked = reader(**{LIST: pages, STATUS: [{"WorkspacesConnectionStatus": [{"WorkspaceId": ID}]}]})
    found = [one for one in KIND.listing.collect(asked, "aws") if isinstance(one, Resource)]
    assert [facts_of(WorkspaceFacts, one).connected_last for one in found] == ["", None, ""]
    questions = [parameters["WorkspaceIds"] for operation, parameters in asked.asked if operation == STATUS]
    assert questions == [[ID, "ws-2222222222"], [ID]]


def test_a_refused_question_leaves_the_last_connection_unknown_and_is_one_gap() -> None:
    denied = AwsDenied("no", operation=STATUS, code=DENIED)
    asked = reader(**{LIST: [{"Workspaces": [listed()]}] * 2, STATUS: [denied]})
    one, two, gap = KIND.listing.collect(asked, "aws")
    assert isinstance(one, Resource)
    assert isinstance(two, Resource)
    assert isinstance(gap, Gap)
    assert "connected_last" not in {**one.attributes, **two.attributes}
    assert [operation for operation, _ in asked.asked].count(STATUS) == 1


def test_terminated_ones_are_left_out_and_a_listing_that_breaks_off_is_a_gap() -> None:
    assert list(KIND.listing.collect(reader(listed(State="TERMINATED")), "aws")) == []
    slow = AwsThrottled("slow down", operation=LIST, code="ThrottlingException")
    one, cut = KIND.listing.collect(reader(**{LIST: [{"Workspaces": [listed()]}, slow]}), "aws")
    assert isinstance(one, Resource)
    assert isinstance(cut, Gap)


def test_a_desktop_of_a_pair_stands_by() -> None:
    assert facts(reader(listed(RelatedWorkspaces=[{"WorkspaceId": "ws-1"}]))).stands_by is True
    assert facts(reader(listed(StandbyWorkspacesProperties=[{"StandbyWorkspaceId": "ws-1"}]))).stands_by is True


def test_its_cost_is_unknown_by_the_month_and_by_the_hour_where_it_stops_by_itself() -> None:
    assert DESKTOPS.cost(desktop()).missing == ("workspace_month: no price for WorkSpaces",)
    assert len(DESKTOPS.cost(desktop(running_mode="AUTO_STOP")).missing) == 2
    assert len(DESKTOPS.cost(desktop("stopped", running_mode="AUTO_STOP")).missing) == 2
    assert KIND.billed_parts(desktop("pending")) == ()


def test_a_missing_point_is_unknown_and_an_owner_is_known_by_tags() -> None:
    assert not any(spec.missing_means_zero for spec in KIND.metrics)
    assert KIND.owner(replace(desktop(), tags={"crossplane-name": "x"})) is not None
