"""Where AWS's price list has the figures of streams.

Source: "Finding services and products using the AWS Price List Query API", Billing user guide; usage types as the offer
file of the service and Cost and Usage Reports spell them. Units as answers of GetProducts that people published spell
them: `ShardHour` of shards, `StreamHr` (or `StreamHour`) of streams on demand. Another unit is another figure.
"""

from __future__ import annotations

from typing import Final

from finops.domain.price import HOUR
from finops_operator.pricing.offers import Offer, Offers

_FAMILY: Final = ("productFamily", "Kinesis Streams")
_STORAGE: Final = (_FAMILY, ("operation", "shardHourStorage"))
_SHARD_HOURS: Final = frozenset({"shardhour"})
_STREAM_HOURS: Final = frozenset({"streamhr", "streamhour"})
OFFERS: Final[Offers] = {
    ("kinesis", "shard_hour"): Offer("AmazonKinesis", _STORAGE, "Storage-ShardHour", _SHARD_HOURS, HOUR),
    ("kinesis", "extended_shard_hour"): Offer("AmazonKinesis", _STORAGE, "Extended-ShardHour", _SHARD_HOURS, HOUR),
    ("kinesis", "stream_hour"): Offer(
        "AmazonKinesis", (_FAMILY, ("operation", "OnDemandStreamHr")), "OnDemand-StreamHour", _STREAM_HOURS, HOUR
    ),
}
