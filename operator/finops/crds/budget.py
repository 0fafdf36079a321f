"""Budget: what a part of the cost may be in a calendar month, and at which shares of it people are alerted.

People write it; the operator judges it against the daily cost history of what the policies of its namespace select, and
writes its status. What has no price, and a day that no scan saw, is unknown and never zero.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Final

from pydantic import Field

from finops.crds.conditions import Conditions
from finops.crds.crd import AGE, MESSAGE, Column, Crd
from finops.crds.part import Kind, Part
from finops.crds.policy_status import Generation
from finops.crds.rule import Distinct, Rule, pattern_rule
from finops.crds.values import AccountId, Count, KindId, Money, Region, SlackChannel, Time
from finops.domain.budget import Basis, BudgetState

ALERTS: Final = 5
LARGEST_PERCENT: Final = 1000

Percent = Annotated[int, Field(ge=1, le=LARGEST_PERCENT)]
Percents = Annotated[tuple[Percent, ...], Field(max_length=ALERTS), Distinct()]
Share = Annotated[int, Field(ge=0, le=2_000_000_000)]
"""Whole percent, rounded down."""
Month = Annotated[
    str,
    Field(max_length=7),
    pattern_rule("[0-9]{4}-(0[1-9]|1[0-2])", "is not a month", "write year and month, such as 2026-11"),
]

Day = Annotated[
    str,
    Field(max_length=10),
    pattern_rule("[0-9]{4}-[0-9]{2}-[0-9]{2}", "is not a day", "write year, month and day, such as 2026-11-28"),
]


class Currency(StrEnum):
    """The currencies in which AWS's prices are known here."""

    USD = "USD"


class BudgetTag(Part):
    """A tag that resources carry."""

    key: str = Field(min_length=1, max_length=128, description="Key of the tag.")
    value: str = Field(max_length=256, description="Value of the tag, exactly; may be empty.")


class BudgetScope(Part):
    """Which part of the cost is meant: what fits every field that is set."""

    accounts: Annotated[tuple[AccountId, ...], Field(max_length=100), Distinct()] = Field(
        default=(), description="Ids of AWS accounts. Default: empty, all that the policies of the namespace scan."
    )
    regions: Annotated[tuple[Region, ...], Field(max_length=50), Distinct()] = Field(
        default=(), description="Codes of regions. Default: empty, all."
    )
    services: Annotated[tuple[KindId, ...], Field(max_length=100), Distinct()] = Field(
        default=(), description="Kinds of resource, as in finops costs --by service. Default: empty, all."
    )
    tag: BudgetTag | None = Field(
        default=None, description="A tag the resources carry. Default: absent, whatever their tags."
    )


class BudgetAlerts(Part):
    """At which shares of the amount people are alerted; each once a month."""

    actual_percent: Percents = Field(
        default=(80, 100), description="Of the cost of the month so far, in percent. Default: 80 and 100."
    )
    forecast_percent: Percents = Field(
        default=(100,), description="Of the cost forecast for the whole month, in percent. Default: 100."
    )


class BudgetSlack(Part):
    """Where alerts go in Slack."""

    channel: SlackChannel = Field(description="Id of the channel; the bot must be a member. No default.")


class BudgetNotify(Part):
    """Who is alerted."""

    slack: BudgetSlack | None = Field(
        default=None, description="Slack. Default: absent, the channels of the policies of the namespace."
    )


class BudgetSpec(Part):
    """The amount, the part of the cost it is for, and the alerts."""

    amount: Annotated[
        Money,
        Rule(
            "self.matches('[1-9]')",
            "is a budget of nothing",
            'write an amount above zero, such as "500.00"',
            lambda amount: amount > 0,
        ),
    ] = Field(description='What the month may cost, as a decimal string such as "500.00". No default.')
    currency: Currency = Field(default=Currency.USD, description="Currency of the amount. Default: USD.")
    scope: BudgetScope = Field(
        default_factory=BudgetScope,
        description="Which part of the cost is meant. Default: all that the policies of the namespace scan.",
    )
    alerts: BudgetAlerts = Field(
        default_factory=BudgetAlerts, description="When people are alerted. Default: actual 80 and 100, forecast 100."
    )
    notify: BudgetNotify = Field(
        default_factory=BudgetNotify,
        description="Where alerts go. Default: to the Slack channels of the policies of the namespace.",
    )


