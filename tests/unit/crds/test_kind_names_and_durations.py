from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.crds.durations import Duration, parse_duration
from finops.crds.naming import action_request_name, approval_name, json_text

DNS_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
STS_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)


@given(hours=st.integers(0, 9999), minutes=st.integers(0, 59))
def test_every_length_of_hours_and_minutes_is_read(hours: int, minutes: int) -> None:
    text = (f"{hours}h" if hours else "") + (f"{minutes}m" if minutes else "")
    if text:
        assert Duration(text).delta == parse_duration(text) == timedelta(hours=hours, minutes=minutes)


@given(st.text(alphabet="0123456789hms .-", max_size=9))
def test_a_text_is_a_duration_of_at_least_a_minute_or_an_error(text: str) -> None:
    try:
        delta = parse_duration(text)
    except ValueError as error:
        assert repr(text) in str(error)  # noqa: PT017 - both outcomes are right, each in its own way
    else:
        assert delta >= timedelta(minutes=1)


@pytest.mark.parametrize(("text", "minutes"), [("72h", 4320), ("90m", 90), ("1h30m", 90), ("1h5m", 65)])
def test_hours_and_minutes_are_read(text: str, minutes: int) -> None:
    assert Duration(text).delta == timedelta(minutes=minutes)


@pytest.mark.parametrize("text", ["", "0h", "3d", "30s", "1.5h", "1h60m", "30m1h", "-1h", "1h\n", "１h", "01h"])
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="hours and minutes such as 72h"):
        parse_duration(text)


@given(st.text(), st.text(), st.text(), st.text(), st.integers(min_value=1, max_value=1000))
def test_a_requests_name_is_valid_everywhere_it_goes(
    policy: str, action: str, resource: str, plan_hash: str, occurrence: int
) -> None:
    name = action_request_name(policy, action, resource, plan_hash, occurrence)
    assert len(name) <= 64
    assert DNS_SUBDOMAIN.fullmatch(name)
    assert STS_SESSION_NAME.fullmatch(name)


@pytest.mark.parametrize(
    "other",
    [
        ("production-2", "ec2_instance_resize", "i-0123456789abcdef0", "a" * 64, 1),
        ("production", "ec2_instance_stop", "i-0123456789abcdef0", "a" * 64, 1),
        ("production", "ec2_instance_resize", "i-0123456789abcdef1", "a" * 64, 1),
        ("production", "ec2_instance_resize", "i-0123456789abcdef0", "b" * 64, 1),
        ("production", "ec2_instance_resize", "i-0123456789abcdef0", "a" * 64, 2),
    ],
)
def test_each_argument_makes_another_name(other: tuple[str, str, str, str, int]) -> None:
    assert action_request_name(*other) != action_request_name(
        "production", "ec2_instance_resize", "i-0123456789abcdef0", "a" * 64
    )


def test_a_requests_name_says_policy_action_and_resource() -> None:
    name = action_request_name("production", "ec2_instance_stop", "i-0123456789abcdef0", "a" * 64)
    assert name.startswith("production-ec2-instance-stop-i-0123456789abcdef0-")


@given(st.text(), st.text(), st.sampled_from(["Approve", "Deny", "Withdraw"]))
def test_a_votes_name_is_short_valid_and_repeatable(uid: str, person: str, decision: str) -> None:
    name = approval_name(uid, person, decision)
    assert len(name) <= 63
    assert DNS_LABEL.fullmatch(name)
    assert name == approval_name(uid, person, decision)


def test_moving_a_character_between_person_and_uid_makes_another_vote() -> None:
    assert approval_name("uid", "xalice", "Approve") != approval_name("uidx", "alice", "Approve")


@given(st.dictionaries(st.text(), st.text()))
def test_json_text_is_printable_ascii(value: dict[str, str]) -> None:
    assert re.fullmatch("[ -~]*", json_text(value))
