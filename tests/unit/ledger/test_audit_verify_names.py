"""The verifier remembers by name, in flat memory, what stood in earlier records."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from finops.audit_verify.names import Names
from finops.audit_verify.shelf import Shelf

_PARTS = st.lists(st.sampled_from(["u0", "u1", "a", "", "checkpoint"]), min_size=1, max_size=4)
_OPERATIONS = st.lists(_PARTS.map(":".join), max_size=60)


@given(_OPERATIONS, st.integers(0, 3), st.integers(2, 6))
def test_each_operation_is_known_from_its_first_record_on_wherever_it_is_kept(
    operations: list[str], together: int, near: int
) -> None:
    names, first = Names(together, Shelf(near)), dict[str, int]()
    for sequence, operation in enumerate(operations, start=1):
        assert names.first(operation, sequence) == first.setdefault(operation, sequence)


@given(st.lists(st.sampled_from(["u0", "u1", "u2", "u3", "u4"]), max_size=60))
def test_each_request_is_followed_from_record_to_record(requests: list[str]) -> None:
    names, last = Names(_places=Shelf(2)), dict[str, int]()
    for sequence, request in enumerate(requests, start=1):
        assert names.first(f"{request}:{sequence}:x", sequence) == sequence
        assert names.follow(request, sequence) == last.get(request, 0)
        last[request] = sequence
