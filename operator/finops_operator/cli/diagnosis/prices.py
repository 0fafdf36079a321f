"""Where prices come from and how old they are."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, timedelta
from typing import Final

from finops.domain.quantity import counted
from finops.errors import InvalidInput
from finops_operator.cli.diagnosis.result import Result, Results, Verdict
from finops_operator.plugins.loaded import Plugins
from finops_operator.pricing.bundled import ages, known_regions
from finops_operator.pricing.price_tables import Age
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
    wanted = frozenset(regions)
    for source in plugins.price_sources:
        if isinstance(source, RefreshedPrices):
            yield from _refreshed(source, today, wanted & source.regions or source.regions)
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
    yield from _ages(today, wanted & known_regions() or known_regions())


def _refreshed(source: RefreshedPrices, today: date, regions: frozenset[str]) -> Results:
    """Yield whether the tables of a folder can be read, of how many regions they are, and the age of each service's."""
    try:
        source.check()
    except InvalidInput as error:
        yield Result("prices", source.id, Verdict.FAILED, error.message, error.hint)
        return
    seen = f"{counted(len(source.regions), 'region')} in {source.folder}, asked before the bundled tables"
    yield Result("prices", source.id, Verdict.OK, seen)
    found: dict[str, Age] = {}
    behind: dict[str, set[str]] = {}
    for region in sorted(regions):
        bundled = ages((region,))
        for service, age in source.ages(region).items():
            found[service] = found[service].with_day(age.oldest).with_day(age.newest) if service in found else age
            if service in bundled and age.newest < bundled[service].newest:
                behind.setdefault(service, set()).add(region)
    for service, age in sorted(found.items()):
        yield _refreshed_age(service, age, today, regions, behind.get(service, ()))


def _refreshed_age(service: str, age: Age, today: date, regions: frozenset[str], behind: Collection[str]) -> Result:
    """Return the age of a service's table; a table stands before the bundled one even where that has newer figures."""
    seen = f"figures {_in_words(age, today)}; {_where(regions)}"
    again = f"finops prices refresh --regions {','.join(sorted(behind or regions)[:_NAMED])} writes them anew"
    if behind:
        older = f"; the tables of this release have newer ones of {_where(behind)}, and these stand before them"
        return Result("prices", f"refreshed {service}", Verdict.WARNING, f"{seen}{older}", again)
    hint = again if today - age.oldest > _OLD_AFTER else ""
    return Result("prices", f"refreshed {service}", Verdict.OK, seen, hint)


def _ages(today: date, regions: frozenset[str]) -> Results:
    for service, age in sorted(ages(regions).items()):
        hint = _ASK if today - age.oldest > _OLD_AFTER else ""
        seen = f"figures {_in_words(age, today)}; {_where(regions)}"
        yield Result("prices", f"table {service}", Verdict.OK, seen, hint)


def _where(regions: Collection[str]) -> str:
    return ", ".join(sorted(regions)) if len(regions) <= _NAMED else f"{len(regions)} regions"


def _in_words(age: Age, today: date) -> str:
    days = counted((today - age.oldest).days, "day")
    if age.oldest == age.newest:
        return f"of {age.oldest}, the oldest of {days} ago"
    return f"from {age.oldest} to {age.newest}, the oldest of {days} ago"
