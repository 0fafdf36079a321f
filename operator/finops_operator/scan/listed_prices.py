"""AWS's price list for one scan: whose role asks, and what of it the scan reports.

Made anew for every scan, so that one scan asks each figure once, and a failure of one is not the next one's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from finops.crds.scan_policy import ScanPolicy
from finops.domain.resource import Gap
from finops.ports.aws_access import AccountAccess, Tenant
from finops.ports.aws_read import PageReader
from finops.ports.clock import Clock
from finops.store.connection import Store
from finops.store.listed_prices import ListedPrices
from finops_operator.aws.counting import CallCounter
from finops_operator.plugins.kind import ResourceKind
from finops_operator.pricing.offers import all_offers
from finops_operator.pricing.price_list import PARTITION, PriceList
from finops_operator.rules.access import GrantedAccount

Kinds = Mapping[str, ResourceKind[Any]]


class _Readers(Protocol):
    def reader(
        self, access: AccountAccess, region: str, tenant: Tenant, counter: CallCounter | None = None
    ) -> PageReader: ...


class _Reach(Protocol):
    """What of a scan's dependencies is needed here."""

    @property
    def readers(self) -> _Readers: ...
    @property
    def store(self) -> Store: ...
    @property
    def kinds(self) -> Kinds: ...


@dataclass(frozen=True, slots=True)
class ScanPrices:
    """The price list in one scan.

    Attributes:
        sources: asked before the bundled tables; empty where the policy does not want it or no account can ask.
        counter: the calls that were sent.
    """

    sources: tuple[PriceList, ...] = ()
    counter: CallCounter = field(default_factory=CallCounter)

    @property
    def gaps(self) -> list[Gap]:
        """Why AWS could not be asked; to be read when the scan has priced all."""
        return [gap for source in self.sources for gap in source.gaps]


def scan_prices(policy: ScanPolicy, granted: Sequence[GrantedAccount], reach: _Reach, clock: Clock) -> ScanPrices:
    """Return the price list for one scan of `policy`; sends nothing.

    The list is the same for all accounts: the first one that the policy names is enough.
    """
    # AWS China lists another currency, and GovCloud has no endpoint.
    able = [one.access for one in granted if one.access.partition == PARTITION]
    if not policy.spec.pricing.price_list or not able:
        return ScanPrices()
    counter = CallCounter()
    tenant = Tenant(namespace=policy.metadata.namespace or "default", policy=policy.metadata.name)
    reader = reach.readers.reader(able[0], able[0].home_region, tenant, counter)
    return ScanPrices((PriceList(all_offers(reach.kinds.values()), reader, ListedPrices(reach.store), clock),), counter)


def kept_prices(policy: ScanPolicy, kinds: Kinds, store: Store, clock: Clock) -> tuple[PriceList, ...]:
    """Return the price list as scans of today were answered, for judging without AWS; asks nothing."""
    if not policy.spec.pricing.price_list:
        return ()
    return (PriceList(all_offers(kinds.values()), None, ListedPrices(store), clock),)
