"""An undo that could not work is not offered: the status says why, and what to do by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from tests.support.sample_requests import delete_request

from finops.crds.action_request import fingerprint_texts
from finops.crds.request_status import UndoStatus
from finops.domain.audit import GENESIS_HASH, Entry, Record, RecordKind
from finops.domain.canonical import Json
from finops_operator.acts.undos import RecordedUndos
from finops_operator.services.ec2.actions.ebs_volume_delete import ACTION as DELETE

_AT = datetime(2026, 3, 1, tzinfo=UTC)
_BEFORE: dict[str, Json] = {
    "zone": "eu-central-1a",
    "volumeType": "gp3",
    "sizeGiB": "100",
    "iops": "3000",
    "throughput": "125",
    "tagList": "{}",
    "outpost": "",
    "kmsKey": "",
    "multiAttach": "",
}


@dataclass
class Recorded:
    """A ledger that knows one act."""

    records: tuple[Record, ...]

    def of_request(self, _uid: str) -> tuple[Record, ...]:
        return self.records


def shown(before: dict[str, Json] | None = None, *, snapshot: str = "snap-2") -> UndoStatus | None:
    """Return what the status of a deleted volume's request shows."""
    act = delete_request(status={"state": "Succeeded"})
    spec = act.spec.model_copy(update={"fingerprint": fingerprint_texts({**_BEFORE, **(before or {})})})
    act = act.model_copy(update={"spec": spec})
    made: dict[str, Json] = {"created": snapshot}
    reference = f"{act.metadata.namespace}/{act.metadata.name}/{act.metadata.uid}"
    entries = (
        Entry("i", "operator", RecordKind.INTENT, reference, step="create_last_snapshot", attempt=1),
        Entry("o", "operator", RecordKind.OUTCOME, reference, "create_last_snapshot", 1, result="ok", detail=made),
        Entry("v", "operator", RecordKind.VERIFIED, reference, result="Succeeded"),
    )
    records = tuple(Record(place, GENESIS_HASH, _AT, 1, one) for place, one in enumerate(entries, start=1))
    undos = RecordedUndos(Recorded(records), {DELETE.id: DELETE}, lambda _namespace, _name: None)  # type: ignore[arg-type]
    return undos.of(act)


def test_a_deleted_volume_is_offered_again_until_a_date() -> None:
    found = shown()
    assert found is not None
    assert found.until is not None
    assert found.message is None


@pytest.mark.parametrize(
    ("before", "why"),
    [
        ({"tagList": "too long"}, "its tags are too many or too long to be set again"),
        ({"outpost": "arn:aws:outposts:x"}, "it was on an Outpost"),
    ],
)
def test_a_deleted_volume_that_cannot_be_made_again_as_it_was_says_so_instead(
    before: dict[str, Json], why: str
) -> None:
    found = shown(before)
    assert found is not None
    assert found.until is None
    assert found.message == (
        f"The operator cannot undo this act: {why}; create a volume from the last snapshot by hand."
    )


def test_an_act_whose_record_lacks_the_last_snapshot_is_not_offered_either() -> None:
    found = shown(snapshot="")
    assert found is not None
    assert (found.until, "which snapshot was the last one" in (found.message or "")) == (None, True)
