"""Notebooks as collected: their machine, their last change, errors as gaps, and a cost that no table knows."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import botocore.session
from botocore.validate import ParamValidator
from tests.support.judging import Pages
from tests.unit.services.sagemaker.models import NOTEBOOKS, notebook
from tests.unit.services.sagemaker.models import listed as price_of

from finops.domain.resource import Gap, Resource
from finops.errors import AwsDenied
from finops_operator.plugins.facts import facts_of
from finops_operator.services.sagemaker.notebook import KIND, NotebookFacts

MODEL = botocore.session.get_session().get_service_model("sagemaker")
LIST, TAGS = "sagemaker:ListNotebookInstances", "resourcegroupstaggingapi:GetResources"
DESCRIBE = "sagemaker:DescribeNotebookInstance"
ARN = "arn:aws:sagemaker:us-east-1:111122223333:notebook-instance/prices"


def listed(**changes: Any) -> dict[str, Any]:
    return {
        "NotebookInstanceName": "prices",
        "NotebookInstanceArn": ARN,
        "NotebookInstanceStatus": "InService",
        "InstanceType": "ml.t3.medium",
        "CreationTime": "1767225600.0",
        "LastModifiedTime": "1769904000.0",
        "NotebookInstanceLifecycleConfigName": "stops-by-itself",
        **changes,
    }


def reader(*notebooks: dict[str, Any], **answers: Any) -> Pages:
    tags = [{"ResourceARN": ARN, "Tags": [{"Key": "team", "Value": "shop"}]}]
    return Pages(
        {
            LIST: [{"NotebookInstances": list(notebooks)}],
            DESCRIBE: [{"VolumeSizeInGB": 50}],
            TAGS: [{"ResourceTagMappingList": tags}],
            **answers,
        }
    )


def test_a_notebook_carries_its_type_and_its_last_change() -> None:
    asked = reader(listed())
    (one,) = KIND.listing.collect(asked, "aws")
    assert isinstance(one, Resource)
    facts = facts_of(NotebookFacts, one)
    assert (one.id, one.arn, one.state, one.tags) == ("prices", ARN, "inservice", {"team": "shop"})
    assert (facts.instance_type, facts.lifecycle_configuration) == ("ml.t3.medium", "stops-by-itself")
    assert facts.volume_gb == 50
    assert facts.notebook_changed_at == "2026-02-01T00:00:00+00:00"
    assert listed().keys() <= MODEL.shape_for("NotebookInstanceSummary").members.keys()
    shape = MODEL.operation_model("ListNotebookInstances").input_shape
    assert not ParamValidator().validate(dict(asked.asked)[LIST], shape).has_errors()


def test_a_refused_listing_is_a_gap_and_one_that_is_being_deleted_is_left_out() -> None:
    (gap,) = KIND.listing.collect(reader(**{LIST: [AwsDenied("no", operation=LIST, code="AccessDenied")]}), "aws")
    assert isinstance(gap, Gap)
    assert list(KIND.listing.collect(reader(listed(NotebookInstanceStatus="Deleting")), "aws")) == []


def test_a_disk_that_could_not_be_read_is_a_gap_and_its_size_unknown() -> None:
    denied = AwsDenied("no", operation=DESCRIBE, code="AccessDeniedException")
    one, gap = KIND.listing.collect(reader(listed(), **{DESCRIBE: [denied]}), "aws")
    assert isinstance(one, Resource)
    assert facts_of(NotebookFacts, one).volume_gb is None
    assert isinstance(gap, Gap)
    assert NOTEBOOKS.cost(notebook("stopped", volume_gb=None)).missing == (
        "volume_gb_month: the size of its disk is not known",
    )


def test_with_a_price_list_it_costs_its_hours_and_its_disk_and_stopped_its_disk_alone() -> None:
    priced = replace(NOTEBOOKS, lookup=price_of)
    # 0.05 × 730, and 5 GB at 0.14.
    assert priced.cost(notebook()).monthly == Decimal("37.20")
    assert priced.cost(notebook("stopped")).monthly == Decimal("0.70")
    assert priced.cost(notebook(instance_type=None)).missing == ("instance_hour: its type is not known",)


def test_its_cost_is_unknown_and_never_zero_and_a_failed_one_is_not_billed() -> None:
    assert len(NOTEBOOKS.cost(notebook()).missing) == 2
    assert NOTEBOOKS.cost(notebook("stopped")).missing == ("volume_gb_month: no price for the disks of notebooks",)
    assert KIND.billed_parts(notebook("failed")) == ()
