"""What a ceiling leaves out of log reading: measured once a day, and read in its turn, the longest waiting first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.facts import NOW, flat
from tests.unit.services.awslambda.functions import function

from finops.domain.logged import LeftOut, Logged, LoggedBatch
from finops.domain.resource import Shard
from finops.domain.utilization import Utilization
from finops.store.connection import Store
from finops.store.keys import LoggedKeys
from finops.store.logged import LoggedStore
from finops_operator.plugins.logged import OVER_THE_CEILING, TOO_DEAR, Asking, ByteBudget, first_in_turn
from finops_operator.scan.logged import BYTES_PER_GB, READINGS_A_MONTH, LoggedReading, LogSource
from finops_operator.services.awslambda.rules.report_queries import REPORT_LINES, SIZE_UNKNOWN

SHARD: Final = Shard("111122223333", "eu-west-1", "lambda-function")
METRIC: Final = REPORT_LINES.metric
DAY: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)
READ: Final = Logged(flat(20.0, period=86_400), 100.0)
UNREAD: Final = Logged(reason=SIZE_UNKNOWN, failed="IncompleteAnswer")
CEILING: Final = 10.0


@dataclass
class Logs:
    """Log groups of a known size in place of AWS, as a policy sees them; notes which were measured and which were read.

    `selects`: functions that the policy selects, all where it is empty. `costs`: those whose cost is known.
    `unreadable`: those of which CloudWatch does not give the size.
    """

    sizes: Mapping[str, float]
    saves: float = 1e12
    costs: set[str] | None = None
    policy: str = "nightly"
    selects: str = ""
    ceiling: float = CEILING
    listed_whole: bool = True
    needless: set[str] = field(default_factory=set)
    unreadable: set[str] = field(default_factory=set)
    measured: list[str] = field(default_factory=list)
    read: list[str] = field(default_factory=list)

    def ask(self, _reader: Any, _pause: Any, asking: Asking) -> Iterator[LoggedBatch]:
        names = [one.id for one in asking.resources]
        self.measured += names
        lost = {one: UNREAD for one in names if one in self.unreadable}
        names = [one for one in names if one not in lost]
        left = {one: Logged(reason=why) for one in names if (why := asking.left_out(one, self.sizes[one]))}
        yield LoggedBatch(left_out=left | lost, sizes={one: self.sizes[one] for one in left})
        found = {one: READ for one in names if one not in left}
        self.read += found
        yield LoggedBatch(found)


def scanned(store: Store, logs: Logs, now: datetime, *pages: str) -> dict[str, str]:
    """Scan pages of functions named by a letter each, and return function → why its memory is not known."""
    metric = replace(
        REPORT_LINES,
        needed=lambda one, *_: one.id not in logs.needless,
        most_saved=lambda *_: Decimal(logs.saves) * READINGS_A_MONTH / BYTES_PER_GB,
        read=logs.ask,
    )
    rules: Any = SimpleNamespace(
        now=now,
        settings=SimpleNamespace(minimum_coverage_percent=Decimal(95)),
        lookup=lambda _: SimpleNamespace(amount=Decimal(1)),
    )
    reader: Any = SimpleNamespace(account=SHARD.account, region=SHARD.region)
    policy = ("team-a", logs.policy)
    logs.measured.clear()
    logs.read.clear()
    scan = LoggedReading(
        metric, SHARD, LogSource(reader, lambda _: None, ByteBudget(logs.ceiling), policy), LoggedStore(store)
    )
    unknown: dict[str, str] = {}
    cost: Any = object()
    for names in pages:
        resources = [replace(function(), id=one) for one in names]
        selected = {one: Utilization(one) for one in names if one in (logs.selects or names)}
        costs = {one: cost for one in names if logs.costs is None or one in logs.costs}
        found = scan.page(resources, selected, costs, rules)
        unknown |= {one: used.unknown.get(METRIC, "") for one, used in found.items()}
    if logs.listed_whole:
        scan.forget_gone()
    assert bool(scan.gaps()) == bool(logs.unreadable & set("".join(pages)))
    return unknown


def a_day_later(store: Store) -> None:
    """Answers are kept by the server's own clock."""
    every = LoggedKeys(store.keys.prefix).of_one(SHARD.account, SHARD.region, SHARD.kind, METRIC, "*")
    for key in store.client.keys(every):
        store.client.delete(key)


