"""AWS's price list for one command: asked with one account's rights, and nothing of it is kept."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

from finops.domain.price import NotListed, Price, PriceQuery
from finops.errors import InvalidInput
from finops.ports.aws_access import AccountAccess, Tenant
from finops.ports.aws_read import PageReader
from finops.ports.clock import Clock
from finops.settings import from_environment
from finops_operator.aws.clients import AwsReaders
from finops_operator.aws.counting import CallCounter
from finops_operator.aws.limiter import LocalRateLimits
from finops_operator.aws.own_identity import own_identity
from finops_operator.aws.reader import CallPacing
from finops_operator.aws.session import SdkSessions
from finops_operator.plugins.kind import ResourceKind
from finops_operator.pricing.offers import all_offers
from finops_operator.pricing.price_list import PARTITION, PriceList

_TIMEOUT_SECONDS: Final = 15


class _Command:
    """What was answered in this command; implements `finops.ports.price_source.KeptAnswers`."""

    def __init__(self) -> None:
        self._answers: dict[PriceQuery, Price | NotListed] = {}

    def get(self, query: PriceQuery) -> Price | NotListed | None:
        return self._answers.get(query)

    def last(self, query: PriceQuery) -> Price | NotListed | None:
        return self._answers.get(query)

    def put(self, query: PriceQuery, answer: Price | NotListed) -> None:
        self._answers[query] = answer


def price_list_by(reader: PageReader, kinds: Mapping[str, ResourceKind[Any]], clock: Clock) -> PriceList:
    """Return AWS's price list as the role of `reader` is answered; sends nothing yet."""
    return PriceList(all_offers(kinds.values()), reader, _Command(), clock)


def own_price_list(kinds: Mapping[str, ResourceKind[Any]], clock: Clock) -> PriceList:
    """Return AWS's price list as the caller's own credentials are answered; asks who they belong to.

    Raises:
        InvalidInput: the credentials are of a partition whose list is another one, or cannot be used.
        AwsError: there are no credentials, or STS does not answer.
        Refused: demo mode and an endpoint that is not on this machine.
    """
    demo = from_environment(os.environ).demo
    identity = own_identity(clock, demo=demo)
    if identity.partition != PARTITION:
        raise InvalidInput(
            f"your credentials are of partition {identity.partition}, whose figures are not US dollars of this list",
            field="--price-list",
            hint=f"use credentials of an account of partition {PARTITION}",
        )
    counter = CallCounter()
    sdk = SdkSessions(counter, demo=demo)
    pacing = CallPacing(LocalRateLimits(), clock)
    readers = AwsReaders(sdk, pacing, process_counter=counter, timeout_seconds=_TIMEOUT_SECONDS)
    access = AccountAccess(name=f"account-{identity.account_id}", account_id=identity.account_id)
    reader = readers.reader(access, access.home_region, Tenant(namespace="default", policy="prices"))
    return price_list_by(reader, kinds, clock)
