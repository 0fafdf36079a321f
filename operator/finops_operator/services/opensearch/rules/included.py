"""What of its speed comes with a gp3 disk of a data node, and what gp2 of the same size does.

Sources: AWS's pricing calculator for OpenSearch Service counts as free the larger of 3,000 IOPS and 3 a gigabyte, up to
16,000, and 250 MB/s for each begun 3,000 GB, up to 1,000 (its words are quoted in
https://github.com/hashicorp/terraform-provider-aws/issues/39136); up to 170 GiB it is 125 MiB/s
(https://aws.amazon.com/opensearch-service/pricing/). gp2: table "General Purpose SSD volumes", Amazon EBS user guide.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Final

_SMALL_GB: Final = 170
_STEP_GB: Final = 3000


@dataclass(frozen=True, slots=True)
class Speed:
    """Of one disk: operations a second and MiB a second."""

    iops: int
    throughput: int


def included(gigabytes: int) -> Speed:
    """Return what gp3 of this size includes."""
    iops = min(16_000, max(3_000, 3 * gigabytes))
    return Speed(iops, 125 if gigabytes <= _SMALL_GB else min(1_000, 250 * ceil(gigabytes / _STEP_GB)))


def of_gp2(gigabytes: int) -> Speed:
    """Return what gp2 of this size keeps up; it reaches 3,000 IOPS for a while."""
    return Speed(min(16_000, max(100, 3 * gigabytes)), 128 if gigabytes <= _SMALL_GB else 250)