def test_what_a_scan_left_out_is_not_measured_again_for_a_day(store: Store) -> None:
    logs = Logs(dict.fromkeys("ab", CEILING + 1))
    first = scanned(store, logs, NOW, "a", "b")
    assert (logs.measured, first["a"]) == (["a", "b"], OVER_THE_CEILING)
    for hours in (1, 12, 23):
        why = scanned(store, logs, NOW + hours * HOUR, "a", "b")
        assert (logs.measured, logs.read) == ([], [])
        assert why["b"].startswith(OVER_THE_CEILING)
        assert f"left out since {NOW:%Y-%m-%d %H:%M} UTC" in why["b"]
    scanned(store, logs, NOW + DAY, "a", "b")
    assert logs.measured == ["a", "b"]


def test_what_costs_more_than_it_saves_is_kept_too_and_holds_nothing_back(store: Store) -> None:
    logs = Logs({"a": 9.0, "b": 5.0}, saves=8.0)
    scanned(store, logs, NOW, "ab")
    assert (logs.measured, logs.read) == (["a", "b"], ["b"])
    a_day_later(store)
    why = scanned(store, logs, NOW + HOUR, "ab")
    assert (logs.measured, logs.read, why["a"].partition(";")[0]) == (["b"], ["b"], TOO_DEAR)


def test_the_next_scan_of_the_same_day_reads_what_the_ceiling_left_out(store: Store) -> None:
    logs = Logs(dict.fromkeys("abc", CEILING))
    read = []
    for hour in range(4):
        scanned(store, logs, NOW + hour * HOUR, "a", "bc")
        read += logs.read
    assert read == ["a", "b", "c"]


def test_daily_scans_read_each_function_in_its_turn(store: Store) -> None:
    logs = Logs(dict.fromkeys("abcde", CEILING))
    read = []
    for day in range(11):
        scanned(store, logs, NOW + day * DAY, "ab", "cd", "e")
        a_day_later(store)
        read += logs.read
    assert "".join(read) == "abcdeabcdea"


def test_what_waits_keeps_its_turn_where_its_size_could_not_be_read(store: Store) -> None:
    logs = Logs(dict.fromkeys("abc", CEILING))
    scanned(store, logs, NOW, "abc")
    assert logs.read == ["a"]
    a_day_later(store)
    logs.unreadable.add("b")
    why = scanned(store, logs, NOW + DAY, "bc")
    assert (logs.read, why["b"]) == ([], SIZE_UNKNOWN), "it is held for, until it shows that it cannot be read"
    logs.unreadable.clear()
    a_day_later(store)
    scanned(store, logs, NOW + 2 * DAY, "abc")
    assert logs.read == ["b"]


def test_what_cannot_be_read_for_two_days_goes_to_the_end_and_holds_nothing_back(store: Store) -> None:
    logs = Logs(dict.fromkeys("abc", CEILING))
    scanned(store, logs, NOW, "abc")
    logs.unreadable.add("b")
    for day, read in ((1, []), (2, []), (3, ["c"])):
        a_day_later(store)
        scanned(store, logs, NOW + day * DAY, "bc")
        assert logs.read == read


def test_what_fits_beside_those_whose_turn_it_is_is_read_too(store: Store) -> None:
    logs = Logs({"a": 6.0, "b": 6.0, "c": 4.0, "d": 4.0})
    scanned(store, logs, NOW, "abcd")
    assert logs.read == ["a", "c"]
    a_day_later(store)
    scanned(store, logs, NOW + DAY, "abcd")
    assert logs.read == ["b", "d"]


def test_what_is_gone_or_needs_no_logs_any_more_holds_nothing_back(store: Store) -> None:
    logs = Logs(dict.fromkeys("abc", CEILING))
    scanned(store, logs, NOW, "abc")
    assert logs.read == ["a"]
    logs.needless.add("c")
    a_day_later(store)
    scanned(store, logs, NOW + DAY, "a", "c")
    assert logs.read == [], "bytes are held until its page has come, or the listing has ended"
    scanned(store, logs, NOW + 2 * DAY, "a", "c")
    assert logs.read == ["a"]


