"""What a policy's status and the store say about savings: ready, advice and blocked, with the reason of each."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from tests.support.operator_estate import ACCOUNT, REGION, Obj
from tests.support.operator_rig import Case, Rig, eventually, running_rig

from finops.domain.recommendation import Recommendation
from finops.store.connection import open_store
from finops.store.recommendations import RecommendationStore


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with running_rig(tmp_path_factory.mktemp("savings")) as rig:
        yield rig


def recommendations(case: Case) -> list[Recommendation]:
    store = open_store(case.rig.valkey.url)
    try:
        return [one for one in RecommendationStore(store).stream((case.name, "p")) if one.counted]
    finally:
        store.client.close()


def savings(case: Case) -> Obj:
    return dict(case.policy().get("status", {}).get("savings", {}))


def blocks(case: Case) -> dict[str, list[str]]:
    """Return what blocks the recommendation for each resource of the case."""
    return {one.resource.id: [block.code for block in one.blocked_by] for one in recommendations(case)}


def test_savings_are_ready_only_while_policy_and_preflight_let_a_person_approve_them(rig: Rig) -> None:
    case = rig.case()
    case.apply(actions={"allowed": ["ec2_instance_resize"]})
    eventually(lambda: savings(case), what=rig.tail())
    first, second = recommendations(case)
    each = first.monthly_savings
    assert each is not None
    assert each > 0
    assert savings(case) == {"actionable": "0.00", "advice": "0.00", "blocked": f"{2 * each}"}
    assert case.policy()["status"]["potentialMonthlySavings"] == "0.00"
    assert set(map(tuple, blocks(case).values())) == {("NotAllowed",)}

    tags = {"case": case.name, "DoNotStop": ""}
    rig.aws.control.change(ACCOUNT, REGION, first.resource.id, {"tags": tags})
    case.apply(actions={"allowed": ["ec2_instance_stop"]})

    (request,) = case.proposed(1)
    half = {"actionable": f"{each}", "advice": "0.00", "blocked": f"{each}"}
    eventually(lambda: savings(case) == half, what=rig.tail())
    assert case.policy()["status"]["potentialMonthlySavings"] == f"{each}"
    assert blocks(case) == {first.resource.id: ["RefusedByPreflight:Protected"], second.resource.id: []}
    notes = {one.resource.id: one.note for one in recommendations(case)}
    assert notes[second.resource.id] == f"The request {request['metadata']['name']} for this resource is open."

    case.scan_now("again")

    # The refusal is remembered for hours; the new scan's record says it all the same.
    assert blocks(case)[first.resource.id] == ["RefusedByPreflight:Protected"]
    assert savings(case) == half
    assert Decimal(half["actionable"]) == each
