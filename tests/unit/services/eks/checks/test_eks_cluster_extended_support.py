"""eks_cluster_extended_support: what it costs more, when the advice begins, and who never pays it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from tests.support.facts import NOW
from tests.unit.services.eks.kubernetes import CLUSTERS, cluster

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops_operator.services.eks.checks.eks_cluster_extended_support import CHECK


def ending(days: int, **changes: Json) -> Resource:
    return cluster(**{"standard_support_ends": (NOW + timedelta(days=days)).date().isoformat(), **changes})


def test_a_version_in_extended_support_is_found_and_the_upgrade_saves_what_was_added() -> None:
    old = ending(-100, support="extended", version="1.30")
    one = CLUSTERS.found(CHECK, old)
    assert (one.action, one.new_monthly_cost) == ("", Decimal("73.0"))
    assert CLUSTERS.cost(old).monthly == Decimal("438.00")
    assert one.summary.startswith("Kubernetes 1.30 is in extended support")


def test_the_advice_begins_two_months_before() -> None:
    soon = CLUSTERS.found(CHECK, ending(59))
    assert soon.summary.startswith("Standard support of Kubernetes 1.34 ends on")
    assert "in 60 days" in CLUSTERS.reason(CHECK, ending(60))
    CLUSTERS.found(CHECK, ending(60), noticeDays=Decimal(61))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"support": None}, "how AWS supports its version is not known"),
        ({"support": "unsupported"}, "its version is unsupported"),
        ({"upgrade_policy": "STANDARD"}, "EKS upgrades it when standard support ends"),
        ({"standard_support_ends": None}, "when its standard support ends is not known"),
    ],
)
def test_what_is_not_known_or_never_pays_more_is_left_alone(changes: dict[str, Json], why: str) -> None:
    assert CLUSTERS.reason(CHECK, ending(10, **changes)) == why


def test_a_cluster_that_eks_upgrades_itself_is_not_named_once_its_version_is_in_extended_support() -> None:
    upgraded = cluster(support="extended", upgrade_policy="STANDARD")
    assert CLUSTERS.reason(CHECK, upgraded) == "EKS upgrades it when standard support ends"


def test_a_cluster_at_work_is_not_judged() -> None:
    assert CLUSTERS.reason(CHECK, cluster("updating", support="extended")) == "it is updating, not active"
