"""What the parts of unfinished uploads cost: they are stored and billed in the class of their upload. Pure.

Parts on their way to Glacier and Deep Archive are billed as Standard until the upload is finished. Source: S3 user
guide, "Uploading and copying objects using multipart upload", "Multipart upload and pricing".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from finops_operator.plugins.check import Facts
from finops_operator.services.s3.bucket import BucketFacts
from finops_operator.services.s3.rules.storage import GIB, STANDARD, STEPS, Stored, storage_query, stored_in
from finops_operator.services.s3.rules.uploads import UploadSize

_STAGED: Final = {"GLACIER": "glacierStagingBytes", "DEEP_ARCHIVE": "deepArchiveStagingBytes"}
_HELD: Final[Mapping[str, str]] = {
    "STANDARD": STANDARD.name,
    "STANDARD_IA": "standardInfrequentBytes",
    "ONEZONE_IA": "oneZoneInfrequentBytes",
    "REDUCED_REDUNDANCY": "reducedRedundancyBytes",
    "INTELLIGENT_TIERING": "tieringFrequentBytes",
    "GLACIER_IR": "glacierInstantBytes",
    **_STAGED,
}
"""Storage class of an upload → the metric that its parts are in."""


def monthly_cost_of_parts(facts: Facts[BucketFacts], uploads: Iterable[UploadSize]) -> Decimal | None:
    """Return US dollars a month, unrounded, that the bill falls by without these uploads; None: a price is missing.

    It is never more than the bucket costs for the class; where its last gigabytes reach a further step of the price,
    all of them count at the price of the cheapest step, which may be too low and never too high.
    """
    if facts.cost.unrounded_monthly is None:
        return None
    held: defaultdict[str, Decimal] = defaultdict(Decimal)
    for one in uploads:
        held[one.storage_class] += Decimal(one.size) / GIB
    total = Decimal(0)
    for storage_class, gibibytes in held.items():
        metric = _HELD.get(storage_class)
        cost = None if metric is None else _of_class(facts, stored_in(metric), gibibytes)
        if cost is None:
            return None
        total += cost
    return total


def _of_class(facts: Facts[BucketFacts], held: Stored, gibibytes: Decimal) -> Decimal | None:
    steps = STEPS.get(held.name)
    dimension = held.price if steps is None else steps.dimension
    billed = [one for one in facts.cost.components if one.dimension == dimension]
    counted = min(gibibytes, sum((one.quantity for one in billed), Decimal(0)))
    if not counted:
        return Decimal(0)
    names = (held.price,) if steps is None else (steps.first, *(name for _, name in steps.further))
    listed = [facts.lookup(storage_query(facts.resource.region, name)) for name in names]
    first, prices = listed[0], [one.amount for one in listed if one is not None]
    if first is not None and all(one.price.amount == first.amount for one in billed):
        # What the bucket adds to the bill is at the first price where no further step is reached.
        return counted * first.amount
    return counted * min(prices) if len(prices) == len(names) else None
