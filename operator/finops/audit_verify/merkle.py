"""The RFC 9162 tree, written down a second time: the root at every size, and the checks of both kinds of proof.

A leaf is the 32 bytes of a record's hash. Section 2.1.1 defines the tree, 2.1.3.2 the check of an inclusion proof and
2.1.4.2 that of a consistency proof.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

_LENGTH = 32


class NoProof(ValueError):
    """The proof does not lead to the root."""


def leaf(digest: str) -> bytes:
    """Return the leaf of the record with this hash."""
    return hashlib.sha256(b"\x00" + bytes.fromhex(digest)).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """All complete subtrees, level by level: 64 bytes for each record, and the root of any earlier size."""

    def __init__(self) -> None:
        self._levels: list[bytearray] = [bytearray()]

    @property
    def size(self) -> int:
        return len(self._levels[0]) // _LENGTH

    def add(self, digest: str) -> None:
        """Append the record with this hash."""
        hashed, level = leaf(digest), 0
        while True:
            if level == len(self._levels):
                self._levels.append(bytearray())
            row = self._levels[level]
            row += hashed
            if len(row) // _LENGTH % 2:
                return
            hashed, level = _node(bytes(row[-2 * _LENGTH : -_LENGTH]), hashed), level + 1

    def leaf(self, number: int) -> bytes:
        """Return the leaf of record `number`, counted from 1."""
        return bytes(self._levels[0][(number - 1) * _LENGTH : number * _LENGTH])

    def root(self, size: int) -> str:
        """Return the root over the first `size` records, in hexadecimal."""
        peaks, begun = [], 0
        for level in reversed(range(size.bit_length())):
            if size >> level & 1:
                place = (begun >> level) * _LENGTH
                peaks.append(bytes(self._levels[level][place : place + _LENGTH]))
                begun += 1 << level
        if not peaks:
            return hashlib.sha256(b"").hexdigest()
        root = peaks.pop()
        while peaks:
            root = _node(peaks.pop(), root)
        return root.hex()


def root_by_inclusion(digest: str, number: int, size: int, path: Sequence[str]) -> str:
    """Return the root to which the path of record `number` leads in a tree of `size` records.

    Raises:
        NoProof: the path cannot be one of this record in such a tree.
    """
    if not 1 <= number <= size:
        raise NoProof(f"there is no record {number} among {size}")
    root = leaf(digest)
    for sibling, is_left in _climb(number - 1, size - 1, _hashes(path)):
        root = _node(sibling, root) if is_left else _node(root, sibling)
    return root.hex()


def check_consistency(earlier: int, earlier_root: str, later: int, later_root: str, path: Sequence[str]) -> None:
    """Check that the tree of `later` records begins with the one of `earlier` records.

    Raises:
        NoProof: it is not shown to.
    """
    if not 0 < earlier <= later:
        raise NoProof(f"a ledger of {later} records cannot have grown from one of {earlier}")
    hashes = _hashes(path)
    if earlier == later:
        if hashes or earlier_root != later_root:
            raise NoProof("two checkpoints of one size have different roots")
        return
    if earlier & (earlier - 1) == 0:
        hashes.insert(0, bytes.fromhex(earlier_root))
    if not hashes:
        raise NoProof("the path is empty")
    place, last = earlier - 1, later - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    before = after = hashes[0]
    for sibling, is_left in _climb(place, last, hashes[1:]):
        if is_left:
            before, after = _node(sibling, before), _node(sibling, after)
        else:
            after = _node(after, sibling)
    if before.hex() != earlier_root or after.hex() != later_root:
        raise NoProof("the later checkpoint does not continue the earlier one: the ledger was rewritten in between")


def _climb(place: int, last: int, siblings: Sequence[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Yield each sibling on the way up from `place`, and whether it is the left one; `last` is the row's last place."""
    for sibling in siblings:
        if last == 0:
            raise NoProof("the path is too long")
        is_left = bool(place & 1) or place == last
        yield sibling, is_left
        # A node without a sibling goes up as it is.
        while is_left and place and not place & 1:
            place, last = place >> 1, last >> 1
        place, last = place >> 1, last >> 1
    if last:
        raise NoProof("the path is too short")


def _hashes(path: Sequence[str]) -> list[bytes]:
    try:
        hashes = [bytes.fromhex(one) for one in path]
    except (ValueError, TypeError) as error:
        raise NoProof(f"the path holds something that is no hash: {error}") from error
    if any(len(one) != _LENGTH for one in hashes):
        raise NoProof("the path holds something that is no hash")
    return hashes
