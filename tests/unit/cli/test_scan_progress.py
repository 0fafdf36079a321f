"""What a person sees of a running scan: what is done, what it waits for, and a remaining time only once it is known."""

from __future__ import annotations

import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from finops.domain.resource import Shard
from finops_operator.aws.limiter import DATAPOINTS
from finops_operator.cli.scan_progress import Standing, TerminalProgress, roughly, shard_line, terminal_progress
from finops_operator.scan.progress import FinishedShard

ONE, OTHER, THIRD = (
    Shard("111111111111", "us-east-1", "ec2-instance"),
    Shard("111111111111", "eu-central-1", "ebs-volume"),
    Shard("222222222222", "us-east-1", "ec2-instance"),
)


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def done(shard: Shard, resources: int = 3, **changes: int) -> FinishedShard:
    figures = {"unpriced": 0, "gaps": 0, "recommendations": 0, **changes}
    return FinishedShard(shard, resources, Decimal("1234.5"), **figures)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def progress(clock: Clock, lines: list[str]) -> TerminalProgress:
    return TerminalProgress(lines.append, clock)


def test_before_the_regions_are_known_it_says_what_is_asked(progress: TerminalProgress) -> None:
    assert progress.sentence() == "asking AWS for the regions"


def test_accounts_regions_and_resources_count_what_is_done_of_all(progress: TerminalProgress) -> None:
    progress.planned([ONE, OTHER, THIRD])
    progress.listed(ONE, 1_200)
    progress.judged(ONE, 500)
    assert progress.sentence() == (
        "0 of 2 accounts · 0 of 3 regions · 500 of 1,200 resources found so far judged · time left not known yet"
    )
    progress.judged(ONE, 700)
    progress.finished(done(ONE, 1_200))
    progress.finished(done(THIRD))
    assert progress.sentence().startswith("1 of 2 accounts · 2 of 3 regions · 1,200 of 1,200 resources")


def test_a_shard_that_brought_something_gets_a_line_when_it_ends(progress: TerminalProgress, lines: list[str]) -> None:
    progress.planned([ONE, OTHER, THIRD])
    progress.finished(done(OTHER, 0))
    assert lines == []
    progress.finished(done(ONE, 2, unpriced=1, gaps=1, recommendations=2))
    progress.finished(done(THIRD, 0, gaps=2))
    assert [" ".join(line.split()) for line in lines] == [
        "111111111111 us-east-1 ec2-instance 2 resources at least 1,234.50 USD a month 2 recommendations 1 gap",
        "222222222222 us-east-1 ec2-instance 0 resources 1,234.50 USD a month 2 gaps",
    ]


def test_the_lines_of_one_scan_stand_in_columns() -> None:
    first, second = shard_line(done(ONE, 12_345), 12, 12), shard_line(done(OTHER, 1), 12, 12)
    assert first.index("USD") == second.index("USD")


def test_the_quota_that_holds_it_back_longest_is_named_as_long_as_it_does(
    progress: TerminalProgress, clock: Clock
) -> None:
    progress.planned([ONE])
    progress.waits("ec2", 4)
    progress.waits(DATAPOINTS, 42)
    assert "waits 40 s for AWS's quota of CloudWatch datapoints" in progress.sentence()
    clock.at += 41
    assert "waits" not in progress.sentence()


def test_a_short_wait_is_not_said(progress: TerminalProgress) -> None:
    progress.planned([ONE])
    progress.waits("ec2", 1)
    assert "waits" not in progress.sentence()


def test_the_rest_is_estimated_from_the_pace_so_far(progress: TerminalProgress, clock: Clock) -> None:
    progress.planned([ONE, OTHER])
    progress.listed(ONE, 1000)
    clock.at += 30
    assert progress.sentence().endswith("time left not known yet")
    progress.judged(ONE, 500)
    # A quarter in half a minute.
    assert progress.sentence().endswith("about 2 min left")


def test_less_is_never_promised_than_the_quota_takes(progress: TerminalProgress, clock: Clock) -> None:
    progress.planned([ONE, OTHER])
    clock.at += 10
    progress.finished(done(ONE))
    progress.waits(DATAPOINTS, 300)
    assert progress.sentence().endswith("about 5 min left")


def test_a_second_scan_begins_anew(progress: TerminalProgress, clock: Clock) -> None:
    progress.planned([ONE])
    progress.finished(done(ONE))
    clock.at += 50
    progress.planned([OTHER])
    assert progress.sentence().startswith("0 of 1 account · 0 of 1 region · 0 of 0 resources")


@given(
    finished=st.integers(0, 20),
    open_=st.integers(0, 20),
    judged=st.integers(0, 100),
    found=st.integers(0, 100),
    elapsed=st.floats(0, 1e6),
)
def test_the_share_stays_a_share_and_the_rest_shrinks_with_it(
    finished: int, open_: int, judged: int, found: int, elapsed: float
) -> None:
    shards = tuple(Shard("111111111111", f"region-{number}", "ec2-instance") for number in range(finished + open_))
    standing = Standing(shards, set(shards[:finished]))
    before = standing.share
    if open_:
        standing.found[shards[-1]], standing.judged[shards[-1]] = found, judged
    assert 0 <= before <= standing.share <= 1
    rest = standing.remaining_seconds(elapsed)
    assert rest is None or 0 <= rest <= 9.0001 * elapsed
    assert (standing.share == 1 and elapsed >= 5) is (rest == 0)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "1 s"), (7.4, "7 s"), (34, "30 s"), (59, "60 s"), (61, "1 min"), (5400, "1.5 h")]
)
def test_an_estimate_is_no_more_precise_than_it_is(seconds: float, words: str) -> None:
    assert roughly(seconds) == words


def test_on_a_terminal_only_the_finished_lines_are_left() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100, markup=False, highlight=False)
    with terminal_progress(console) as shown:
        shown.planned([ONE])
        shown.finished(done(ONE))
    assert isinstance(console.file, io.StringIO)
    printed = console.file.getvalue()
    assert "3 resources" in printed
    # The line that changed is taken back.
    assert printed.rindex("\x1b[2K") > printed.rindex("1 of 1 account")
