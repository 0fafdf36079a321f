"""opensearch_domain_gp2: the older storage, and what has other storage or none."""

from __future__ import annotations

import pytest
from tests.unit.services.opensearch.domains import DOMAINS, domain

from finops.domain.canonical import Json
from finops_operator.services.opensearch.checks.opensearch_domain_gp2 import CHECK


def test_gp2_storage_is_found_and_what_gp3_saves_is_unknown() -> None:
    one = DOMAINS.found(CHECK, domain(volume_type="gp2", volume_gb=500))
    assert (one.action, one.target, one.new_monthly_cost) == ("", "gp3", None)
    assert {fact.label: fact.value for fact in one.facts}["Storage"] == "gp2, 500 GiB a node, 3 nodes"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"volume_type": "gp3"}, "its storage is gp3"),
        ({"volume_type": "io1"}, "its storage is io1"),
        ({"volume_type": ""}, "its nodes have disks of their own"),
        ({"volume_type": None}, "its storage is not known"),
        ({"volume_type": "gp2", "tags_known": False}, "its tags could not be read, so it may be protected"),
    ],
)
def test_other_storage_is_left_alone(changes: dict[str, Json], why: str) -> None:
    assert DOMAINS.reason(CHECK, domain(**changes)) == why


def test_a_domain_at_work_is_not_judged() -> None:
    assert DOMAINS.reason(CHECK, domain("processing", volume_type="gp2")) == "it is processing, not active"
