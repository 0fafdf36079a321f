"""What a started cluster costs: hours of its members and its storage where their classes have a price; else unknown."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

import pytest
from tests.unit.services.rds.clusters import CLUSTERS, cluster, measured

from finops.domain.utilization import MonthlyUse
from finops_operator.services.rds.actions.rds_cluster_start import ACTION

_USE: Final = {
    "volumeBytesUsed": MonthlyUse(100 * 2**30, None),
    "volumeReadOperations": MonthlyUse(0, 720.0),
    "volumeWriteOperations": MonthlyUse(0, 720.0),
}


def started(use: dict[str, MonthlyUse], **attributes: Any) -> Decimal | None:
    assert ACTION.remaining_cost is not None
    return ACTION.remaining_cost(CLUSTERS.facts(cluster("stopped", **attributes), replace(measured(), month=use)))


def test_a_started_cluster_costs_the_hours_of_its_members_and_its_storage() -> None:
    stored = CLUSTERS.cost(cluster("stopped"), replace(measured(), month=_USE)).unrounded_monthly
    assert stored is not None
    assert started(_USE) == 2 * Decimal("0.29") * 730 + stored


@pytest.mark.parametrize(
    ("use", "attributes"),
    [
        (_USE, {"member_classes": None}),
        (_USE, {"member_classes": ["db.r5.large", "db.serverless"]}),
        (_USE, {"member_classes": ["db.r5.large", "db.r99.large"]}),
        (_USE, {"engine_mode": "serverless"}),
        ({name: one for name, one in _USE.items() if name != "volumeBytesUsed"}, {}),
        ({name: one for name, one in _USE.items() if name != "volumeReadOperations"}, {}),
    ],
)
def test_one_part_that_is_not_known_leaves_the_rise_unknown(use: dict[str, MonthlyUse], attributes: Any) -> None:
    assert started(use, **attributes) is None


def test_a_cluster_that_is_optimized_for_requests_needs_no_figure_of_them() -> None:
    stored = {"volumeBytesUsed": _USE["volumeBytesUsed"]}
    assert started(stored, storage_type="aurora-iopt1") is not None
