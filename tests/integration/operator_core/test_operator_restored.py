"""A store restored from an older backup never lets the operator do again what it did since."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.operator_parts import Parts
from tests.support.operator_rig import Case, Rig, eventually, running_rig

from finops.crds.action_request import ActionRequest
from finops.domain.audit import LOSS_ACCEPTED, Entry, RecordKind
from finops.domain.decision import State
from finops.errors import StoreUnavailable
from finops.store.backup import Target, restored
from finops.store.connection import Store, open_store
from finops_operator.cli.main import run
from finops_operator.cluster.freeze import Freeze
from finops_operator.cluster.restored import begin_restored
from finops_operator.decisions.origins import Origins

CASES = 10
ACTS = 2 * CASES
FREEZE = "finops-operator-freeze"


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with running_rig(tmp_path_factory.mktemp("restored")) as rig:
        yield rig


def freeze_reason(rig: Rig) -> str:
    data = config_map(rig, FREEZE)
    return str(data.get("reason", "")) if data.get("frozen") == "true" else ""


def has_begun_on_the_restored(rig: Rig) -> bool:
    store = open_store(rig.valkey.url)
    try:
        return not restored(store)
    finally:
        store.client.close()


def config_map(rig: Rig, name: str) -> dict[str, str]:
    found = (one for one in rig.k8s.objects("configmaps") if one["metadata"]["name"] == name)
    return dict(next(found).get("data") or {})


def approved_behind_a_freeze(rig: Rig) -> list[tuple[Case, Any]]:
    """Return requests that are approved and wait for the freeze to be lifted."""
    rig.switch("freeze", frozen="true", reason="maintenance")
    asked = []
    cases = [rig.case() for _ in range(CASES)]
    for case in cases:
        case.apply()
    for case in cases:
        asked += [(case, request) for request in case.proposed(seconds=120)]
    votes = [(case, case.vote(request)) for case, request in asked]
    for case, vote in votes:
        assert case.answer(vote)[0] == "Counted"
    return asked


@pytest.mark.timeout(300)
def test_none_of_twenty_acts_is_repeated_after_an_older_backup_was_restored(rig: Rig) -> None:
    asked = approved_behind_a_freeze(rig)
    backup = rig.directory / "backup.gz"
    assert run(["backup", str(backup), "--redis", rig.valkey.url]) == 0
    approved = rig.k8s.objects("actionrequests.finops.dev")
    assert [one["status"]["state"] for one in approved] == ["Approved"] * ACTS
    rig.switch("freeze", frozen="false", reason="")
    for case, request in asked:
        case.wait_state(request, "Succeeded")
    assert stops(asked) == ACTS

    # A disaster: the volumes are gone, and store and cluster come back as they were. People run their machines again.
    rig.kill()
    rig.ledger_path.unlink()
    for case, request in asked:
        case.change_by_hand(request, state="running")
    rig.k8s.put_back("actionrequests.finops.dev", approved)
    assert run(["restore", str(backup), "--redis", rig.valkey.url, "--replace", "--yes"]) == 0
    rig.start()

    eventually(lambda: "its end was cut off" in freeze_reason(rig), 40, rig.tail())
    for case, request in asked:
        case.stays(request, case.state(request), seconds=0.2)
    assert stops(asked) == ACTS

    accepted = json.loads(freeze_reason(rig).partition("-p '")[2].partition("'")[0])
    rig.switch("ledger-anchor", **{**config_map(rig, "finops-operator-ledger-anchor"), **accepted["data"]})
    eventually(lambda: "was restored from a backup" in freeze_reason(rig), 40, rig.tail())
    # Before the loss is in the ledger a restart freezes again, whoever has lifted it.
    eventually(lambda: has_begun_on_the_restored(rig), 40, rig.tail())
    rig.switch("freeze", frozen="false", reason="")
    rig.restart()

    for case, request in asked:
        ended = case.wait_state(request, "Withdrawn")
        assert "Records of the ledger were lost" in json.dumps(ended["status"])
    assert stops(asked) == ACTS
    assert freeze_reason(rig) == ""


def stops(asked: list[tuple[Case, Any]]) -> int:
    """Return how many machines were stopped since the requests were made."""
    first, _ = asked[0]
    return sum(call.action == "StopInstances" and call.applied for call in first.rig.aws.calls)


def accept_a_loss(parts: Parts) -> None:
    head = parts.ledger.head()
    left = f"{head.sequence} {head.hash}"
    detail: dict[str, Any] = {"accepted": left, "problem": "its end was cut off", "anchored": []}
    kind = RecordKind.CHECKPOINT
    parts.ledger.append(Entry(f"checkpoint:accepted:{left}", "operator", kind, result=LOSS_ACCEPTED, detail=detail))
    parts.decider.start_again()


@pytest.mark.parametrize("votes", [0, 1])
def test_what_was_proposed_before_records_were_lost_is_withdrawn(parts: Parts, votes: int) -> None:
    made = parts.propose(
        1, approval={"approvers": [{"kubernetesUser": "alice"}, {"kubernetesUser": "bob"}], "required": 2}
    )
    for _ in range(votes):
        parts.vote(made)
    accept_a_loss(parts)
    later = parts.propose(2)

    assert parts.decider.advance(made).status.state is State.WITHDRAWN
    assert parts.decider.advance(later).status.state is State.PENDING


def test_a_request_from_before_a_loss_that_was_taken_in_after_it_is_withdrawn(parts: Parts) -> None:
    """The cluster came back without statuses, and the operator died after it had recorded the object's new uid."""
    made = parts.propose(1, approval={"approvers": [{"kubernetesUser": "alice"}]})
    accept_a_loss(parts)
    parts.requests.api.delete(made.metadata.namespace or "", made.metadata.name)
    back = ActionRequest.from_object(
        {
            **made.to_object(),
            "status": {},
            "metadata": {
                "name": made.metadata.name,
                "namespace": made.metadata.namespace,
                "labels": made.metadata.labels,
            },
        }
    )
    back = parts.requests.create(back)
    assert back.metadata.uid != made.metadata.uid
    Origins(parts.ledger).record(back)
    parts.vote(back)

    parts.decider.start_again()

    assert parts.decider.advance(back).status.state is State.WITHDRAWN


