"""Patches, field ownership and the protobuf decoder, as pure functions."""

from typing import Any

import pytest

from finops_sandbox.kubernetes import protobuf
from finops_sandbox.kubernetes.kinds import SERVICE_ACCOUNT
from finops_sandbox.kubernetes.objects import ApiError, Kind
from finops_sandbox.kubernetes.ownership import Manager, apply, paths, read_managers, record_update
from finops_sandbox.kubernetes.patching import STRATEGIC_PATCH, apply_patch
from finops_sandbox.kubernetes.selectors import json_path, label_keeper
from finops_sandbox.kubernetes.tables import age

PLAIN = Kind("x.dev", "v1", "things", "Thing", custom=True)


def test_a_strategic_patch_merges_lists_by_key_and_obeys_its_directives() -> None:
    old: dict[str, Any] = {
        "metadata": {"name": "a", "finalizers": ["x"], "labels": {"a": "1", "b": "2"}},
        "secrets": [{"name": "s1"}, {"name": "s2"}],
    }
    patch = {
        "metadata": {"finalizers": ["y"], "$deleteFromPrimitiveList/finalizers": ["x"], "labels": {"b": None}},
        "$setElementOrder/secrets": [{"name": "s3"}],
        "secrets": [{"name": "s1", "$patch": "delete"}, {"name": "s3"}],
    }
    new = apply_patch(SERVICE_ACCOUNT, STRATEGIC_PATCH, old, patch)
    assert new["metadata"]["labels"] == {"a": "1"}
    assert new["metadata"]["finalizers"] == ["y"]
    assert new["secrets"] == [{"name": "s2"}, {"name": "s3"}]
    assert old["metadata"]["finalizers"] == ["x"]


def _thing(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "x.dev/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": spec}


def test_an_update_takes_the_fields_it_changes_from_their_owner() -> None:
    first, second = Manager("one", "Update", "", "x.dev/v1"), Manager("two", "Update", "", "x.dev/v1")
    made = _thing(a=1, b=2)
    record_update(PLAIN, made, None, first, "t1")
    changed = {**_thing(a=1, b=3), "metadata": dict(made["metadata"])}
    record_update(PLAIN, changed, made, second, "t2")
    owned = {who.name: sorted(fields) for who, (fields, _) in read_managers(changed).items()}
    assert owned == {"one": [("f:spec", "f:a")], "two": [("f:spec", "f:b")]}


def test_applying_the_same_again_changes_nothing() -> None:
    who = Manager("one", "Apply", "", "x.dev/v1")
    once = apply(PLAIN, _thing(), _thing(a=1), who, force=False, moment="t1")
    twice = apply(PLAIN, once, _thing(a=1), who, force=False, moment="t2")
    assert twice == once
    assert paths(PLAIN, once) == {("f:spec", "f:a"): 1}


def test_two_may_own_a_field_while_they_agree() -> None:
    one, two = Manager("one", "Apply"), Manager("two", "Apply")
    shared = apply(PLAIN, _thing(), _thing(a=1), one, force=False, moment="t")
    shared = apply(PLAIN, shared, _thing(a=1), two, force=False, moment="t")
    left = apply(PLAIN, shared, _thing(), one, force=False, moment="t")
    assert left["spec"] == {"a": 1}
    with pytest.raises(ApiError, match=r'conflict with "two": \.spec\.a'):
        apply(PLAIN, left, _thing(a=2), one, force=False, moment="t")


def test_protobuf_of_a_kind_that_is_not_known_asks_for_json() -> None:
    kind, version = b"Pod", b"v1"
    type_meta = b"\x0a" + bytes([len(version)]) + version + b"\x12" + bytes([len(kind)]) + kind
    raw = protobuf.MAGIC + b"\x0a" + bytes([len(type_meta)]) + type_meta
    with pytest.raises(ApiError, match="Pod as protobuf is not understood here: send JSON") as refused:
        protobuf.decode(raw)
    assert refused.value.code == 415


def test_bytes_that_are_no_protobuf_are_a_bad_request() -> None:
    with pytest.raises(ApiError) as refused:
        protobuf.decode(protobuf.MAGIC + b"\x0a\xff")
    assert refused.value.code == 400


@pytest.mark.parametrize("text", ["a in (", "a==b==c", "in (a)"])
def test_selectors_that_cannot_be_parsed_are_refused(text: str) -> None:
    with pytest.raises(ApiError, match="unable to parse requirement"):
        label_keeper(text)


def test_column_paths_reach_into_lists_and_odd_names() -> None:
    obj = {"a": [{"type": "Ready", "status": "True"}], "m": {"x.y/z": 1}}
    assert json_path(obj, '.a[?(@.type=="Ready")].status') == "True"
    assert json_path(obj, ".a[0].type") == "Ready"
    assert json_path(obj, ".m['x.y/z']") == 1
    assert json_path(obj, r".m.x\.y/z") == 1
    assert json_path(obj, ".a[3].type") is None


def test_an_unreadable_time_has_no_age() -> None:
    assert (age(None), age("soon")) == ("<unknown>", "<invalid>")
