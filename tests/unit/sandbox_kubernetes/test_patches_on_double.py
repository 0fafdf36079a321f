"""Patches, selectors and columns, as pure functions."""

from typing import Any

import pytest

from finops_sandbox.kubernetes.kinds import SERVICE_ACCOUNT
from finops_sandbox.kubernetes.objects import ApiError, Kind
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
