"""Where prices come from and how old they are."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from finops.domain.price import PriceQuery
from finops_operator.cli.diagnosis.result import Result, Results, Verdict
from finops_operator.plugins.loaded import Plugins
from finops_operator.pricing.bundled import known_regions

_OLD_AFTER: Final = timedelta(days=365)
_PROBE: Final = PriceQuery("ec2", "us-east-1", "instance_hour", (("instance_type", "m5.large"), ("os", "linux")))


def look_at_prices(plugins: Plugins, today: date) -> Results:
    """Yield the source of prices, the date of a figure everybody knows, and how many regions have a table."""
    for source in plugins.price_sources:
        price = source.lookup(_PROBE)
        if price is None:
            yield Result("prices", source.id, Verdict.FAILED, "has no price for m5.large in us-east-1", "install again")
            continue
        old = today - price.as_of > _OLD_AFTER
        yield Result(
            "prices",
            source.id,
            Verdict.WARNING if old else Verdict.OK,
            f"{len(known_regions())} regions; m5.large in us-east-1 is {price.amount} {price.currency} "
            f"an {price.unit}, as of {price.as_of.isoformat()}",
            "upgrade to a release with newer tables" if old else "",
        )
