"""Whatever is done to an export, with the rights of the store or a key of one's own, is found by anchor and key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.ledger_keys import KEYS, PUBLIC_KEYS
from tests.support.ledger_lines import HONEST, records, vote

from finops.audit_verify import verify
from finops.domain.audit import Record
from finops.ledger.checkpoint import Checkpoint
from finops.ledger.lines import line_of
from finops.ledger.merkle import root_of
from finops.ledger.signing import Keyring, new_private_key

LEDGER = records((*HONEST, *(vote(f"k8s.user{number}", result="refused") for number in range(12))))
FORGER = Keyring.of(new_private_key())


def checkpoint(ledger: list[Record], keys: Keyring = KEYS) -> str:
    root = root_of([bytes.fromhex(one.hash) for one in ledger]).hex()
    return Checkpoint(len(ledger), root, ledger[-1].hash, ledger[-1].time, 2).signed_by(keys).text


ANCHOR = checkpoint(LEDGER)


def _chained(ledger: list[Record], keys: Keyring) -> list[Record]:
    """Return the records numbered, chained and signed anew: an edit that fits in everything but the key."""
    made: list[Record] = []
    last: dict[str, int] = {}
    for number, one in enumerate(ledger, start=1):
        uid = one.entry.request.rpartition("/")[2]
        previous = made[-1].hash if made else one.previous_hash if number == 1 else ""
        made.append(
            keys.sign(
                replace(one, sequence=number, previous_hash=previous, request_previous=last.get(uid, 0) if uid else 0)
            )
        )
        if uid:
            last[uid] = number
    return made


def _change(ledger: list[Record], place: int, _other: int) -> list[Record]:
    edited = replace(ledger[place], entry=replace(ledger[place].entry, actor="k8s.mallory"))
    return [*ledger[:place], edited, *ledger[place + 1 :]]


def _delete(ledger: list[Record], place: int, _other: int) -> list[Record]:
    return [*ledger[:place], *ledger[place + 1 :]]


def _swap(ledger: list[Record], place: int, other: int) -> list[Record]:
    edited = list(ledger)
    edited[place], edited[other] = edited[other], edited[place]
    return edited


def _insert(ledger: list[Record], place: int, other: int) -> list[Record]:
    again = replace(ledger[other], entry=replace(ledger[other].entry, operation_id="u1:inserted"))
    return [*ledger[:place], again, *ledger[place:]]


def _cut(ledger: list[Record], place: int, _other: int) -> list[Record]:
    return ledger[:place]


EDITS: tuple[Callable[[list[Record], int, int], list[Record]], ...] = (_change, _delete, _swap, _insert, _cut)


@settings(max_examples=300, deadline=None)
@given(
    edit=st.sampled_from(EDITS),
    signer=st.sampled_from([None, FORGER, KEYS]),
    place=st.integers(0, len(LEDGER) - 1),
    other=st.integers(0, len(LEDGER) - 1),
)
def test_every_edit_of_an_export_is_found(
    edit: Callable[[list[Record], int, int], list[Record]], signer: Keyring | None, place: int, other: int
) -> None:
    """`signer` KEYS is the worst case: a ledger of the same operator that took another way, a genuine fork."""
    edited = edit(LEDGER, place, other)
    if edited == LEDGER:
        return
    chained = edited if signer is None else _chained(edited, signer)
    assert not verify(map(line_of, chained), keys=PUBLIC_KEYS, kept=[ANCHOR]).ok


@settings(max_examples=100, deadline=None)
@given(st.integers(1, len(LEDGER)), st.integers(0, len(LEDGER)))
def test_the_line_of_a_thread_shows_a_cut_before_it_and_a_ledger_signed_anew(size: int, left: int) -> None:
    root = root_of([bytes.fromhex(one.hash) for one in LEDGER[:size]]).hex()
    noted = f"Ledger checkpoint {size:,} · sha256:{root}"
    for line in (noted, f"`{noted}`\n", f"{size} · sha256:{root}"):
        report = verify(map(line_of, LEDGER[:left]), keys=PUBLIC_KEYS, kept=[line], every_signature=False)
        assert report.ok is (left >= size)
        assert report.ok or report.problems[-1].code == "Checkpoint"
    forged = _chained(LEDGER, FORGER)
    assert not verify(map(line_of, forged), kept=[noted]).ok, "without keys the line alone shows it"


@settings(max_examples=300, deadline=None)
@given(st.integers(1, len(LEDGER) - 1), st.integers(1, len(LEDGER)))
def test_an_older_checkpoint_holds_but_hides_no_cut_behind_the_newer_one(kept: int, left: int) -> None:
    older, lines = checkpoint(LEDGER[:kept]), [line_of(one) for one in LEDGER[:left]]
    assert verify(lines, keys=PUBLIC_KEYS, kept=[older]).ok is (left >= kept)
    assert verify(lines, keys=PUBLIC_KEYS, kept=[older, ANCHOR]).ok is (left == len(LEDGER))


def test_a_checkpoint_of_a_forger_is_none() -> None:
    forged = _chained(LEDGER, FORGER)
    report = verify(map(line_of, forged), keys=PUBLIC_KEYS, kept=[checkpoint(forged, FORGER)])
    assert {problem.code for problem in report.problems} >= {"Signature", "Checkpoint"}
