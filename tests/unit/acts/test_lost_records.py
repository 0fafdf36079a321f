"""Acts that had begun when records of the ledger were lost are known as such by whoever takes over."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

from tests.support.resize_world import RESOURCE

from finops.domain.audit import GENESIS_HASH, LOSS_ACCEPTED, Entry, Record, RecordKind
from finops.domain.plan import Plan, PlanStep
from finops_operator.acts.journal import in_flight

PLAN = Plan("ec2_instance_stop", RESOURCE, {}, (PlanStep("stop", "ec2:StopInstances", {}),), {})


class Ledger:
    """What whoever takes over reads."""

    def __init__(self, *entries: Entry) -> None:
        at = datetime(2026, 3, 1, tzinfo=UTC)
        self.records = [Record(number, GENESIS_HASH, at, 1, entry) for number, entry in enumerate(entries, start=1)]

    def unfinished(self) -> list[Record]:
        return self.records


def started(name: str) -> Entry:
    detail: dict[str, Any] = {
        "policy": "p",
        "account": "production",
        "plan": PLAN.to_json(),
        "deciders": ["k8s.alice"],
        "dryRun": False,
        "estimate": {},
    }
    return Entry(
        f"{name}:started",
        "operator",
        RecordKind.OUTCOME,
        f"team-a/{name}/{name}",
        plan_hash=PLAN.hash,
        result="started",
        detail=detail,
    )


LOSS = Entry("checkpoint:accepted:1 x", "operator", RecordKind.CHECKPOINT, result=LOSS_ACCEPTED)
CHECKPOINT = Entry("checkpoint:100", "operator", RecordKind.CHECKPOINT, result="made")


def lost(*entries: Entry) -> dict[str, bool]:
    return {one.name: one.records_lost for one in in_flight(cast("Any", Ledger(*entries)))}


def test_only_acts_that_began_before_the_loss_have_lost_records() -> None:
    assert lost(started("before"), LOSS, started("after")) == {"before": True, "after": False}


def test_an_ordinary_checkpoint_is_no_loss() -> None:
    assert lost(started("one"), CHECKPOINT) == {"one": False}