class BudgetAlert(Part):
    """A threshold that was reached this month."""

    basis: Basis = Field(description="Actual or Forecast.")
    percent: Percent = Field(description="The threshold in percent of the amount.")
    cost: Money = Field(description="The cost, or its forecast, that reached it.")
    time: Time = Field(description="When it was seen.")


class BudgetStatus(Part):
    """How the month stands."""

    observed_generation: Generation | None = Field(
        default=None, description="The generation of the spec this status is about."
    )
    conditions: Conditions = Field(default=(), description="Ready: whether the cost of the month is known.")
    state: BudgetState | None = Field(
        default=None,
        description="WithinBudget, AlertReached, Exceeded or Unknown. Default: absent before it was judged.",
    )
    month: Month | None = Field(default=None, description="The calendar month (UTC) this is about, such as 2026-11.")
    actual: Money | None = Field(
        default=None, description="Cost of the month so far. Default: absent while a part of it is unknown."
    )
    actual_percent: Share | None = Field(default=None, description="Its share of the amount in whole percent.")
    known_cost: Money | None = Field(
        default=None, description="What is known of the cost of the month so far; the actual cost is at least this."
    )
    forecast: Money | None = Field(
        default=None,
        description="Cost of the whole month: so far, and the forecast of the days left. It is at least that where "
        "actual is absent. Default: absent while days so far are not known, a part of the cost has a price on some "
        "days only, or its history is shorter than 28 days.",
    )
    forecast_percent: Share | None = Field(default=None, description="Its share of the amount in whole percent.")
    through: Day | None = Field(default=None, description="The last day that is counted, such as 2026-11-28.")
    unpriced_resources: Count = Field(
        default=0, description="Resources without a known price on the worst day of the month. Default: 0."
    )
    missing_days: Count = Field(
        default=0, description="Days of the month so far that were not scanned whole. Default: 0."
    )
    unseen: Count = Field(default=0, description="What the last scans could not list of this scope. Default: 0.")
    alerts: Annotated[tuple[BudgetAlert, ...], Field(max_length=2 * ALERTS)] = Field(
        default=(), description="Thresholds reached this month, in the order in which they were. Default: empty."
    )

    @property
    def forecast_at_least(self) -> bool:
        """Return whether the forecast is a lower bound, since not all of the cost so far is known."""
        return self.forecast is not None and self.actual is None


class Budget(Kind):
    """What a part of the cost may be in a month."""

    spec: BudgetSpec = Field(description="The amount, the part of the cost it is for, and the alerts.")
    status: BudgetStatus = Field(default_factory=BudgetStatus, description="How the month stands.")

    crd: ClassVar[Crd] = Crd(
        kind="Budget",
        plural="budgets",
        short="bud",
        scope="Namespaced",
        description="What a part of the cost may be in a calendar month, and when people are alerted.",
        columns=(
            Column("State", ".status.state", "How the month stands."),
            Column("Amount", ".spec.amount", "What the month may cost."),
            Column("Actual", ".status.actual", "Cost of the month so far; empty while it is unknown."),
            Column("Percent", ".status.actualPercent", "Its share of the amount.", "integer"),
            Column(
                "Forecast",
                ".status.forecast",
                "Cost forecast for the whole month; at least that where Actual is empty.",
            ),
            AGE,
            Column("Known", ".status.knownCost", "What is known of the cost so far.", wide=True),
            Column(
                "Unpriced", ".status.unpricedResources", "Resources of which a part has no price.", "integer", wide=True
            ),
            Column("Missing Days", ".status.missingDays", "Days not scanned whole.", "integer", wide=True),
            MESSAGE,
        ),
    )
