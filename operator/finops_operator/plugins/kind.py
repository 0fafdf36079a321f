"""What a service declares about a kind of resource: how to list it, measure it, price it and show it.

Every file directly in a service's folder exports one `KIND`; the registry loads it, the scan walks it, the command
line, `finops iam-policy` and the documentation read it. The rooms outside `services` know nothing of a kind but this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Generic, TypeAlias

from finops.domain.focus.categories import UNNAMED, BilledAs
from finops.domain.price import Price, PriceQuery
from finops.domain.resource import Gap, Resource
from finops.domain.utilization import Utilization
from finops.ports.aws_read import PageReader
from finops_operator.plugins.commitments import NOT_READ, Commitments
from finops_operator.plugins.facts import KindFacts
from finops_operator.plugins.limit import Limit
from finops_operator.plugins.logged import LoggedMetric
from finops_operator.plugins.ownership import Owner, owned_by
from finops_operator.pricing.listed import Rule
from finops_operator.pricing.offers import Offers

PriceLookup: TypeAlias = Callable[[PriceQuery], Price | None]
"""A pure question to a price table: a figure of exactly that region and product, or None."""


_BY_TAGS: Final = owned_by()


def _always(_: Resource) -> bool:
    return True


def _never(_: Resource) -> bool:
    return False


def _unknown(_: Resource) -> float | None:
    return None


def _nothing(_: Resource) -> tuple[tuple[str, str], ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Published:
    """One name under which agents publish a metric.

    Attributes:
        metric: CloudWatch's name.
        namespace: of the metric; empty: any but AWS's own, as the agent's configuration may choose it.
        left: whether it says in MiB what is left of the whole, and not in percent what is used.
    """

    metric: str
    namespace: str = ""
    left: bool = False


DimensionSet: TypeAlias = tuple[tuple[str, str], ...]
"""Names and values of CloudWatch's dimensions."""


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """One CloudWatch metric of a kind.

    Attributes:
        name: our name of it in `Utilization` (`cpuPercent`).
        namespace, metric: CloudWatch's names.
        dimension: the dimension that carries the resource's id.
        statistics: `("Average", "Maximum")` for a gauge: summaries give the period maxima and the mean of the period
            averages, with `"Minimum"` as well the lowest of the period minima; `("Sum",)` for a counter: maximum and
            percentiles are of the period sums, total their sum, so that a rate is a figure divided by `period_seconds`.
        unit: unit of a point: `percent`, `bytes`, `count`, `seconds`, `credits`.
        missing_means_zero: whether AWS leaves a point out because nothing happened; False: a missing point is unknown.
        hourly: part of the hourly picture.
        samples_in_five_minutes: of an hourly metric the most samples that AWS takes of it in five minutes, so that a
            day's SampleCount says how much of the day was seen; 0: its SampleCount says something else, a day counts
            as it stands; None: its days decide nothing, and its kind is asked for hours at once. Of a discovered
            metric a day counts as it stands.
        by_day: further statistics that its days are asked for: `Maximum` of a counter bounds what five minutes can have
            brought, `Minimum` of a level how low its mean can have been.
        daily: read instead by the day, over 30 days or as many more as a check needs, whatever a policy's lookback:
            what is billed by use, what AWS publishes once a day, and what is judged by months.
        only_days: of a daily metric how many days are read, whatever checks of other metrics need; 0: what they need.
        billed_hours: of a daily level whether each unit is billed by the hour, so that the month's use is the hours of
            all units; else a level is billed as the newest day has it.
        stands: of a daily level which resources keep the figure of their newest published day, because nothing changes
            it while nothing is published: a stopped cluster its storage.
        lag_days: of a daily metric the days after which AWS has surely published a day's point.
        also: further dimensions with their values, beside the one of the resource.
        also_of: further dimensions whose values depend on the resource.
        dimensions: resource → the whole dimension set, where its id is no dimension (a service is named by its cluster
            and its own name); None: `dimension` with the id, `also` and `also_of`.
        parts: resource → the dimension sets of what it consists of, where AWS publishes a figure of each part alone
            (the brokers of a cluster) and none of the whole. A level is then the highest of all parts, the lowest of
            them for `Minimum`, a counter their sum; a period of which any part has no point is unknown, so that such a
            metric is never one where a missing point means zero, and `NotPublished` of it proves nothing. Only of a
            counter that AWS publishes when something happened (`missing_means_zero`) a part without a point adds zero.
        fine: part of the 5-minute picture of candidates.
        asked_last: of a counter in that picture alone: its days are asked for only where all others leave to it what is
            decided.
        discovered: the dimension set must be found by ListMetrics first (CWAgent).
        published: of what agents publish, all names of it, the best first; then only what was active within three
            hours is listed. Empty: `metric` in `namespace`.
        each: of a discovered metric that agents publish for each of several devices alone: (resource, a dimension set
            that was found) → those of all its devices, which are joined as `parts` are; none where it is of no device.
        typed_by: the dimension in which they name the type of the resource, as it was when they were started.
        whole: resource → the MiB that what is left was left of; None where they are not known.
        by_the_clock: of an hourly metric whether checks get its hours one by one (`Utilization.hours`), where they were
            read.
        applies: which resources publish the metric at all.
    """

    name: str
    namespace: str
    metric: str
    dimension: str
    statistics: tuple[str, ...]
    unit: str
    missing_means_zero: bool = False
    hourly: bool = True
    samples_in_five_minutes: int | None = None
    by_day: tuple[str, ...] = ()
    daily: bool = False
    only_days: int = 0
    billed_hours: bool = False
    stands: Callable[[Resource], bool] = _never
    lag_days: int = 0
    also: tuple[tuple[str, str], ...] = ()
    also_of: Callable[[Resource], tuple[tuple[str, str], ...]] = _nothing
    dimensions: Callable[[Resource], tuple[tuple[str, str], ...]] | None = None
    parts: Callable[[Resource], tuple[tuple[tuple[str, str], ...], ...]] | None = None
    fine: bool = False
    asked_last: bool = False
    discovered: bool = False
    published: tuple[Published, ...] = ()
    each: Callable[[Resource, DimensionSet], tuple[DimensionSet, ...]] | None = None
    typed_by: str = ""
    whole: Callable[[Resource], float | None] = _unknown
    by_the_clock: bool = False
    applies: Callable[[Resource], bool] = _always

    @property
    def counter(self) -> bool:
        """Whether points are amounts per period rather than levels."""
        return self.statistics == ("Sum",)

    @property
    def shown_within(self) -> timedelta:
        """How long after a change the newest day that is read holds it whole, of a daily metric.

        A scan reads whole UTC days that AWS has surely published: the rest of the day of the change, a whole one, and
        `lag_days`; a day has ended for a scan ten minutes after midnight.
        """
        return timedelta(days=2 + self.lag_days, minutes=10)

    def __post_init__(self) -> None:
        """Refuse what a join of parts cannot keep: a node without a point must not be hidden by the others.

        Raises:
            ValueError: a metric of parts counts samples, or is a level that takes a missing point for zero.
        """
        hides = self.missing_means_zero and not self.counter
        if self.parts is not None and (self.samples_in_five_minutes is not None or hides):
            raise ValueError(f"{self.name}: of parts a missing point is unknown, and no samples are counted")


