"""The RFC 9162 tree over the ledger (section 2.1): one hash stands for all records up to a size.

A leaf is the 32 bytes of a record's hash. `Growing` follows the ledger record by record and keeps only the roots of its
complete subtrees, at most one for each power of two. Proofs need all leaves. The offline verifier checks them in code
of its own (`finops.audit_verify.merkle`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
"""Root of a tree without leaves."""


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf; the byte before it keeps it apart from that of a node."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash over two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Growing:
    """A tree that only grows, in logarithmic memory.

    Attributes:
        size: number of leaves.
    """

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        """Begin empty, or go on from the peaks of a tree with `size` leaves.

        Raises:
            ValueError: a tree of this size has another number of peaks.
        """
        if len(peaks) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} peaks, not {len(peaks)}")
        self.size = size
        self._peaks = list(peaks)

    @property
    def peaks(self) -> tuple[bytes, ...]:
        """Roots of the complete subtrees, the largest first: all that has to be kept to go on from here."""
        return tuple(self._peaks)

    def add(self, data: bytes) -> None:
        """Append a leaf."""
        hashed, number = leaf_hash(data), self.size
        while number & 1:
            hashed = node_hash(self._peaks.pop(), hashed)
            number >>= 1
        self._peaks.append(hashed)
        self.size += 1

    def root(self) -> bytes:
        if not self._peaks:
            return EMPTY_ROOT
        root = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            root = node_hash(peak, root)
        return root


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Return the root over the data of all leaves."""
    tree = Growing()
    for data in leaves:
        tree.add(data)
    return tree.root()


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the hashes that lead from a leaf to the root, the lowest first.

    Raises:
        ValueError: there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise ValueError(f"there is no leaf {index} in a tree of {len(leaves)}")
    proof: list[bytes] = []
    while len(leaves) > 1:
        split = _split(len(leaves))
        left, right = leaves[:split], leaves[split:]
        if index < split:
            proof.append(root_of(right))
            leaves = left
        else:
            proof.append(root_of(left))
            leaves, index = right, index - split
    proof.reverse()
    return proof


def consistency_proof(leaves: Sequence[bytes], earlier: int) -> list[bytes]:
    """Return the hashes that show that the tree of the first `earlier` leaves is the beginning of this one.

    Raises:
        ValueError: `earlier` is no size of a tree that this one can have grown from.
    """
    if not 0 < earlier <= len(leaves):
        raise ValueError(f"a tree of {len(leaves)} leaves has not grown from one of {earlier}")
    proof: list[bytes] = []
    # While the part is a whole tree of the earlier one, whoever checks has its root already.
    known = True
    while earlier != len(leaves):
        split = _split(len(leaves))
        left, right = leaves[:split], leaves[split:]
        if earlier <= split:
            proof.append(root_of(right))
            leaves = left
        else:
            proof.append(root_of(left))
            leaves, earlier, known = right, earlier - split, False
    if not known:
        proof.append(root_of(leaves))
    proof.reverse()
    return proof


def _split(size: int) -> int:
    """Return the largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1
