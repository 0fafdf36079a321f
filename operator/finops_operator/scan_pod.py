"""`python -m finops_operator.scan_pod`: one pod of a scan; made by the Job that the operator asks for.

JOB_SCAN names the scan, JOB_COMPLETION_INDEX the part. It has the store and AWS, and nothing of the cluster: no API
server, no signing key. Exit code 0 when the part is done or nobody waits for it; otherwise the Job makes a new pod.
"""

from __future__ import annotations

import logging
import os
import sys

from finops import logs
from finops.errors import FinopsError, InvalidInput
from finops.k8s.scan_jobs import SCAN_VARIABLE
from finops.ports.clock import SystemClock
from finops.settings import Settings, from_environment
from finops.store.connection import check_server, open_store
from finops_operator.aws.own_identity import region_of
from finops_operator.killpoint import arm
from finops_operator.parts.cloud import make_cloud
from finops_operator.scan.dependencies import ScanDependencies
from finops_operator.scan.pod import scan_part

logger = logging.getLogger("finops_operator.scan_pod")


def scan(settings: Settings, name: str, index: int) -> bool:
    """Do one part; return False when nobody waits for it. Raises as `scan_part`, StoreUnsafe."""
    clock = SystemClock()
    store = open_store(settings.redis_url, prefix=settings.redis_prefix)
    check_server(store, allow_volatile=settings.store_allow_volatile)
    cloud = make_cloud(settings, store, clock)
    try:
        deps = ScanDependencies(
            readers=cloud.readers,
            store=store,
            kinds=cloud.plugins.kinds,
            checks=cloud.plugins.checks,
            price_sources=cloud.plugins.price_sources,
            actions=cloud.plugins.actions,
            pool=cloud.pool,
            metric_requests=cloud.metric_pool,
            own_region=region_of(os.environ),
        )
        return scan_part(name, index, deps, clock)
    finally:
        cloud.close()


def main() -> int:
    """Return the exit code: 0 done, 1 failed, 2 for a setting that cannot be used."""
    try:
        settings = from_environment(os.environ)
        name, index = os.environ.get(SCAN_VARIABLE, ""), os.environ.get("JOB_COMPLETION_INDEX", "")
        if not name or not index.isdecimal():
            raise InvalidInput("is made by the operator's Jobs alone", field=f"{SCAN_VARIABLE}, JOB_COMPLETION_INDEX")
    except FinopsError as error:
        sys.stderr.write(f"scan pod: {error}\n")
        return 2
    secrets = [os.environ.get(name, "") for name in ("AWS_SECRET_ACCESS_KEY", "FINOPS_STORE_PASSWORD")]
    logs.configure(format_=settings.log_format, level=settings.log_level, secrets=(settings.redis_url, *secrets))
    arm(settings.kill_point)
    try:
        kept = scan(settings, name, int(index))
    except FinopsError as error:
        logger.critical("part %s was not scanned: %s", index, error)
        return 2 if error.code == "InvalidInput" else 1
    logger.info("part %s: %s", index, "done" if kept else "nobody waits for it any more")
    return 0


if __name__ == "__main__":
    sys.exit(main())