@dataclass(frozen=True, slots=True)
class FurtherStep:
    """A price of further units, where AWS counts the units of all resources of an account in a region together.

    Attributes:
        above: the units of a month from which on it holds, up to the next step.
        query: what to ask a price source about it.
    """

    above: Decimal
    query: PriceQuery


@dataclass(frozen=True, slots=True)
class BilledPart:
    """One thing AWS bills for a resource as it stands.

    Attributes:
        dimension: what is billed (`instance_hour`, `gb_month`, `iops_month`, `throughput_mibps_month`, …).
        quantity: how many units; for something billed by the hour the number of such things running all month.
        query: what to ask a price source, None when no source can know.
        reason_unknown: why there is no price, in words, where there is no query or no source answers it.
        price: what the kind itself knows of the price, from a page that it names; asked before any source.
        metric: of what a daily metric measures: our name of it. `quantity` is then the billed units for one unit of
            the metric. A counter is billed by use: the sum of the last 30 days, worked out for the hours of a month. So
            are the hours of a level's units (`billed_hours`); another level is billed as the newest day has it. The
            part is unknown where the metric is.
        above, up_to: the billed units of a month that lie in this step of a price that falls with the amount; for
            levels only.
        at_least: of a level, the units that are billed however low it is.
        further: the steps after the first one, whose price is that of `query`, for units that AWS counts over the
            account and region; each resource then has the average price of all units, and what goes takes the last.
        voids: dimension of another part whose figure is too high while the price of this one is not known: what is
            billed here may be in it. The cost is then known without both.
    """

    dimension: str
    quantity: Decimal
    query: PriceQuery | None = None
    reason_unknown: str = ""
    price: Price | None = None
    metric: str = ""
    above: Decimal = Decimal(0)
    up_to: Decimal | None = None
    at_least: Decimal = Decimal(0)
    further: tuple[FurtherStep, ...] = ()
    voids: str = ""


