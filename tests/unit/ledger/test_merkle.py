"""The tree over the ledger is that of RFC 9162: its definition as an oracle, and published roots."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.ledger.merkle import EMPTY_ROOT, Growing, inclusion_proof, root_of

# Inputs and roots with which certificate transparency logs check themselves.
INPUTS = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def defined(leaves: list[bytes]) -> bytes:
    """Section 2.1.1 of the RFC, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + defined(leaves[:split]) + defined(leaves[split:])).digest()


@pytest.mark.parametrize("size", range(1, 9))
def test_the_roots_are_those_that_logs_publish(size: int) -> None:
    assert root_of(INPUTS[:size]).hex() == ROOTS[size - 1]


def test_a_tree_without_leaves_has_the_hash_of_nothing() -> None:
    assert Growing().root() == EMPTY_ROOT == defined([])


@given(st.lists(st.binary(max_size=40), max_size=200))
def test_a_tree_that_grows_has_the_root_of_the_definition(leaves: list[bytes]) -> None:
    assert root_of(leaves) == defined(leaves)


@given(st.lists(st.binary(max_size=4), max_size=70), st.data())
def test_a_tree_goes_on_from_its_peaks(leaves: list[bytes], data: st.DataObject) -> None:
    split = data.draw(st.integers(0, len(leaves)))
    first = Growing()
    for leaf in leaves[:split]:
        first.add(leaf)
    second = Growing(first.size, first.peaks)
    for leaf in leaves[split:]:
        second.add(leaf)
    assert (second.size, second.root()) == (len(leaves), defined(leaves))


def test_peaks_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="2 peaks"):
        Growing(3, [EMPTY_ROOT])


def test_a_leaf_that_does_not_exist_has_no_proof() -> None:
    with pytest.raises(ValueError, match="no leaf 8"):
        inclusion_proof(INPUTS, 8)
