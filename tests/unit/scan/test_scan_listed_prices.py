"""Who asks AWS's price list in a scan: an account whose list is in dollars, and nobody where none is wanted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NoReturn

import pytest
from tests.support.fake_clock import FakeClock
from tests.support.scan_samples import policy

from finops.crds.aws_account import AwsAccount
from finops.crds.part import API_VERSION
from finops_operator.rules.access import granted_accounts
from finops_operator.scan.listed_prices import scan_prices

CLOCK: Final = FakeClock(datetime(2026, 11, 29, 12, tzinfo=UTC))
WANTED: Final = {"pricing": {"priceList": True}}


def account(name: str, partition: str) -> AwsAccount:
    spec = {"accountId": "111111111111", "partition": partition, "allow": [{"namespaces": ["team-a"]}]}
    return AwsAccount.from_object(
        {"apiVersion": API_VERSION, "kind": "AwsAccount", "metadata": {"name": name}, "spec": spec}
    )


@dataclass(frozen=True)
class Nobody:
    """A scan's dependencies, none of which may be touched."""

    kinds: Any = None

    @property
    def readers(self) -> NoReturn:
        raise AssertionError

    @property
    def store(self) -> NoReturn:
        raise AssertionError


@pytest.mark.parametrize(("partition", "spec"), [("aws-cn", WANTED), ("aws-us-gov", WANTED), ("aws", {})])
def test_no_account_of_another_partition_asks_and_none_where_the_policy_does_not_want_it(
    partition: str, spec: dict[str, Any]
) -> None:
    """AWS China lists yuan, which are never taken for dollars; GovCloud has no endpoint. Such costs stay unknown."""
    granted, gaps = granted_accounts(["one"], {"one": account("one", partition)}, "team-a")
    assert (len(granted), gaps) == (1, ())
    prices = scan_prices(policy(**spec), granted, Nobody(), CLOCK)
    assert (prices.sources, prices.gaps) == ((), [])
