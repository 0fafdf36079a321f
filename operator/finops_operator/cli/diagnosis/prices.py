"""Where prices come from and how old they are."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from finops_operator.cli.diagnosis.result import Result, Results, Verdict
from finops_operator.plugins.loaded import Plugins
from finops_operator.pricing.bundled import known_regions

_OLD_AFTER: Final = timedelta(days=365)
_REGION: Final = "us-east-1"


def diagnose_prices(plugins: Plugins, today: date) -> Results:
    """Yield the source of prices, the date of a figure everybody knows, and how many regions have a table."""
    product = next(product for kind in plugins.kinds.values() for product in kind.products)
    probe = product.queries(_REGION, product.sample, {one.name: one.default for one in product.options})[0]
    for source in plugins.price_sources:
        price = source.lookup(probe)
        if price is None:
            missing = f"has no price for {product.sample} in {_REGION}"
            yield Result("prices", source.id, Verdict.FAILED, missing, "install again")
            continue
        old = today - price.as_of > _OLD_AFTER
        yield Result(
            "prices",
            source.id,
            Verdict.WARNING if old else Verdict.OK,
            f"{len(known_regions())} regions; {product.sample} in {_REGION} is {price.amount} {price.currency} "
            f"per {price.unit}, as of {price.as_of.isoformat()}",
            "upgrade to a release with newer tables" if old else "",
        )
