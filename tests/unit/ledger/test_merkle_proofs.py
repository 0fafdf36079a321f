"""Proofs that the writer makes convince the verifier, who shares no code with it; nothing else does."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.audit_verify.merkle import NoProof, Tree, check_consistency, root_by_inclusion
from finops.ledger.merkle import consistency_proof, inclusion_proof, root_of

HASHES = [hashlib.sha256(b"%d" % number).hexdigest() for number in range(70)]
LEAVES = [bytes.fromhex(one) for one in HASHES]
_SIZES = st.integers(1, len(HASHES))


def tree(size: int) -> Tree:
    made = Tree()
    for one in HASHES[:size]:
        made.add(one)
    return made


def path(size: int, number: int) -> list[str]:
    return [one.hex() for one in inclusion_proof(LEAVES[:size], number - 1)]


def growth(earlier: int, later: int) -> list[str]:
    return [one.hex() for one in consistency_proof(LEAVES[:later], earlier)]


def root(size: int) -> str:
    return root_of(LEAVES[:size]).hex()


def test_the_verifiers_tree_has_the_writers_root_at_every_size() -> None:
    whole = tree(len(HASHES))
    assert [whole.root(size) for size in range(len(HASHES) + 1)] == [root(size) for size in range(len(HASHES) + 1)]


def test_every_record_is_proved_in_every_tree_that_holds_it() -> None:
    for size in range(1, len(HASHES) + 1):
        for number in range(1, size + 1):
            assert root_by_inclusion(HASHES[number - 1], number, size, path(size, number)) == root(size)


def test_every_tree_is_proved_to_have_grown_from_every_earlier_one() -> None:
    for later in range(1, len(HASHES) + 1):
        for earlier in range(1, later + 1):
            check_consistency(earlier, root(earlier), later, root(later), growth(earlier, later))


@given(_SIZES, st.data())
def test_a_record_at_another_place_or_another_record_at_this_place_is_not_proved(
    size: int, data: st.DataObject
) -> None:
    number = data.draw(st.integers(1, size))
    claimed = data.draw(st.integers(1, size).filter(lambda one: one != number) if size > 1 else st.just(2))
    for digest, place in ((HASHES[number - 1], claimed), (HASHES[claimed - 1], number)):
        try:
            found = root_by_inclusion(digest, place, size, path(size, number))
        except NoProof:
            continue
        assert found != root(size)


@given(_SIZES, st.data())
def test_a_path_that_was_changed_in_any_way_proves_nothing(size: int, data: st.DataObject) -> None:
    number = data.draw(st.integers(1, size))
    honest = path(size, number)
    changed = data.draw(
        st.sampled_from(
            [
                honest[:-1],
                [*honest, HASHES[0]],
                list(reversed(honest)),
                [HASHES[-1], *honest[1:]],
                ["zz", *honest],
                ["00", *honest[1:]],
            ]
        )
    )
    if changed == honest:
        return
    try:
        found = root_by_inclusion(HASHES[number - 1], number, size, changed)
    except NoProof:
        return
    assert found != root(size)


@given(_SIZES, _SIZES, st.data())
def test_a_history_that_was_rewritten_is_not_proved_to_have_grown(one: int, other: int, data: st.DataObject) -> None:
    earlier, later = sorted((one, other))
    place = data.draw(st.integers(0, earlier - 1))
    forged = [*LEAVES[:place], b"\x07" * 32, *LEAVES[place + 1 : later]]
    proof = [one.hex() for one in consistency_proof(forged, earlier)]
    with pytest.raises(NoProof):
        check_consistency(earlier, root(earlier), later, root_of(forged).hex(), proof)
    with pytest.raises(NoProof):
        check_consistency(earlier, root(earlier), later, root_of(forged).hex(), growth(earlier, later))


@given(_SIZES, _SIZES, st.data())
def test_a_growth_whose_path_was_changed_is_not_proved(one: int, other: int, data: st.DataObject) -> None:
    earlier, later = sorted((one, other))
    honest = growth(earlier, later)
    changed = data.draw(
        st.sampled_from([honest[:-1], [*honest, HASHES[0]], [HASHES[-1], *honest[1:]], list(reversed(honest)), ["1"]])
    )
    if changed == honest:
        return
    with pytest.raises(NoProof):
        check_consistency(earlier, root(earlier), later, root(later), changed)


@pytest.mark.parametrize(("earlier", "later"), [(0, 5), (6, 5), (-1, 5)])
def test_no_ledger_grew_from_nothing_or_from_a_longer_one(earlier: int, later: int) -> None:
    with pytest.raises(NoProof):
        check_consistency(earlier, root(5), later, root(5), [])


@pytest.mark.parametrize("number", [0, 6])
def test_a_record_outside_of_the_ledger_is_not_proved(number: int) -> None:
    with pytest.raises(NoProof):
        root_by_inclusion(HASHES[0], number, 5, path(5, 1))
