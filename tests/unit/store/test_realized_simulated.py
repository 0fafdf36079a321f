"""Acts and undos of two policies on one resource, while others change it too, save no more than a plain simulation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.act_world import ACCOUNT, REGION
from tests.support.scan_samples import NOW, summary
from tests.support.web_estate import resource

from finops.domain.lasting import Lasting
from finops.domain.resource import Shard
from finops.store.realized_sums import counted, realised_a_month
from finops.store.recommendations import PolicyHead
from finops_operator.policies.saved_hours import SavedHours
from finops_operator.services.ec2.actions.ec2_instance_resize import ACTION as RESIZE

SHARD: Final = Shard(ACCOUNT, REGION, "ec2-instance")
PRICES: Final = {name: Decimal(price) for name, price in (("a", 100), ("b", 60), ("c", 40), ("d", 120), ("e", 55))}
POLICIES: Final = (("team-a", "first"), ("team-a", "second"))
_HOUR: Final = timedelta(hours=1)


class Savings:
    """The entries, and what scans saw, in memory."""

    def __init__(self) -> None:
        self.entries: list[dict[str, str]] = []
        self.known: dict[str, Lasting] = {}

    def read(self) -> list[dict[str, str]]:
        return self.entries

    def seen(self) -> dict[str, Lasting]:
        return dict(self.known)

    def note_seen(self, found: Mapping[str, Lasting]) -> None:
        self.known |= found


@dataclass
class Simulation:
    """A resource whose setting decides its cost; each event takes an hour.

    Attributes:
        setting, use: as they are; it costs the price of the setting times the use.
        without: the setting that it would have without our savings: the first one, what others set since, or what
            somebody asked for when nothing was saved.
        made: request → what its act has set since, as long as something is saved; without those that were undone.
        before: request → both of these before its act, as long as nobody else changed the setting.
        past: the setting of each hour.
    """

    setting: str
    use: Decimal = Decimal(1)
    by_use: bool = False
    hours: int = 0
    without: str = ""
    made: dict[str, str] = field(default_factory=dict)
    before: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)
    past: list[str] = field(default_factory=list)
    unseen: set[tuple[str, str]] = field(default_factory=set)
    savings: Savings = field(default_factory=Savings)

    def __post_init__(self) -> None:
        self.without = self.setting
        store: Any = self.savings
        inventory: Any = SimpleNamespace(head=lambda _: self._head(), many=lambda *_: {"i-1": self._listed()})
        costs: Any = SimpleNamespace(many=lambda *_: {"i-1": SimpleNamespace(part=lambda _: self.cost(self.setting))})
        self.notes = SavedHours(store, inventory, costs, {RESIZE.id: RESIZE})

    def cost(self, setting: str) -> Decimal:
        return PRICES[setting] * self.use

    @property
    def saves(self) -> Decimal:
        """What is saved a month by now, against the setting without our savings."""
        return self.cost(self.without) - self.cost(self.setting)

    def act(self, policy: tuple[str, str], to: str) -> None:
        if PRICES[to] == PRICES[self.setting]:
            return
        self._enter(policy, to, "")

    def undo(self, policy: tuple[str, str]) -> None:
        """Undo the latest act of a policy that was not undone, where the resource is as the act left it.

        Once somebody else changed it meanwhile, nobody knows what is saved by then: nothing (ADR 0051).
        """
        undone = {one["undoes"] for one in self.savings.entries}
        own = [one for one in self.savings.entries if one["policy"] == policy[1] and not one["undoes"]]
        left = [one for one in own if one["request"] not in undone]
        if not left or left[-1]["set"] != self.setting or left[-1]["was"] == self.setting:
            return
        act = left[-1]
        without, made = self.before.get(act["request"], (act["was"], {}))
        self._enter(policy, act["was"], act["request"])
        self.without, self.made = without, made

    def foreign(self, to: str) -> None:
        """Let somebody else change it; what nobody saw before it is seen first, by scans of both policies."""
        if self.unseen:
            self.scan(*POLICIES)
        if to == self.setting:
            return
        if to not in self.made.values():
            self.without, self.made = to, {}
        # What acts set after the one that it leads back to is theirs no more.
        while self.made and list(self.made.values())[-1] != to:
            self.made.popitem()
        self.unseen = set(POLICIES)
        self.before = {}
        self._pass(to)

    def scan(self, *policies: tuple[str, str]) -> None:
        self._pass(self.setting)
        for policy in policies:
            self.notes.note(policy, PolicyHead("g", summary(), ((SHARD, f"g{self.hours}"),)))
            self.unseen.discard(policy)

    def a_month(self) -> Decimal:
        every = realised_a_month(self.savings.entries, self.now, self.savings.known)
        parts = [self.notes.a_month(policy, self.now) for policy in POLICIES]
        assert sum((one.net for one in parts), Decimal(0)) == every.net, "each act counts for one policy"
        assert sum(one.known + one.unknown for one in parts) == len(self.savings.entries), "and once"
        return every.net

    @property
    def now(self) -> Any:
        return NOW + self.hours * _HOUR

    def _enter(self, policy: tuple[str, str], to: str, undoes: str) -> None:
        before, after = self.cost(self.setting), self.cost(to)
        self.before[f"r{len(self.savings.entries)}"] = (self.without, self.made)
        if PRICES[to] > PRICES[self.setting] >= PRICES[self.without]:
            self.without = to
        self.made = {} if to == self.without else {**self.made, f"r{len(self.savings.entries)}": to}
        was = self.setting
        self._pass(to)
        self.unseen = set()
        self.savings.entries.append(
            {
                "request": f"r{len(self.savings.entries)}",
                "namespace": policy[0],
                "policy": policy[1],
                "account": ACCOUNT,
                "region": REGION,
                "kind": "ec2-instance",
                "id": "i-1",
                "resource": "arn:i-1",
                "action": RESIZE.id,
                "before": f"{before}",
                "after": f"{after}",
                "saving": f"{before - after}",
                "hoursPerMonth": "730",
                "undoes": undoes,
                "lastsDays": "",
                "parts": "",
                "part": "",
                "moving": f"{max(before, after)}" if self.by_use else "0",
                "setting": "size",
                "set": to,
                "was": was,
                "time": self.now.isoformat(timespec="seconds"),
            }
        )

    def _pass(self, setting: str) -> None:
        """Let an hour pass, at whose end the setting is another one."""
        self.past.append(self.setting)
        self.hours += 1
        self.setting = setting

    def _head(self) -> Any:
        return SimpleNamespace(generation=f"g{self.hours}", started=self.now, gaps=())

    def _listed(self) -> Any:
        return replace(resource("ec2-instance", "i-1"), attributes={"size": self.setting})


_POLICY: Final = st.sampled_from(POLICIES)
_SETTING: Final = st.sampled_from(sorted(PRICES))
_EVENT: Final = st.one_of(
    st.tuples(st.just("act"), _POLICY, _SETTING),
    st.tuples(st.just("undo"), _POLICY),
    st.tuples(st.just("foreign"), _SETTING),
    st.tuples(st.just("scan"), _POLICY),
)
_FALL: Final = st.tuples(st.just("use"), st.sampled_from(["0.9", "0.5", "0.1"]))


def after(first: str, events: Sequence[tuple[Any, ...]], *, by_use: bool) -> Simulation:
    one = Simulation(first, by_use=by_use)
    for what, *given_ in events:
        if what == "use":
            one.use *= Decimal(given_[0])
        else:
            getattr(one, what)(*given_)
    one.scan(*POLICIES)
    return one


@given(_SETTING, st.lists(_EVENT, max_size=10), st.booleans())
@settings(max_examples=1000, deadline=None)
def test_two_policies_save_together_no_more_a_month_than_the_resource_costs_less(
    first: str, events: list[tuple[Any, ...]], by_use: bool
) -> None:
    one = after(first, events, by_use=by_use)
    assert one.a_month() <= max(one.saves, Decimal(0))


@given(_SETTING, st.lists(st.one_of(_EVENT, _FALL), max_size=10), st.booleans())
@settings(max_examples=1000, deadline=None)
def test_a_resource_that_stands_as_it_would_without_our_acts_saves_nothing_however_its_use_falls(
    first: str, events: list[tuple[Any, ...]], by_use: bool
) -> None:
    one = after(first, events, by_use=by_use)
    assert one.a_month() <= 0 or one.setting != one.without


@given(_SETTING, st.lists(st.one_of(_EVENT, _FALL), max_size=10), st.booleans())
@settings(max_examples=600, deadline=None)
def test_an_act_saves_for_no_longer_than_the_resource_has_what_it_or_a_later_act_has_set(
    first: str, events: list[tuple[Any, ...]], by_use: bool
) -> None:
    one = after(first, events, by_use=by_use)
    for place, entry in enumerate(one.savings.entries):
        lasting = one.savings.known.get(entry["request"])
        if lasting is None:
            continue
        made = {later["set"] for later in one.savings.entries[place:]}
        begun = round((lasting.until - NOW).total_seconds() / 3600)
        hours = sum(1 for hour in one.past[:begun] if hour in made)
        assert lasting.saved <= lasting.seen <= hours * 3600


def test_what_two_policies_have_made_cheaper_one_after_the_other_adds_up() -> None:
    first, second = POLICIES
    one = after("a", [("act", first, "b"), ("scan", first), ("act", second, "c"), ("scan", first)], by_use=False)
    assert (one.a_month(), one.saves) == (Decimal("60.00"), Decimal(60))
    assert [each.amount for each in counted(one.savings.entries, one.now, one.savings.known)] == [40, 20]


def test_a_setting_back_after_an_act_between_was_undone_saves_nothing() -> None:
    """The act that was undone had ended another one, whose setting it gave back."""
    first, second = POLICIES
    events = [("act", first, "b"), ("act", first, "d"), ("act", second, "b"), ("undo", second), ("act", first, "a")]
    one = after("a", events, by_use=False)
    assert (one.setting, one.without) == ("a", "a")
    assert one.a_month() <= 0


_A, _B = POLICIES


@pytest.mark.parametrize(
    ("first", "events", "by_use", "saves"),
    [
        # No scan can measure the small rise to b, so that it is in no sum.
        ("a", [("act", _A, "c"), ("act", _A, "b"), ("act", _A, "d"), ("act", _A, "b")], True, 40),
        # Somebody leads back to what an act had set, which cost more than before the first saving.
        ("a", [("act", _A, "b"), ("act", _A, "d"), ("act", _A, "c"), ("foreign", "d"), ("act", _B, "c")], False, 60),
        ("e", [("act", _A, "c"), ("act", _B, "b"), ("act", _B, "c"), ("foreign", "b"), ("act", _B, "c")], False, 15),
        # Somebody leads back to what an earlier act had set, which cost less.
        ("a", [("act", _B, "c"), ("act", _B, "b"), ("foreign", "c")], False, 60),
        # The undo takes away what a later act of the other policy had set.
        (
            "a",
            [
                *[("act", _B, "b"), ("act", _B, "e"), ("act", _A, "b"), ("act", _A, "e")],
                *[("undo", _B), ("foreign", "e")],
            ],
            False,
            0,
        ),
        # Nothing was saved any more when somebody asked for d.
        ("b", [("act", _A, "c"), ("use", "0.1"), ("act", _B, "a"), ("act", _B, "d")], False, 0),
        # An undo after somebody else's change: what would be without all of them, nobody knows.
        ("a", [("act", _A, "b"), ("foreign", "c"), ("foreign", "b"), ("undo", _A), ("act", _B, "e")], False, 45),
    ],
)
def test_a_history_with_changes_by_others_saves_no_more_than_the_resource_costs_less(
    first: str, events: list[tuple[Any, ...]], by_use: bool, saves: int
) -> None:
    one = after(first, events, by_use=by_use)
    assert (one.a_month(), max(one.saves, Decimal(0))) == (Decimal(saves), Decimal(saves))


@pytest.mark.parametrize(
    ("first", "events", "saves"),
    [
        ("a", (("act", "first", "c"), ("act", "second", "b"), ("act", "first", "c"), ("undo", "first")), "40.00"),
        ("a", (("act", "first", "b"), ("act", "second", "a"), ("undo", "second")), "40.00"),
        ("b", (("act", "first", "a"), ("act", "second", "b"), ("undo", "second")), "-40.00"),
    ],
)
def test_an_act_that_was_undone_has_ended_no_other(first: str, events: tuple[tuple[str, ...], ...], saves: str) -> None:
    policies = {one[1]: one for one in POLICIES}
    one = Simulation(first)
    for what, policy, *to in events:
        getattr(one, what)(policies[policy], *to)
    assert one.a_month() == Decimal(saves)
