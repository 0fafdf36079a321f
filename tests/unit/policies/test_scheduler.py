"""The scheduler's looks: what is tried again, what is left alone, and which figures are shown."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from tests.support.fake_clock import FakeClock
from tests.support.scan_samples import gap, policy, summary

from finops.crds.conditions import find_condition
from finops.crds.policy_status import ScanPolicyStatus
from finops.crds.scan_policy import ScanPolicy
from finops.domain.realised import Realised
from finops.domain.report import ScanSummary
from finops.errors import ClusterUnavailable, Conflict, FinopsError, InvalidInput, Refused, StoreUnavailable
from finops_operator.cluster.cache import ClusterCache
from finops_operator.cluster.objects import Gone
from finops_operator.policies.scheduler import Scheduler
from finops_operator.rules.policy_status import PolicyFigures
from finops_operator.telemetry import Telemetry

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

    outcome: ScanSummary | Exception = field(default_factory=summary)
    clock: FakeClock = field(default_factory=FakeClock)
    cache: ClusterCache = field(default_factory=ClusterCache)
    telemetry: Telemetry = field(default_factory=Telemetry)
    refuses: Callable[[ScanPolicyStatus], FinopsError | None] = lambda _: None
    scans: int = 0
    owed: bool = False
    may_write: bool = True
    silent: FinopsError | None = None
    follow_ups: list[float] = field(default_factory=list)
    """The times of the clock at which it was tried to bring the requests up to date."""
    policy: ScanPolicy = field(default_factory=policy)

    def __post_init__(self) -> None:
        self.cache.policies.put(self.policy)
        self.scheduler = Scheduler(
            cache=self.cache,
            policies=cast("Any", self),
            scan=self._scan,
            follow_up=self._follow_up,
            events=cast("Any", self),
            telemetry=self.telemetry,
            clock=self.clock,
            concurrency=1,
            may_write=lambda: self.may_write,
            see_accounts=lambda: None,
        )

    def _scan(self, _policy: ScanPolicy) -> ScanSummary:
        self.scans += 1
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def _follow_up(self, _policy: ScanPolicy, _summary: ScanSummary) -> PolicyFigures:
        self.follow_ups.append(self.clock.monotonic())
        if self.silent is not None and len(self.follow_ups) > 1:
            raise self.silent
        return PolicyFigures(0, Realised(), self.owed)

    def publish(self, *_: Any, **__: Any) -> None:
        """Events are told to nobody."""

    def write_status(self, _policy: ScanPolicy, change: Callable[[ScanPolicy], dict[str, Any]]) -> ScanPolicy:
        """Stand in for `Objects`: one status, refused as the test says."""
        status = ScanPolicyStatus.model_validate(change(self.policy))
        if (error := self.refuses(status)) is not None:
            raise error
        self.policy = self.policy.model_copy(update={"status": status})
        self.cache.policies.put(self.policy)
        return self.policy

    def look(self, *, after: float = 0.0) -> None:
        """Let the scheduler look once, and wait for the scan that it starts."""
        self.clock.sleep(after)
        with ThreadPoolExecutor(1) as pool:
            self.scheduler._start_due(pool)

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


def test_an_error_that_nobody_expected_stands_in_the_status_and_the_policy_is_scanned_again_later() -> None:
    rig = Rig(KeyError("no such column"))
    rig.look()
    ready = find_condition(rig.policy.status.conditions, "Ready")
    assert ready is not None
    assert (ready.status.value, ready.reason) == ("False", "ScanFailed")
    assert "KeyError" in ready.message
    assert rig.telemetry.registry.get_sample_value("finops_defects_total", {"part": "scans"}) == 1

    rig.look(after=1)
    assert rig.scans == 1
    rig.look(after=20)
    assert rig.scans == 2


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
    rig.cache.policies.put(rig.policy)

    rig.look()

    assert rig.scans == 2
    assert rig.stalled() == "False"


def test_a_policy_that_is_gone_when_its_status_is_written_is_not_scanned_again_and_again() -> None:
    rig = Rig(IMPOSSIBLE, refuses=lambda _: Gone("it was deleted"))
    rig.look()
    rig.look(after=1)
    assert rig.scans == 1
    rig.cache.policies.drop(("team-a", "p"), rig.policy.metadata.uid)
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


def between(times: list[float]) -> list[float]:
    return [later - earlier for earlier, later in itertools.pairwise(times)]


@pytest.mark.parametrize(
    ("silent", "pauses"),
    [
        (None, [2, 4, 8, 16, 32, 64, 128, 180, 180]),
        (StoreUnavailable("it does not answer"), [2, 30, 60, 120, 180, 180]),
    ],
    ids=["ledger or lease", "store"],
)
def test_while_what_follows_a_scan_cannot_be_done_it_is_tried_more_and_more_rarely(
    silent: FinopsError | None, pauses: list[float]
) -> None:
    rig = Rig(owed=True, silent=silent)
    while rig.scans < 2 and len(rig.follow_ups) <= len(pauses):
        rig.look(after=1)
    assert rig.scans == 1
    assert between(rig.follow_ups) == pauses


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (Conflict("the policy changed", code="Conflict"), logging.INFO),
        (ClusterUnavailable("it restarts"), logging.INFO),
        (Refused("may not patch scanpolicies/status", code="Forbidden"), logging.WARNING),
    ],
)
def test_a_status_that_the_next_pass_writes_is_no_warning_and_a_missing_right_is(
    caplog: pytest.LogCaptureFixture, error: FinopsError, level: int
) -> None:
    rig = Rig(IMPOSSIBLE, refuses=lambda _: error)
    with caplog.at_level(logging.INFO):
        rig.look()
    assert {line.levelno for line in caplog.records if line.getMessage().startswith("status ")} == {level}


def test_requests_brought_up_to_date_leave_no_pause_behind() -> None:
    rig = Rig(owed=True)
    for _ in range(20):
        rig.look(after=1)
    rig.owed = False
    for _ in range(60):
        rig.look(after=1)
    done = len(rig.follow_ups)
    assert rig.scheduler._parts.backoff.until(("team-a", "p"), rig.policy) is None

    for _ in range(60):
        rig.look(after=1)
    assert len(rig.follow_ups) == done


def test_a_lease_that_comes_late_is_made_up_for_at_once() -> None:
    rig = Rig(owed=True, may_write=False)
    for _ in range(60):
        rig.look(after=1)
    assert len(rig.follow_ups) == 1
    rig.owed, rig.may_write = False, True
    rig.look()
    assert len(rig.follow_ups) == 2
