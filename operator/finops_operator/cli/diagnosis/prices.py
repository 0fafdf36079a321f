"""Where prices come from and how old they are."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

from finops.domain.quantity import counted
from finops.errors import InvalidInput
from finops_operator.cli.diagnosis.result import Result, Results, Verdict
from finops_operator.plugins.loaded import Plugins
from finops_operator.pricing.bundled import ages, known_regions
from finops_operator.pricing.refreshed import RefreshedPrices

_OLD_AFTER: Final = timedelta(days=365)
_REGION: Final = "us-east-1"
_NAMED: Final = 3
"""Regions that are named; more are counted."""
_ASK: Final = "spec.pricing.priceList: true asks AWS's price list first, where it has the figure"


def diagnose_prices(plugins: Plugins, today: date, regions: Iterable[str] = ()) -> Results:
    """Yield each source with a figure everybody knows, and how old the figures of every service's table are.

    Args:
        plugins: what is installed.
        today: what ages are counted to.
        regions: whose tables are in use; none: those of all regions.
    """
    product = next(product for kind in plugins.kinds.values() for product in kind.products)
    probe = product.queries(_REGION, product.sample, {one.name: one.default for one in product.options})[0]
    for source in plugins.price_sources:
        if isinstance(source, RefreshedPrices):
            yield from _refreshed(source)
            continue
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
    yield from _ages(today, frozenset(regions) & known_regions() or known_regions())


def _refreshed(source: RefreshedPrices) -> Results:
    """Yield whether the tables of a folder can be read, and how many regions they are of."""
    try:
        source.check()
    except InvalidInput as error:
        yield Result("prices", source.id, Verdict.FAILED, error.message, error.hint)
        return
    seen = f"{counted(len(source.regions), 'region')} in {source.folder}, asked before the bundled tables"
    yield Result("prices", source.id, Verdict.OK, seen)


def _ages(today: date, regions: frozenset[str]) -> Results:
    where = ", ".join(sorted(regions)) if len(regions) <= _NAMED else f"{len(regions)} regions"
    for service, age in sorted(ages(regions).items()):
        days = (today - age.oldest).days
        since = f"of {age.oldest}" if age.oldest == age.newest else f"from {age.oldest} to {age.newest}"
        hint = _ASK if days > _OLD_AFTER.days else ""
        seen = f"figures {since}, the oldest of {counted(days, 'day')} ago; {where}"
        yield Result("prices", f"table {service}", Verdict.OK, seen, hint)