def test_a_vote_on_a_request_from_before_a_loss_does_not_approve_it(parts: Parts) -> None:
    made = parts.propose(1, approval={"approvers": [{"kubernetesUser": "alice"}]})
    accept_a_loss(parts)
    parts.vote(made)

    assert parts.decider.advance(made).status.state is State.WITHDRAWN
    decided = [one.entry.result for one in parts.ledger.read() if one.entry.kind is RecordKind.DECIDED]
    assert decided == ["Withdrawn"]


def test_a_store_that_fits_its_anchor_is_still_known_as_restored(parts: Parts, store: Store) -> None:
    """Store, cluster and anchor may all come from the same day: then nothing else shows that records are missing."""
    made = parts.propose(1, approval={"approvers": [{"kubernetesUser": "alice"}]})
    parts.vote(made)
    Target(store).finish("2026-11-01T00:00:00+00:00")
    freeze = Freeze(parts.maps, "r-freeze")

    begin_restored(store, parts.ledger, freeze)
    parts.decider.start_again()

    assert "was restored from a backup" in freeze.reason()
    assert parts.decider.advance(made).status.state is State.WITHDRAWN
    later = parts.ledger.head().sequence
    begin_restored(store, parts.ledger, freeze)
    assert parts.ledger.head().sequence == later, "the mark is gone"


def test_nothing_begins_on_a_store_whose_restore_has_not_ended(parts: Parts, store: Store) -> None:
    store.client.set(f"{store.keys.prefix}restoring", "0" * 64)

    with pytest.raises(StoreUnavailable, match="has not ended"):
        begin_restored(store, parts.ledger, Freeze(parts.maps, "r-freeze"))


def test_a_restored_store_is_frozen_also_where_somebody_had_lifted_the_freeze(parts: Parts) -> None:
    parts.maps.write("r-freeze", {"frozen": "false", "reason": ""})
    freeze = Freeze(parts.maps, "r-freeze")

    freeze.begin_restored("2026-11-01T00:00:00+00:00")

    assert "was restored from a backup of 2026-11-01T00:00:00+00:00" in freeze.reason()
    assert "kubectl patch configmap r-freeze" in freeze.reason()
    parts.maps.write("r-freeze", {"frozen": "false", "reason": ""})
    assert freeze.reason() == "", "it is lifted without a restart"
