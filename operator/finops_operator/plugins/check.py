"""What a check declares: one rule that finds waste, its parameters, and what it may know about a resource.

Every file in a service's `checks` exports one `CHECK`; the scan evaluates it for each resource of its kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum, auto
from typing import Any, Generic, TypeAlias

from finops.domain.parameter import ParameterSpec
from finops.domain.price import Cost
from finops.domain.recommendation import ActionType, Effort, Finding, NotRecommended
from finops.domain.resource import Resource
from finops.domain.utilization import Utilization
from finops_operator.plugins.facts import KindFacts
from finops_operator.plugins.kind import PriceLookup
from finops_operator.plugins.sizing_policy import SizingPolicy

__all__ = ["Check", "Facts", "JudgeSettings", "ParameterSpec", "Parameters", "Pictures", "Settled"]


class Settled(Enum):
    """What the days of a resource decide for a check."""

    OPEN = auto()
    """Finer points may say otherwise."""
    BY_DAYS = auto()
    """They cannot: what the days show is the judgement."""
    BY_BOUNDS = auto()
    """They cannot: the judgement is the one with the most that the 5 minutes can have been."""


@dataclass(frozen=True, slots=True)
class Pictures(Generic[KindFacts]):
    """A resource three times: with its days, and with the least and the most that finer points can say.

    Attributes:
        days: summaries of whole days of UTC and `Utilization.least`, no 5-minute picture.
        least, most: hours and 5 minutes of which every figure is no higher, and no lower, than the real one; `lowest`
            is no higher in both.
    """

    days: Facts[KindFacts]
    least: Facts[KindFacts]
    most: Facts[KindFacts]


def _open(_pictures: Pictures[Any], _parameters: Mapping[str, Decimal]) -> Settled:
    return Settled.OPEN


def _never(_facts: Facts[Any], _parameters: Mapping[str, Decimal]) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class JudgeSettings:
    """What a policy says about judging, apart from the parameters of single checks.

    Attributes:
        minimum_hours: hours of data below which nothing is judged (`metrics.minimumHours`).
        minimum_coverage_percent: share of the window that must carry data (`metrics.minimumCoveragePercent`).
        hours_per_month: `pricing.hoursPerMonth`.
        sizing: `sizing` of the policy.
        time_zone: `timeZone` of the policy, an IANA name.
    """

    minimum_hours: Decimal = Decimal(30)
    minimum_coverage_percent: Decimal = Decimal(95)
    hours_per_month: Decimal = Decimal(730)
    sizing: SizingPolicy = field(default_factory=SizingPolicy)
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Facts(Generic[KindFacts]):
    """All a check may know about one resource.

    Attributes:
        resource, utilization: what it is and what it did.
        own: the facts of its kind, typed.
        cost: what it costs as it stands. Of units whose price falls with what the account uses, they are the last
            ones, so that `cost` less `cost_of` is what the bill falls by.
        cost_of: what a changed copy of the resource would cost; same rules as `cost`.
        lookup: price table, for figures of other products.
        settings: the policy's rules of judging.
        now: time of the scan.
        answers: id of a question of the kind → what AWS answered for the resource's place. An id is missing where the
            answer is not known, because the resource did not need it or AWS did not give it.
        previous_target: target of the last recommendation of the same check for this resource, empty when none; keeps
            advice from flapping between neighbours.
        shared: what checks keep from resource to resource of a shard, each under a key that names all it follows from.
        shown_cost: the cost that people see, with the average price of all units of the account; None: `cost`.
    """

    resource: Resource
    own: KindFacts
    utilization: Utilization
    cost: Cost
    cost_of: Callable[[Resource], Cost]
    lookup: PriceLookup
    settings: JudgeSettings
    now: datetime
    answers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    previous_target: str = ""
    shared: dict[Hashable, Any] = field(default_factory=dict)
    shown_cost: Cost | None = None

    @property
    def share_of_bill(self) -> Cost:
        """The cost that people see: for thresholds and rules, never to subtract from."""
        return self.cost if self.shown_cost is None else self.shown_cost

    def whole_days_since(self, moment: datetime) -> int:
        """Return the days that have passed since `moment` at the time of the scan, rounded down."""
        return (self.now - moment) // timedelta(days=1)


Parameters: TypeAlias = Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Check(Generic[KindFacts]):
    """One rule that finds waste.

    Attributes:
        id: `<service>_<resource>_<condition>`, the file's name.
        title: a few words for tables.
        kinds: kind ids it judges, all with the same facts.
        documentation: the AWS page whose thresholds are the defaults.
        action_type, effort: what its recommendation means for people.
        evaluate: pure judgement; NotRecommended carries the reason why not.
        action: id of the action it recommends, empty when it gives advice only.
        saving_unknown: why no source can know what following its advice saves, as the end of a sentence of at most 256
            characters; empty where prices and figures say it. A check that declares it never states a saving.
        restart_needed, rollback_possible, destructive: what that action, or following the advice, brings with it.
        parameters: what a policy may set.
        window_parameter: name of the parameter that says how many days of metrics the check must see, empty when the
            policy's lookback is enough.
        keeps_target: whether it is given the target of its last advice, `Facts.previous_target`; one check of a kind at
            most.
        wants_fine: whether the 5-minute picture of this resource could change the judgement; asked with the hourly
            picture, so that only candidates cost further queries.
        settled_by_days: whether finer points could bring a finding, take one away or change its target. Where it says
            `BY_DAYS`, `evaluate` with the days must say the same, and where `BY_BOUNDS`, with the days and the 5
            minutes of `most`. How much of a window days
            show is a lower bound in `least` and `most`, so that hours may be enough where it is not.
    """

    id: str
    title: str
    kinds: tuple[str, ...]
    documentation: str
    action_type: ActionType
    effort: Effort
    evaluate: Callable[[Facts[KindFacts], Parameters], Finding | NotRecommended]
    action: str = ""
    saving_unknown: str = ""
    restart_needed: bool = False
    rollback_possible: bool = True
    destructive: bool = False
    parameters: tuple[ParameterSpec, ...] = ()
    window_parameter: str = ""
    keeps_target: bool = False
    wants_fine: Callable[[Facts[KindFacts], Parameters], bool] = _never
    settled_by_days: Callable[[Pictures[KindFacts], Parameters], Settled] = _open
