"""Reads of one account and region: rate-limited, retried, counted, page by page.

Collectors and the metric fetcher get an `AwsReader` and never see an SDK; the executor observes through its `read`.
Retries are ours, not the SDK's: its standard mode gives up after three attempts and shares a retry quota per client,
which at 40 % throttling loses pages; here every request has its own patience, and each attempt takes from the bucket.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from botocore import xform_name

from finops.domain.backoff import Backoff
from finops.errors import AwsCredentialsInvalid, AwsThrottled, AwsUnreachable
from finops.ports.clock import Clock
from finops.ports.limits import Bucket, RateLimits
from finops_operator.aws.counting import CallCounter, counted_by
from finops_operator.aws.errors import EXPIRED, REGION_DISABLED, SDK_ERRORS, CallContext, translate
from finops_operator.aws.limiter import DATAPOINTS, OURS, Quota, bucket_for
from finops_operator.aws.paging import Paging, UnknownPaging

_NEVER_RETRIED: Final = REGION_DISABLED
_BACKOFF: Final = Backoff(0.4, 20.0)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a request is sent, and the pauses between, with full jitter.

    Twelve attempts: at 40 % throttling one request in 60,000 is given up. Unreachable endpoints get fewer: a region
    that is down must not hold a scan for minutes.
    """

    attempts: int = 12
    unreachable_attempts: int = 4
    backoff: Backoff = _BACKOFF


def _unnoticed(_bucket: str, _seconds: float) -> None:
    return None


@dataclass(frozen=True, slots=True)
class CallPacing:
    """What a reader needs to wait politely: limits, quotas, clock and retry policy.

    Attributes:
        waits: called before a request waits for room, with the name of the bucket and the seconds.
    """

    limits: RateLimits
    clock: Clock
    retry: RetryPolicy = RetryPolicy()
    quotas: Mapping[str, Quota] = field(default_factory=lambda: OURS)
    waits: Callable[[str, float], None] = _unnoticed


ClientSource = Callable[[str, bool], Any]
"""(service, fresh) → SDK client; `fresh` asks for a new role session after the old one expired."""

PagingSource = Callable[[str], Paging]
"""`service:Operation` → how it pages; asked after its first answer, so the SDK knows the operation."""


class AwsReader:
    """Describe calls of one account in one region; implements `finops.ports.aws_steps.Reader`."""

    def __init__(
        self,
        account: str,
        region: str,
        clients: ClientSource,
        paging: PagingSource,
        pacing: CallPacing,
        counter: CallCounter,
    ) -> None:
        self.account = account
        self.region = region
        self.counter = counter
        self._clients = clients
        self._paging = paging
        self._pacing = pacing

    def once(
        self, operation: str, parameters: Mapping[str, Any], *, datapoints: int = 0, metrics: int = 0
    ) -> dict[str, Any]:
        """Return one answer to `operation` (`service:Operation`), only its first page, after the attempts allowed.

        `datapoints` is drawn from CloudWatch's own budget of points, which throttles by estimate; `metrics` is what an
        answered request adds to the bill.

        Raises:
            AwsThrottled, AwsDenied, AwsCredentialsInvalid, AwsUnreachable, AwsRejected: see `finops.errors`.
        """
        retry = self._pacing.retry
        fresh = False
        attempt = 0
        while True:
            attempt += 1
            self._wait_for_token(operation, datapoints)
            try:
                answer = self._send(operation, parameters, fresh=fresh)
            except AwsThrottled:
                self._slow_down(operation)
                if attempt >= retry.attempts:
                    raise
            except AwsUnreachable as error:
                if error.code in _NEVER_RETRIED or attempt >= retry.unreachable_attempts:
                    raise
            except AwsCredentialsInvalid as error:
                # A role session can end early (the administrator revoked it, or the clock jumped): assume once more.
                if error.code not in EXPIRED or fresh:
                    raise
                fresh = True
                continue
            else:
                self.counter.add_metrics(metrics)
                return answer
            fresh = False
            # Jitter spreads retries of many threads; nothing secret depends on it.
            self._pacing.clock.sleep(retry.backoff.spread(attempt, random.random()))  # noqa: S311 - not cryptography

    def pages(self, operation: str, parameters: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield every page of `operation`, as the SDK's models describe its paging; a page may be empty and not last.

        Raises:
            AwsError: as `once`; pages already yielded stay valid, the rest is lost. Also AwsUnreachable with code
                PagingUnknown (there is more, and nothing says how to ask for it) or PagingLoop (a token came twice).
        """
        request = dict(parameters)
        asked: set[str] = set()
        while True:
            page = self.once(operation, request)
            yield page
            try:
                following = self._paging(operation).following(page)
            except UnknownPaging as error:
                raise self._lost(operation, "PagingUnknown", f"cannot be listed to its end: {error}") from error
            if not following:
                return
            token = repr(sorted(following.items()))
            if token in asked:
                raise self._lost(operation, "PagingLoop", f"answered {' and '.join(following)} twice")
            asked.add(token)
            request = {name: value for name, value in {**request, **following}.items() if value is not None}

    def read(self, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return all pages of `operation` joined by its result keys. For a handful of resources, not for fleets.

        Raises:
            AwsError: as `pages`.
        """
        pages = tuple(self.pages(operation, parameters))
        return self._paging(operation).joined(pages)

    def _lost(self, operation: str, code: str, what: str) -> AwsUnreachable:
        context = CallContext(operation, self.account, self.region)
        return AwsUnreachable(
            f"{context.where} {what}", operation=operation, code=code, account=self.account, region=self.region
        )

    def _send(self, operation: str, parameters: Mapping[str, Any], *, fresh: bool) -> dict[str, Any]:
        service, _, name = operation.partition(":")
        context = CallContext(operation, self.account, self.region)
        with counted_by(self.counter):
            client = self._clients(service, fresh)
            method = getattr(client, xform_name(name))
            try:
                answer: dict[str, Any] = method(**parameters)
            except SDK_ERRORS as error:
                raise translate(error, context) from error
        return answer

    def _wait_for_token(self, operation: str, datapoints: int) -> None:
        limits = self._pacing.limits
        bucket = self._bucket(operation)
        wait = limits.take(bucket)
        if datapoints:
            points = self._bucket(DATAPOINTS)
            for_points = limits.take(points, datapoints)
            wait, bucket = (for_points, points) if for_points > wait else (wait, bucket)
        if wait > 0:
            self._pacing.waits(bucket.service, wait)
            self._pacing.clock.sleep(wait)

    def _slow_down(self, operation: str) -> None:
        self._pacing.limits.throttled(self._bucket(operation))

    def _bucket(self, operation: str) -> Bucket:
        return bucket_for(self.account, self.region, operation, self._pacing.quotas)
