"""Readers for accounts: the one object that stages get to reach AWS for reading.

Made by the composition root (`make_aws`), shared by all scans; implements `finops.ports.aws_read.Readers`.
"""

from __future__ import annotations

from typing import Any, Final

from botocore.config import Config

from finops.ports.aws_access import AccountAccess, Tenant
from finops_operator.aws.assume import ScannerSessions
from finops_operator.aws.counting import CallCounter
from finops_operator.aws.places import region_that_serves
from finops_operator.aws.reader import AwsReader, CallPacing
from finops_operator.aws.session import BoundedCache, SdkSessions, read_config

_READ_TIMEOUT_SECONDS: Final = 60.0
_UNCHECKED: Final = Config(parameter_validation=False)
"""For questions about metrics, which `scan.metrics` makes 500 at a time: to check each against its shape before it is
sent takes as long as to write it, and CloudWatch checks them anyway."""


class AwsReaders:
    """Hands out readers; clients are cached per (account, tenant, service, region), the 32 used last.

    Those of all services in every region would be more than stays in memory.
    """

    def __init__(
        self,
        sdk: SdkSessions,
        pacing: CallPacing,
        *,
        process_counter: CallCounter,
        timeout_seconds: float = _READ_TIMEOUT_SECONDS,
    ) -> None:
        self.process_counter = process_counter
        self._sdk = sdk
        self._pacing = pacing
        self._sessions = ScannerSessions(sdk, pacing.clock)
        self._clients = BoundedCache()
        self._config = read_config(timeout_seconds=timeout_seconds)

    def reader(
        self, access: AccountAccess, region: str, tenant: Tenant, counter: CallCounter | None = None
    ) -> AwsReader:
        """Return a reader; nothing is sent before its first call.

        What a partition has once (Route 53, Cost Explorer) may be asked through a reader of any of its regions.
        """

        def client(service: str, fresh: bool) -> Any:
            if fresh:
                self._sessions.forget(access, tenant)
                self._clients.drop(lambda key: key[:2] == (access, tenant))
            return self._clients.get(
                (access, tenant, service, region), lambda: self._make(access, tenant, service, region)
            )

        return AwsReader(
            access.account_id, region, client, self._sdk.paging, self._pacing, counter or self.process_counter
        )

    def _make(self, access: AccountAccess, tenant: Tenant, service: str, region: str) -> Any:
        session = self._sessions.session(access, tenant)
        config = self._config.merge(_UNCHECKED) if service == "cloudwatch" else self._config
        return self._sdk.client(session, service, region_that_serves(session, service, region), config)


def make_readers(pacing: CallPacing, *, demo: bool = False) -> AwsReaders:
    """Return readers on the SDK's own credential chain and endpoints; reads configuration files, sends nothing.

    Raises:
        InvalidInput, AwsCredentialsInvalid: the SDK's settings cannot be used, see `SdkSessions.check`.
    """
    counter = CallCounter()
    sdk = SdkSessions(counter, demo=demo)
    sdk.check()
    return AwsReaders(sdk, pacing, process_counter=counter)