@dataclass(frozen=True, slots=True)
class States:
    """What AWS's words for a resource's state mean; a word in none of the sets means nothing special.

    Attributes:
        running: it works.
        stopped: it exists and does not work.
        billed: something of it may be billed; empty: in every state.
        free: AWS's documents say that it bills nothing for being in it. In every other state, and in a word that nobody
            knows, what is billed is listed or unknown, so that the cost is never 0.00 because of the state.
        unmeasured: it publishes no metrics, so that one point a day proves as much as 24, and no data at all over the
            window is knowledge and no gap.
    """

    running: frozenset[str] = frozenset()
    stopped: frozenset[str] = frozenset()
    billed: frozenset[str] = frozenset()
    free: frozenset[str] = frozenset()
    unmeasured: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Memory:
    """What of a resource is kept from scan to scan because AWS does not say it.

    Attributes:
        applies: which resources have something to keep; only these are read back from the last scan.
        carry_over: (as it is now, as the last scan kept it or None, time of the scan) → the resource with what is kept.
        mark: a text that changes when what was measured before does not count any more.
        reads_back: whether the last scan is read at all; where the time of the scan is enough, it is not.
    """

    applies: Callable[[Resource], bool]
    carry_over: Callable[[Resource, Resource | None, datetime], Resource]
    mark: Callable[[Resource], str]
    reads_back: bool = True


@dataclass(frozen=True, slots=True)
class Question:
    """What a kind's checks must know of a region and AWS answers in one go, such as what each zone offers.

    Asked once a day for an account and region, and only when a resource needs it. A check finds the answer in
    `Facts.answers` under `id`.

    Attributes:
        id: key of the answer, in the store too.
        ask: reads AWS; returns place → names. Raises AwsError; half an answer is none.
        place: which of the answers concerns a resource; empty: none.
        needed: whether the resource needs the answer, given what was measured.
        first: whether nothing can be said of a resource with a place before it is answered, so that it is asked before
            any picture is judged.
    """

    id: str
    ask: Callable[[PageReader], Mapping[str, Iterable[str]]]
    place: Callable[[Resource], str]
    needed: Callable[[Resource, Utilization], bool]
    first: bool = False


@dataclass(frozen=True, slots=True)
class ProductOption:
    """A further option of a product in `finops prices lookup`, such as the operating system."""

    name: str
    metavar: str
    default: str
    description: str


@dataclass(frozen=True, slots=True)
class Product:
    """Something `finops prices lookup` finds the price of.

    Attributes:
        option: the option that names it, such as `--size`; `metavar`, `description`: for the help.
        queries: (region, what the option says, further options by name) → what to ask the price sources.
        sample: a value that every table has, for `finops doctor`.
        options: what else selects the product.
    """

    option: str
    metavar: str
    description: str
    queries: Callable[[str, str, Mapping[str, str]], tuple[PriceQuery, ...]]
    sample: str
    options: tuple[ProductOption, ...] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """How the resources of a kind are found.

    Attributes:
        permissions: IAM actions that collecting and measuring call.
        collect: (reader, partition) → paginated generator. It yields a Gap for what it could not see, and an error of
            AWS never becomes an empty list.
        is_global: whether AWS keeps the kind once per account: it is then listed once, in the home region of the
            account's partition, and never once per region.
        probes: operation of `permissions` → (id of a resource) → parameters of a call that changes nothing, where the
            call without any (or with `DryRun`, when the API has it) does not do.
        questions: what its checks ask AWS about a whole region.
        calls: permission → the call that needs it, where the SDK names the service otherwise than IAM does
            (`elasticloadbalancing:DescribeTags` → `elbv2:DescribeTags`).
    """

    permissions: tuple[str, ...]
    collect: Callable[[PageReader, str], Iterator[Resource | Gap]]
    is_global: bool = False
    probes: Mapping[str, Callable[[str], Mapping[str, Any]]] = field(default_factory=dict)
    questions: tuple[Question, ...] = ()
    calls: Mapping[str, str] = field(default_factory=dict)

    @property
    def made(self) -> tuple[str, ...]:
        """Return the calls that need the permissions, as gaps name them."""
        return tuple(self.calls.get(one, one) for one in self.permissions)


@dataclass(frozen=True, slots=True)
class Sample:
    """A resource that does not exist, for the documentation and for questions about nothing in particular."""

    id: str
    arn: str


@dataclass(frozen=True, slots=True)
class Members:
    """What a group consists of.

    Attributes:
        kind: of its members.
        of: returns the ids of a group's members, None where AWS did not say; with `through` those of the groups that
            have the members.
        through: kind of the groups between, empty where there are none.
        billed_itself: whether AWS bills something for the group beside its members, such as a cluster's storage.
    """

    kind: str
    of: Callable[[Resource], tuple[str, ...] | None]
    through: str = ""
    billed_itself: bool = False


STOPPED_AT_MOST: Final = 0.1
"""Share of a window that a resource may have been stopped in and still count as one that runs all month."""


