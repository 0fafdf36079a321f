"""What the options of every listing leave out, and in which order they leave it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from finops.errors import InvalidInput
from finops_operator.cli.filters import Row, Sort, make_filter, ordered, require_check


def row(**changes: Any) -> Row:
    facts: dict[str, Any] = {
        "record": {},
        "account": "111111111111",
        "region": "us-east-1",
        "kind": "ec2-instance",
        "id": "i-1",
        "name": "web",
        "statuses": frozenset({"Blocked", "blocked"}),
        "checks": frozenset({"ec2_instance_idle"}),
        "tags": {"team": "shop", "empty": ""},
        "owner": "Ann",
        "savings": Decimal(20),
        "cost": Decimal(30),
    }
    return Row(**{**facts, **changes})


def keeps(of: Row | None = None, **asked: Any) -> bool:
    nothing: dict[str, Any] = dict.fromkeys(
        ("account", "region", "kind", "check", "owner", "status", "min_savings"), ""
    )
    return make_filter(**{**nothing, "tags": None, **asked}).matches(of or row())


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ({}, True),
        ({"account": "111111111111", "region": "us-east-1", "kind": "ec2-instance"}, True),
        ({"account": "222222222222"}, False),
        ({"region": "eu-west-1"}, False),
        ({"check": "ec2_instance_idle"}, True),
        ({"check": "ebs_volume_gp2"}, False),
        ({"tags": ["team"]}, True),
        ({"tags": ["team=shop", "empty="]}, True),
        ({"tags": ["team=shop", "other"]}, False),
        ({"tags": ["team=web"]}, False),
        ({"owner": "ann"}, True),
        ({"owner": "bob"}, False),
        ({"status": "BLOCKED"}, True),
        ({"status": "ready"}, False),
        ({"min_savings": "20"}, True),
        ({"min_savings": "20.01"}, False),
    ],
)
def test_a_row_is_kept_when_every_option_fits_it(asked: dict[str, Any], kept: bool) -> None:
    assert keeps(**asked) is kept


def test_an_unknown_saving_is_below_every_minimum() -> None:
    assert not keeps(row(savings=None), min_savings="0")


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ({"kind": "nothing-alike", "known_kinds": ["ebs-volume"]}, "known: ebs-volume"),
        ({"status": "ready!", "known_statuses": ["ready"]}, "did you mean ready?"),
        ({"status": "foo", "known_statuses": ["Advice", "advice", "ready"]}, "known: advice, ready"),
        ({"min_savings": "much"}, "write US dollars, such as 20"),
        ({"min_savings": "NaN"}, "write US dollars, such as 20"),
    ],
)
def test_what_cannot_match_anything_is_wrong_input_with_the_nearest_word(asked: dict[str, Any], hint: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        keeps(**asked)

    assert refused.value.hint == hint


def test_a_check_is_one_of_the_release_or_of_stored_advice() -> None:
    def never() -> list[str]:
        raise AssertionError

    require_check("", [], list)
    require_check("ec2_instance_idle", ["ec2_instance_idle"], never)
    require_check("our_rule", ["ec2_instance_idle"], lambda: ["our_rule"])
    with pytest.raises(InvalidInput) as refused:
        require_check("our_rul", ["ec2_instance_idle"], lambda: ["our_rule"])
    assert (refused.value.field, refused.value.hint) == ("--check", "did you mean our_rule?")


def test_sums_are_ordered_from_the_largest_with_unknown_ones_last() -> None:
    rows = [row(id="a", savings=None), row(id="b", savings=Decimal(1)), row(id="c", savings=Decimal(9))]

    assert [one.id for one in ordered(rows, Sort.SAVINGS)] == ["c", "b", "a"]


def test_names_are_ordered_whatever_their_case() -> None:
    rows = [row(name="beta"), row(name="Alpha")]

    assert [one.name for one in ordered(rows, Sort.NAME)] == ["Alpha", "beta"]
