"""The scheduler's looks: what is tried again, what is left alone, and which figures are shown."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, cast

import pytest
from tests.unit.operator_core.fake_clock import FakeClock
from tests.unit.stages.samples import gap, policy, summary

from finops.domain.report import ScanSummary
from finops.errors import ClusterUnavailable, FinopsError, InvalidInput
from finops.kinds.conditions import find_condition
from finops.kinds.policy_status import ScanPolicyStatus
from finops.kinds.scan_policy import ScanPolicy
from finops_operator.objects import Gone
from finops_operator.scheduler import Scheduler
from finops_operator.stages.policy_status import Standing
from finops_operator.telemetry import Telemetry
from finops_operator.world import World

LABELS = {"namespace": "team-a", "policy": "p"}
FIGURES = (
    "finops_resources",
    "finops_resources_unpriced",
    "finops_estimated_monthly_cost",
    "finops_potential_monthly_savings",
)


@dataclass
class Rig:
    """A scheduler that looks when it is told, over one policy whose scans end as the test says."""

    outcome: ScanSummary | FinopsError = field(default_factory=summary)
    clock: FakeClock = field(default_factory=FakeClock)
    world: World = field(default_factory=World)
    telemetry: Telemetry = field(default_factory=Telemetry)
    refuses: Callable[[ScanPolicyStatus], FinopsError | None] = lambda _: None
    scans: int = 0
    policy: ScanPolicy = field(default_factory=policy)

    def __post_init__(self) -> None:
        self.world.policies.put(self.policy)
        self.scheduler = Scheduler(
            world=self.world,
            policies=cast("Any", self),
            scan=self._scan,
            follow_up=lambda _policy, _summary: Standing(0, Decimal(0)),
            events=cast("Any", self),
            telemetry=self.telemetry,
            clock=self.clock,
            concurrency=1,
            may_write=lambda: True,
            see_accounts=lambda: None,
        )

    def _scan(self, _policy: ScanPolicy) -> ScanSummary:
        self.scans += 1
        if isinstance(self.outcome, FinopsError):
            raise self.outcome
        return self.outcome

    def publish(self, *_: Any, **__: Any) -> None:
        """Events are told to nobody."""

    def write_status(self, _policy: ScanPolicy, change: Callable[[ScanPolicy], dict[str, Any]]) -> ScanPolicy:
        """Stand in for `Objects`: one status, refused as the test says."""
        status = ScanPolicyStatus.model_validate(change(self.policy))
        if (error := self.refuses(status)) is not None:
            raise error
        self.policy = self.policy.model_copy(update={"status": status})
        self.world.policies.put(self.policy)
        return self.policy

    def look(self, *, after: float = 0.0) -> None:
        """Let the scheduler look once, and wait for the scan that it starts."""
        self.clock.sleep(after)
        with ThreadPoolExecutor(1) as pool:
            self.scheduler._look(pool)

    def stalled(self) -> str:
        found = find_condition(self.policy.status.conditions, "Stalled")
        return "" if found is None else found.status.value

    def shown(self, name: str) -> float | None:
        return self.telemetry.registry.get_sample_value(name, LABELS)


IMPOSSIBLE = InvalidInput("there is no check of this name", field="spec.checks[0].id")


def unwritten(status: ScanPolicyStatus) -> FinopsError | None:
    found = find_condition(status.conditions, "Stalled")
    return ClusterUnavailable("it restarts") if found is not None and found.status.value == "True" else None


def test_a_policy_that_asks_for_something_impossible_is_tried_once_and_says_so() -> None:
    rig = Rig(IMPOSSIBLE)
    for _ in range(5):
        rig.look(after=3600)

    assert rig.scans == 1
    assert rig.stalled() == "True"


def test_what_could_not_be_written_about_it_is_written_once_it_can_be() -> None:
    rig = Rig(IMPOSSIBLE, refuses=unwritten)
    rig.look()
    assert rig.stalled() == "False"

    # The API server is asked again after a while, not at once.
    rig.look(after=1)
    assert rig.scans == 1
    rig.refuses = lambda _: None
    rig.look(after=20)

    assert rig.stalled() == "True"
    for _ in range(3):
        rig.look(after=3600)
    assert rig.scans == 2


def test_a_change_of_an_impossible_policy_is_tried_at_once() -> None:
    rig = Rig(IMPOSSIBLE)
    rig.look()
    rig.outcome = summary()
    changed = policy(generation=2)
    rig.policy = changed.model_copy(update={"status": rig.policy.status})
    rig.world.policies.put(rig.policy)

    rig.look()

    assert rig.scans == 2
    assert rig.stalled() == "False"


def test_a_policy_that_is_gone_when_its_status_is_written_is_not_scanned_again_and_again() -> None:
    rig = Rig(IMPOSSIBLE, refuses=lambda _: Gone("it was deleted"))
    rig.look()
    rig.look(after=1)
    assert rig.scans == 1
    rig.world.policies.drop(("team-a", "p"), rig.policy.metadata.uid)
    rig.look(after=3600)
    assert rig.scans == 1


@pytest.mark.parametrize("name", FIGURES)
def test_a_scan_that_saw_nothing_leaves_no_figures_of_the_one_before(name: str) -> None:
    rig = Rig(summary(unpriced_resources=3))
    rig.look()
    assert rig.shown(name) is not None
    seen = rig.shown("finops_last_success_timestamp_seconds")

    rig.outcome = summary(gap("AssumeRoleFailed", region=""), complete_failure="nothing could be scanned")
    rig.look(after=7200)

    assert rig.shown(name) is None
    assert rig.shown("finops_gaps") == 1
    assert rig.shown("finops_last_success_timestamp_seconds") == seen
    rig.outcome = summary()
    rig.look(after=7200)
    assert rig.shown(name) is not None


def test_a_first_scan_that_saw_nothing_shows_no_figures() -> None:
    rig = Rig(summary(gap("AssumeRoleFailed", region=""), complete_failure="nothing could be scanned"))
    rig.look()
    assert [rig.shown(name) for name in FIGURES] == [None] * len(FIGURES)
