"""The parts that read and change AWS, and what is known of its services."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from finops.ports.clock import Clock
from finops.settings import Settings
from finops.store.connection import Store
from finops.store.limits import SharedRateLimits
from finops_operator.aws.bucket_place import bucket_of
from finops_operator.aws.clients import AwsReaders
from finops_operator.aws.counting import CallCounter
from finops_operator.aws.executor import StsExecutorSessions
from finops_operator.aws.limiter import share_of_published
from finops_operator.aws.locked_bucket import S3Bucket
from finops_operator.aws.reader import CallPacing
from finops_operator.aws.session import SdkSessions
from finops_operator.plugins.loaded import Plugins, known_ids, plugins_with
from finops_operator.rules.known_ids import KnownIds


@dataclass(frozen=True, slots=True)
class CloudParts:
    """Sessions, plug-ins, and the threads that ask AWS.

    Attributes:
        sdk: makes clients of services that are not asked about resources.
        known: the ids that this release knows.
        pool: threads that list and judge.
        metric_pool: threads that ask CloudWatch; those of `pool` wait for them.
    """

    sdk: SdkSessions
    readers: AwsReaders
    sessions: StsExecutorSessions
    plugins: Plugins
    known: KnownIds
    pool: ThreadPoolExecutor
    metric_pool: ThreadPoolExecutor

    def close(self) -> None:
        """End the threads."""
        # The threads of the first wait for those of the second.
        self.pool.shutdown(cancel_futures=True)
        self.metric_pool.shutdown(cancel_futures=True)


def make_cloud(settings: Settings, store: Store, clock: Clock) -> CloudParts:
    """Make them; nothing is asked yet."""
    counter = CallCounter()
    sdk = SdkSessions(counter, demo=settings.demo)
    sdk.log_problem()
    pacing = CallPacing(SharedRateLimits(store), clock, quotas=share_of_published(settings.aws_quota_percent))
    readers = AwsReaders(sdk, pacing, process_counter=counter)
    loaded = plugins_with(settings.price_tables)
    return CloudParts(
        sdk=sdk,
        readers=readers,
        sessions=StsExecutorSessions(sdk, readers, clock),
        plugins=loaded,
        known=known_ids(loaded),
        pool=ThreadPoolExecutor(settings.scan_workers, thread_name_prefix="aws"),
        metric_pool=ThreadPoolExecutor(settings.scan_workers, thread_name_prefix="cloudwatch"),
    )


def make_ledger_bucket(settings: Settings, sdk: SdkSessions, clock: Clock) -> S3Bucket | None:
    """Make the bucket that keeps the ledger, None when no setting names one; nothing is asked yet.

    Raises:
        InvalidInput: its address is none.
    """
    place = bucket_of(settings)
    return None if place is None else S3Bucket(sdk, place, clock)
