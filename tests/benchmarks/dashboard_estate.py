"""Resources for benchmarks of the dashboard: 10,000, or FINOPS_BENCH_RESOURCES."""

from __future__ import annotations

import os
from typing import Final

from tests.support.web_estate import StoredScan, priced, resource

from finops.store.connection import Store

RESOURCES: Final = int(os.environ.get("FINOPS_BENCH_RESOURCES", "10000"))
_REGIONS: Final = ("us-east-1", "eu-west-1", "ap-southeast-2", "eu-central-1")
_KINDS: Final = ("ec2-instance", "ebs-volume")


def write_estate(store: Store) -> None:
    """Write a scan of `RESOURCES` resources of two kinds in four regions."""
    rows = {
        str(number): (
            resource(
                _KINDS[number % 2],
                f"r-{number:05}",
                region=_REGIONS[number % 4],
                name=f"web-{number}",
                tags={"Name": f"web-{number}", "team": f"team-{number % 40}", "stage": "prod"},
            ),
            priced(f"0.{number % 97 + 1:04}"),
        )
        for number in range(RESOURCES)
    }
    StoredScan(store).write(rows)