@dataclass(frozen=True, slots=True)
class Pauses:
    """Of a kind that people stop and start again: it is judged, and billed, over the hours that it ran.

    Attributes:
        metric: our name of the metric that AWS publishes whenever such a resource runs: before its last start, an hour
            without any point of it is one in which the resource was stopped.
        since: resource → the first moment that counts: its creation, or when it became what it is now.
        started: resource → its last start, since when it has run; None when AWS did not say, and then nothing is known
            of any stop.
        billed: (resource, share of its hours that it ran, 0 to 1) → the resource that is billed these hours alone.
    """

    metric: str
    since: Callable[[Resource], datetime | None]
    started: Callable[[Resource], datetime | None]
    billed: Callable[[Resource, float], Resource]


@dataclass(frozen=True, slots=True)
class ResourceKind(Generic[KindFacts]):
    """One kind of AWS resource.

    Attributes:
        id: kind id with hyphens, as in `spec.resources`; the file's name with underscores.
        title: what people call one of it, such as `EC2 instance`.
        service: AWS service prefix (`ec2`).
        id_pattern: full-match regular expression of AWS ids.
        arn_pattern: what all of them match, for IAM statements: `arn:*:sqs:*:*:*`.
        facts: the frozen dataclass of its own facts.
        limits: fact → the most that AWS allows of it; of most that is billed by its size. What was used (requests,
            bytes, hours) and counts of nodes and shards have none.
        shared_arns: whether its ARN may name another account than the one that lists it.
        listing: how its resources are found.
        states: what AWS's words for its state mean.
        billed_parts: what is billed for one resource; pure.
        console_url: link to the AWS console of its partition, see `plugins.console`; empty where there is none.
        sample: a made-up resource.
        metrics: what CloudWatch knows about it; may be empty.
        dry_run: whether its API takes `DryRun`.
        memory: what is kept from scan to scan; None: nothing.
        owner: who would undo a change by hand; by its tags alone unless the kind knows more.
        type_of: its size or type in AWS's word, for tables; empty where it has none.
        products: what `finops prices lookup` offers of it.
        left_out: what AWS bills for such a resource and its cost never holds, empty for nothing; None where the facts
            of each resource say it (`not_in_cost`, `billed_by_use`). One of both is always declared.
        billed_as: the names under which exports show its cost.
        commitments: what is known of Reserved Instances, Savings Plans and the like that pay for it.
        offers: where AWS's price list has the figures that no table has.
        listed: which rows of AWS's offer files are the figures that tables have.
        pauses: of a kind that is stopped and started again; None: its creation is when it began to run.
        steps_from: of a kind of which parts have `further` steps, how many resources can reach one; 0: no part has any.
        logged: of a metric that lines of logs hold as well, which are read where a policy wants it.
        members: of a group; their costs are the group's too, and each is counted once, as the member's. None for a kind
            that is no group.
    """

    id: str
    title: str
    service: str
    id_pattern: str
    arn_pattern: str
    facts: type[KindFacts]
    listing: Listing
    states: States
    billed_parts: Callable[[Resource], tuple[BilledPart, ...]]
    console_url: Callable[[Resource], str]
    sample: Sample
    metrics: tuple[MetricSpec, ...] = ()
    dry_run: bool = False
    memory: Memory | None = None
    owner: Callable[[Resource], Owner | None] = _BY_TAGS
    type_of: Callable[[Resource], str] = lambda _: ""
    products: tuple[Product, ...] = ()
    left_out: tuple[str, ...] | None = None
    billed_as: BilledAs = UNNAMED
    commitments: Commitments = NOT_READ
    offers: Offers = field(default_factory=dict)
    listed: tuple[Rule, ...] = ()
    members: Members | None = None
    steps_from: int = 0
    pauses: Pauses | None = None
    logged: LoggedMetric | None = None
    limits: Mapping[str, Limit] = field(default_factory=dict)
    shared_arns: bool = False

    def since(self, resource: Resource) -> datetime | None:
        """Return the first moment of which a metric counts, None when it is not known."""
        return resource.created if self.pauses is None else self.pauses.since(resource)

    def as_it_ran(self, resource: Resource, utilization: Utilization | None) -> Resource:
        """Return the resource that is billed the hours it ran, where it is stopped again and again.

        It stays as it is where hours show no such stops, and where nothing is known of them: a month may be whole.
        """
        if self.pauses is None or utilization is None or utilization.ran is None:
            return resource
        return self.pauses.billed(resource, utilization.ran.share)

    @property
    def read_by_day(self) -> bool:
        """Whether metrics decide what some of its parts cost, so that it is measured before it is priced."""
        return any(spec.daily for spec in self.metrics)

    @property
    def permissions(self) -> tuple[str, ...]:
        """IAM actions that a scan of this kind needs."""
        return (*self.listing.permissions, *self.commitments.permissions)

    @property
    def is_global(self) -> bool:
        """Whether AWS keeps it once per account."""
        return self.listing.is_global
