"""Asks Cost Explorer how much of each account's use commitments paid for: where the policy wants it, once a day.

AWS bills every request and asks applications to keep the answers (Cost Management user guide, "Best practices for the
AWS Cost Explorer API"), so an account is asked by one scan of a UTC day, whichever policies want it. What could not be
answered is a gap of every scan of that day, and unknown until the next.
Sources: Cost Explorer API reference, GetReservationCoverage and GetSavingsPlansCoverage; without a filter for a
service the first is about EC2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Protocol

from finops.crds.scan_policy import ScanPolicy
from finops.domain.coverage import Coverage, Share, covered_days
from finops.domain.resource import Gap
from finops.errors import AwsError
from finops.ports.aws_access import Tenant
from finops.ports.aws_read import PageReader
from finops.ports.clock import Clock
from finops.store.connection import Store
from finops.store.coverage import CoverageStore
from finops_operator.aws.counting import CallCounter
from finops_operator.rules.access import GrantedAccount
from finops_operator.scan.dependencies import Readers

SERVICE: Final = "ce"
RESERVED: Final = f"{SERVICE}:GetReservationCoverage"
PLANNED: Final = f"{SERVICE}:GetSavingsPlansCoverage"
PERMISSIONS: Final = (RESERVED, PLANNED)
REQUEST_PRICE: Final = Decimal("0.01")
"""US dollars for each request (AWS Cost Explorer pricing)."""
PARTITIONS: Final = frozenset({"aws", "aws-cn"})
"""Where Cost Explorer is: GovCloud's bills are those of the account beside it in `aws`."""
_UNREADABLE: Final = "UnreadableAnswer"


class _Reach(Protocol):
    """What of a scan's dependencies is needed here."""

    @property
    def readers(self) -> Readers: ...
    @property
    def store(self) -> Store: ...
    @property
    def pool(self) -> Executor: ...


@dataclass(frozen=True, slots=True)
class Covered:
    """What of the asking a scan reports: gaps, and the calls that were sent."""

    gaps: tuple[Gap, ...] = ()
    counter: CallCounter = field(default_factory=CallCounter)


def ask_coverage(policy: ScanPolicy, granted: Sequence[GrantedAccount], reach: _Reach, clock: Clock) -> Covered:
    """Have the coverage of today of every account that `policy` may scan, where the policy wants it.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    if not policy.spec.pricing.commitment_coverage:
        return Covered()
    counter, kept = CallCounter(), CoverageStore(reach.store)
    tenant = Tenant(namespace=policy.metadata.namespace or "default", policy=policy.metadata.name)
    able = [one.access for one in granted if one.access.partition in PARTITIONS]
    readers = [reach.readers.reader(access, access.entry, tenant, counter) for access in able]
    waiting = [reach.pool.submit(coverage_of_today, reader, kept, clock) for reader in readers]
    found = [future.result() for future in waiting]
    return Covered(tuple(gap for one in found if one is not None for gap in one.gaps), counter)


def coverage_of_today(reader: PageReader, kept: CoverageStore, clock: Clock) -> Coverage | None:
    """Return what was answered today about the reader's account; asks AWS where nobody has; None: another scan does."""
    today = clock.now().date()
    if not kept.begin(reader.account, today):
        known = kept.get(reader.account)
        return known if known is not None and known.asked == today else None
    start, end = covered_days(today)
    period = {"Start": start.isoformat(), "End": end.isoformat()}
    asked = {
        "TimePeriod": period,
        "Granularity": "MONTHLY",
        # The account that pays for an organization sees the others' use as well.
        "Filter": {"Dimensions": {"Key": "LINKED_ACCOUNT", "Values": [reader.account]}},
    }
    gaps: list[Gap] = []
    reserved = _share(reader, RESERVED, lambda: _reserved(reader, asked), gaps)
    planned = _share(reader, PLANNED, lambda: _planned(reader, asked), gaps)
    found = Coverage(reader.account, today, start, end, reserved, planned, tuple(gaps))
    kept.put(found)
    return found


def _share(reader: PageReader, operation: str, ask: Callable[[], Share], gaps: list[Gap]) -> Share | None:
    """Return what `ask` returns; None with a Gap where AWS gave no answer, or none that can be read."""
    name = operation.partition(":")[2]
    try:
        return ask()
    except AwsError as error:
        gaps.append(Gap(reader.account, "", SERVICE, name, error.code, f"{error}; asked again tomorrow"))
    except (KeyError, TypeError, InvalidOperation):
        why = f"{operation} answered what cannot be read; asked again tomorrow"
        gaps.append(Gap(reader.account, "", SERVICE, name, _UNREADABLE, why))
    return None


def _reserved(reader: PageReader, asked: Mapping[str, Any]) -> Share:
    # The total of all pages stands on the first, and a further page would be billed.
    hours = reader.once(RESERVED, {**asked, "Metrics": ["Hour"]})["Total"]["CoverageHours"]
    return Share(Decimal(hours["ReservedHours"]), Decimal(hours["TotalRunningHours"]))


def _planned(reader: PageReader, asked: Mapping[str, Any]) -> Share:
    # Thirty days touch three months at most: one page.
    rows = reader.once(PLANNED, {**asked, "Metrics": ["SpendCoveredBySavingsPlans"]})["SavingsPlansCoverages"]
    spends = [one["Coverage"] for one in rows]
    return Share(
        sum((Decimal(one["SpendCoveredBySavingsPlans"]) for one in spends), Decimal(0)),
        sum((Decimal(one["TotalCost"]) for one in spends), Decimal(0)),
    )
