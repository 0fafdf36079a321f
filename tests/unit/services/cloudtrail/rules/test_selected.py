"""What event selectors let through, and which trail's events include another's."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from finops_operator.services.cloudtrail.rules.selected import ALL, Delivered, delivered

SELECTORS = botocore.session.get_session().get_service_model("cloudtrail").shape_for("PutEventSelectorsRequest")
KMS = "kms.amazonaws.com"
BASIC = "EventSelectors"
ADVANCED = "AdvancedEventSelectors"


def basic(**changes: Any) -> dict[str, Any]:
    return {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [], **changes}


def advanced(*fields: dict[str, Any], category: str = "Management") -> dict[str, Any]:
    return {"FieldSelectors": [{"Field": "eventCategory", "Equals": [category]}, *fields]}


READ_ONLY = {"Field": "readOnly", "Equals": ["true"]}
CHANGES_ONLY = {"Field": "readOnly", "Equals": ["false"]}
WITHOUT_KMS = {"Field": "eventSource", "NotEquals": [KMS]}
LAMBDA = {"Type": "AWS::Lambda::Function", "Values": ["arn:aws:lambda"]}


@pytest.mark.parametrize(
    ("form", "selectors", "word", "other"),
    [
        (BASIC, [basic()], "all", False),
        (BASIC, [{}], "all", False),
        (BASIC, [basic(ReadWriteType="ReadOnly")], "read", False),
        (BASIC, [basic(ReadWriteType="WriteOnly")], "write", False),
        (BASIC, [basic(ExcludeManagementEventSources=[KMS])], "some", False),
        (BASIC, [basic(IncludeManagementEvents=False, DataResources=[LAMBDA])], "none", True),
        (
            BASIC,
            [basic(ReadWriteType="ReadOnly"), basic(ReadWriteType="WriteOnly", DataResources=[LAMBDA])],
            "all",
            True,
        ),
        (ADVANCED, [advanced()], "all", False),
        (ADVANCED, [advanced(READ_ONLY)], "read", False),
        (ADVANCED, [advanced(CHANGES_ONLY), advanced(READ_ONLY)], "all", False),
        (ADVANCED, [advanced(WITHOUT_KMS)], "some", False),
        (ADVANCED, [advanced({"Field": "eventSource", "Equals": [KMS]})], "some", False),
        (ADVANCED, [advanced({"Field": "eventName", "StartsWith": ["Delete"]})], "some", False),
        (ADVANCED, [advanced({"Field": "readOnly", "NotEquals": ["true"]})], "some", False),
        (ADVANCED, [advanced(category="Data"), advanced()], "all", True),
        (ADVANCED, [advanced(category="NetworkActivity")], "none", True),
        (BASIC, [], "none", False),
    ],
)
def test_selectors_say_which_events_are_delivered(form: str, selectors: Any, word: str, other: bool) -> None:
    found = delivered({form: selectors})
    assert (found.management, found.other_events) == (word, other)
    assert not ParamValidator().validate({"TrailName": "team", form: selectors}, SELECTORS).has_errors()


def test_what_fields_pick_is_held_by_all_events_alone_and_holds_nothing() -> None:
    picked = delivered({ADVANCED: [advanced({"Field": "eventName", "StartsWith": ["Delete"]})]})
    assert ALL.holds(picked)
    assert not delivered({BASIC: [basic(ExcludeManagementEventSources=[KMS])]}).holds(picked)
    assert not delivered({ADVANCED: [advanced(READ_ONLY), advanced(CHANGES_ONLY, WITHOUT_KMS)]}).holds(picked)
    assert not picked.holds(picked)


def test_reads_and_changes_are_no_copies_of_each_other() -> None:
    reads, changes = (delivered({BASIC: [basic(ReadWriteType=one)]}) for one in ("ReadOnly", "WriteOnly"))
    assert not reads.holds(changes)
    assert not changes.holds(reads)
    assert ALL.holds(reads)
    assert ALL.holds(changes)


EXCLUDED = st.none() | st.frozensets(st.sampled_from([KMS, "rdsdata.amazonaws.com"]))
EVENTS = st.builds(Delivered, EXCLUDED, EXCLUDED, st.booleans())


@given(EVENTS, EVENTS, EVENTS)
def test_all_events_hold_everything_and_what_holds_holds_what_is_held(
    one: Delivered, two: Delivered, three: Delivered
) -> None:
    assert ALL.holds(one)
    if one.holds(two) and two.holds(three):
        assert one.holds(three)
