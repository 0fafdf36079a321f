"""Money adds up, and what is hashed has one spelling."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.audit_verify import verify
from finops.domain.audit import GENESIS_HASH, Entry, Record, RecordKind, record_from_json
from finops.domain.canonical import canonical_json, sha256_hex
from finops.domain.money import (
    annual_from_monthly,
    as_text,
    clamp_saving,
    daily_from_monthly,
    shares,
    to_cents,
    total,
)
from finops.domain.plan import Plan, PlanStep
from finops.domain.recommendation import ResourceRef

amounts = st.decimals(min_value=0, max_value=10**7, places=6)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def test_the_classic_sheet_comes_out_to_the_cent() -> None:
    monthly = to_cents(Decimal("0.0928") * 720)

    assert (monthly, annual_from_monthly(monthly)) == (Decimal("66.82"), Decimal("801.84"))
    assert as_text(monthly) == "66.82"
    assert as_text(None) is None


@given(hourly=st.decimals(min_value=0, max_value=500, places=8))
def test_the_yearly_column_is_twelve_times_the_monthly_one(hourly: Decimal) -> None:
    monthly = to_cents(hourly * 730)

    assert annual_from_monthly(monthly) == monthly * 12


@given(st.lists(amounts | st.none(), max_size=30))
def test_a_total_is_the_sum_of_what_the_rows_show(rows: list[Decimal | None]) -> None:
    shown = [to_cents(row) for row in rows if row is not None]

    assert total(rows) == sum(shown, Decimal(0))
    assert total(reversed(rows)) == total(rows)
    assert -total(rows).as_tuple().exponent == 2  # type: ignore[operator]  # a finite number


@given(saving=st.decimals(-(10**6), 10**6, places=4), cost=amounts)
def test_a_saving_is_never_negative_and_never_more_than_the_cost(saving: Decimal, cost: Decimal) -> None:
    assert 0 <= clamp_saving(saving, cost) <= cost


@pytest.mark.parametrize(
    ("exact", "rounded"), [("0.005", "0.01"), ("0.0049", "0.00"), ("2.675", "2.68"), ("1e3", "1000.00")]
)
def test_half_a_cent_is_rounded_up_as_invoices_do(exact: str, rounded: str) -> None:
    assert as_text(to_cents(Decimal(exact))) == rounded


def test_a_day_is_24_of_the_hours_that_a_month_counts() -> None:
    assert daily_from_monthly(Decimal("730.00")) == Decimal("24.00")
    assert daily_from_monthly(Decimal("100.00"), Decimal(720)) == Decimal("3.33")


@given(JSON)
def test_canonical_json_is_json_and_stays_the_same_when_read_and_written_again(value: Any) -> None:
    text = canonical_json(value)

    assert json.loads(text.decode("utf-8", errors="surrogatepass")) == value
    assert canonical_json(json.loads(text.decode("utf-8", errors="surrogatepass"))) == text


@given(st.dictionaries(st.text(), st.integers(), min_size=2, max_size=6))
def test_the_order_of_keys_does_not_change_a_hash(value: dict[str, int]) -> None:
    assert sha256_hex(dict(reversed(value.items()))) == sha256_hex(value)


@pytest.mark.parametrize(
    "value",
    [1.0, [0.5], {"a": {"b": (1, 2.0)}}, float("nan"), {1: "a"}, {"a": {2: 3}}, {"a": object()}, {"a": Decimal(1)}],
)
def test_what_has_no_single_spelling_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        canonical_json(value)


def plan(**changes: Any) -> Plan:
    resource = ResourceRef(
        "ec2-instance", "i-1", "arn:aws:ec2:us-east-1:111122223333:instance/i-1", "111122223333", "us-east-1"
    )
    step = PlanStep("stop", "ec2:StopInstances", {"InstanceIds": ["i-1"]}, "start")
    made = Plan("ec2_instance_stop", resource, {}, (step, PlanStep("wait_stopped")), {"state": "running"})
    return replace(made, **changes)


def test_the_hash_of_a_plan_is_bound_to_everything_but_the_name_tag() -> None:
    base = plan()
    renamed = plan(resource=replace(base.resource, name="<!channel>"))
    changed = [
        plan(action="other"),
        plan(resource=replace(base.resource, region="eu-central-1")),
        plan(parameters={"instanceType": "t3.small"}),
        plan(steps=base.steps[:1]),
        plan(steps=(replace(base.steps[0], inverse=""), base.steps[1])),
        plan(fingerprint={"state": "stopped"}),
    ]

    assert renamed.hash == base.hash
    assert len({base.hash, *(one.hash for one in changed)}) == 7
    assert [step.changes for step in base.steps] == [True, False]


entries = st.builds(
    Entry,
    operation_id=st.text(min_size=1, max_size=20),
    actor=st.text(max_size=20),
    kind=st.sampled_from([kind for kind in RecordKind if kind not in {RecordKind.INTENT, RecordKind.OUTCOME}]),
    step=st.text(max_size=10),
    attempt=st.integers(0, 5),
    result=st.text(max_size=10),
    detail=st.dictionaries(st.text(), JSON, max_size=3),
)


@given(entry=entries, microseconds=st.integers(0, 10**15), hours=st.integers(-12, 14))
def test_a_record_survives_its_document_in_any_time_zone(entry: Entry, microseconds: int, hours: int) -> None:
    zone = timezone(timedelta(hours=hours))
    at = (datetime(2020, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)).astimezone(zone)
    record = Record(1, GENESIS_HASH, at, 3, entry)

    again = record_from_json(json.loads(json.dumps(record.to_json())))

    assert again.hash == record.hash
    assert again.time == record.time


def test_a_chain_of_records_passes_the_verifier_that_shares_no_code_with_it() -> None:
    previous, lines = GENESIS_HASH, []
    for number in range(1, 4):
        entry = Entry(f"policy:{number}", "operator", RecordKind.POLICY_CHANGED, detail={"text": "<ß>\u2028\x00"})
        record = Record(number, previous, datetime(2026, 1, number, tzinfo=UTC), 1, entry)
        lines.append(canonical_json({"hash": record.hash, "record": record.to_json(), "signature": ""}))
        previous = record.hash

    assert verify(lines).problems == ()
    assert verify([lines[0], lines[2]]).problems != ()


@pytest.mark.parametrize("change", [{"detail": []}, {"kind": "unheard"}, {"sequence": "x"}, {"time": "yesterday"}])
def test_what_is_not_a_record_is_refused(change: dict[str, Any]) -> None:
    entry = Entry("policy:1", "operator", RecordKind.POLICY_CHANGED)
    document = Record(1, GENESIS_HASH, datetime(2026, 1, 1, tzinfo=UTC), 1, entry).to_json()

    with pytest.raises((TypeError, ValueError)):
        record_from_json({**document, **change})


@given(st.lists(st.decimals(0, 1_000_000, places=2), max_size=40))
def test_percentages_add_up_to_a_hundred_and_none_is_a_tenth_off(amounts: list[Decimal]) -> None:
    found, whole = shares(amounts), sum(amounts, Decimal(0))
    assert len(found) == len(amounts)
    assert sum(found, Decimal(0)) == (100 if whole else 0)
    for amount, share in zip(amounts, found, strict=True):
        assert abs(share - (100 * amount / whole if whole else 0)) < Decimal("0.1")


def test_three_equal_parts_are_one_hundred_together() -> None:
    assert shares([Decimal(10)] * 3) == [Decimal("33.4"), Decimal("33.3"), Decimal("33.3")]