def test_a_listing_that_always_has_a_gap_holds_nothing_back_for_what_it_has_not_shown_in_32_days(store: Store) -> None:
    logs = Logs({"a": 5.0, "g": 9.0}, ceiling=8.0)
    scanned(store, logs, NOW, "g")
    logs.ceiling, logs.listed_whole = CEILING, False
    for days, read in ((1, []), (31, []), (32, ["a"])):
        a_day_later(store)
        scanned(store, logs, NOW + days * DAY, "a")
        assert logs.read == read
    assert LoggedStore(store).left_out(SHARD, METRIC, ("team-a", "nightly")) == {}


def test_what_another_policy_leaves_out_holds_nothing_back(store: Store) -> None:
    sizes = {"a": 5.0, "x": 9.0}
    small, large = Logs(sizes, policy="small", selects="x", ceiling=5.0), Logs(sizes, policy="large", selects="a")
    for day in range(3):
        a_day_later(store)
        scanned(store, small, NOW + day * DAY, "ax")
        scanned(store, large, NOW + day * DAY + HOUR, "ax")
        assert (small.read, large.read) == ([], ["a"])


def test_what_a_policy_selects_no_more_holds_nothing_back(store: Store) -> None:
    logs = Logs({"a": 5.0, "x": 9.0}, ceiling=8.0)
    scanned(store, logs, NOW, "x")
    logs.ceiling, logs.selects = CEILING, "a"
    scanned(store, logs, NOW + DAY, "ax")
    assert logs.read == ["a"]
    assert LoggedStore(store).left_out(SHARD, METRIC, ("team-a", "nightly")) == {}


def test_what_another_policy_read_holds_nothing_back(store: Store) -> None:
    sizes = {"a": 5.0, "x": 9.0}
    small, large = Logs(sizes, policy="small", ceiling=8.0), Logs(sizes, policy="large", selects="x")
    scanned(store, small, NOW, "x")
    scanned(store, large, NOW + HOUR, "x")
    small.ceiling = CEILING
    scanned(store, small, NOW + 2 * HOUR, "ax")
    assert (large.read, small.read) == (["x"], ["a"])


def test_what_has_no_cost_any_more_holds_bytes_back_once_at_most(store: Store) -> None:
    logs = Logs({"a": 5.0, "x": 9.0}, ceiling=8.0)
    scanned(store, logs, NOW, "x")
    logs.ceiling, logs.costs = CEILING, {"a"}
    scanned(store, logs, NOW + DAY, "a", "x")
    assert logs.read == []
    scanned(store, logs, NOW + 2 * DAY, "a", "x")
    assert logs.read == ["a"]


def test_bytes_are_held_only_for_what_fits_and_the_longest_waiting_first() -> None:
    def left(size: float, days: int, reason: str = OVER_THE_CEILING) -> LeftOut:
        return LeftOut(reason, size, NOW, NOW - days * DAY)

    waiting = {"new": left(4.0, 1), "old": left(5.0, 9), "large": left(11.0, 30), "dear": left(1.0, 40, TOO_DEAR)}
    assert first_in_turn(waiting, CEILING) == {"old": 5.0, "new": 4.0}


@given(
    st.lists(st.integers(1, 10), min_size=1, max_size=8),
    st.randoms(use_true_random=False),
)
@settings(max_examples=30, deadline=None)
def test_every_function_that_fits_is_read_within_as_many_scans_as_there_are(sizes: list[int], order: Any) -> None:
    """Whatever the order of listing; the ceiling is kept in each of them."""
    names = "abcdefgh"[: len(sizes)]
    size, left, read = dict(zip(names, map(float, sizes), strict=True)), dict[str, LeftOut](), set[str]()
    for day in range(len(names)):
        now = NOW + day * DAY
        budget = ByteBudget(CEILING)
        asking = Asking([], now, dict.fromkeys(names, 1e9), budget, first_in_turn(left, CEILING))
        for one in order.sample(names, len(names)):
            why = asking.left_out(one, size[one])
            if why:
                left[one] = replace(left.get(one, LeftOut(why, size[one], now, now)), measured=now)
            else:
                left.pop(one, None)
                read.add(one)
        assert budget.bytes_left >= 0
    assert read == set(names)
