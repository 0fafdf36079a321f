"""Rows of lists keep no ARN that ends in the resource's id: the beginning that a shard's resources share is enough."""

from __future__ import annotations

import json

import pytest

from finops.domain.price import Cost
from finops.domain.resource import Shard
from finops_web.listing import Filter
from finops_web.readings.kept_tags import Words
from finops_web.readings.resources import ResourceRow, slim

SHARD = Shard("111122223333", "us-east-1", "ec2-instance")
BEGINNING = "arn:aws:ec2:us-east-1:111122223333:instance/"


def row_of(identifier: str, arn: str, words: Words | None = None) -> ResourceRow:
    stored = {"id": identifier, "arn": arn, "name": "web", "state": "running", "tags": {}}
    resource, before = slim(json.dumps(stored), SHARD, words or Words())
    return ResourceRow(resource, Cost(None, None), None, None, before_id=before)


@pytest.mark.parametrize(
    ("identifier", "arn"),
    [
        ("i-1", f"{BEGINNING}i-1"),
        ("orders", "arn:aws:elasticloadbalancing:us-east-1:111122223333:loadbalancer/app/orders/50dc6c495c0c9188"),
        ("arn:aws:sns:us-east-1:111122223333:alerts", "arn:aws:sns:us-east-1:111122223333:alerts"),
        ("i-2", ""),
    ],
)
def test_a_row_says_its_arn_as_it_was_stored(identifier: str, arn: str) -> None:
    assert row_of(identifier, arn).arn == arn


def test_rows_of_a_shard_share_the_beginning_of_their_arns_and_keep_no_other() -> None:
    words = Words()
    first, second = (row_of(name, f"{BEGINNING}{name}", words) for name in ("i-1", "i-2"))

    assert first.before_id is second.before_id
    assert first.resource.arn == second.resource.arn == ""


def test_a_part_of_an_arn_finds_the_row_that_keeps_none() -> None:
    row = row_of("i-1", f"{BEGINNING}i-1")

    assert Filter(find="instance/i-1").matches(row)
    assert not Filter(find="instance/i-2").matches(row)
