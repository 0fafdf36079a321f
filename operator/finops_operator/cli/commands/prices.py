"""`finops prices`: what the price tables and AWS's price list say about one product; tables written anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from inspect import Parameter, Signature
from typing import Annotated, Any, Final

import typer

from finops.domain.price import NotListed, Price, PriceQuery
from finops.errors import FinopsError, InvalidInput
from finops.ports.clock import SystemClock
from finops_operator.cli.command import Command
from finops_operator.cli.failures import GAPS
from finops_operator.cli.figures import figure_query, listed_names
from finops_operator.cli.options import Output
from finops_operator.cli.output import Format, emit, field, note
from finops_operator.cli.price_refresh import refresh
from finops_operator.cli.store_access import settings_with
from finops_operator.plugins.kind import Product
from finops_operator.plugins.loaded import load_kinds, plugins_with
from finops_operator.pricing.bundled import known_regions
from finops_operator.pricing.offers import Offers, all_offers, offer_of
from finops_operator.pricing.price_list import PERMISSION, PriceList

_COLUMNS: Final = (
    field("region"),
    field("product"),
    field("dimension"),
    field("amount", right=True),
    field("currency"),
    field("unit"),
    field("source"),
    field("asOf"),
    field("sku"),
)
app: Final = typer.Typer(no_args_is_help=True, help="Read the price tables, or write them anew.")


class UnknownPrice(FinopsError):
    """No source holds such a figure; another region's is never taken instead."""


@app.callback()
def _group() -> None:
    """Read the price tables, or write them anew."""


class _Lookup:
    """`prices lookup`: its options are those that the kinds declare for their products."""

    def __init__(self, products: Sequence[Product]) -> None:
        self._products = products
        self.__name__ = "lookup"
        self.__doc__ = (
            "Show AWS's on-demand list price of one product, which is named by exactly one of the options.\n\n"
            "Each figure names its source and its date: the tables of this release, or, with AWS's number of the "
            "product (SKU), tables written anew and AWS's price list. Exit code 1 when it is unknown, 3 when AWS could "
            "not be asked and a table holds it."
        )
        self.__signature__ = Signature([_REGION_OPTION, *self._options(), _PRICE_LIST_OPTION, _OUTPUT_OPTION])
        self.__annotations__ = {name: one.annotation for name, one in self.__signature__.parameters.items()}

    def __call__(self, *, region: str, price_list: bool, output: Format, **given: str) -> None:
        chosen = [product for product in self._products if given[_argument(product.option)]]
        if len(chosen) != 1:
            raise InvalidInput("name exactly one product", field=", ".join(one.option for one in self._products))
        if region not in known_regions():
            raise InvalidInput(
                f"there is no table for {region!r}",
                field="--region",
                hint=f"tables: {', '.join(sorted(known_regions()))}",
            )
        name = given[_argument(chosen[0].option)]
        options = {one.name: given[_argument(one.name)] for one in chosen[0].options}
        product = " ".join((name, *options.values()))
        queries = chosen[0].queries(region, name, options)
        _show(product, queries, output, _asked(product, queries) if price_list else None)

    def _options(self) -> Iterator[Parameter]:
        for product in self._products:
            yield _option(product.option, product.metavar, product.description, "")
            for one in product.options:
                yield _option(one.name, one.metavar, one.description, one.default)


def _argument(option: str) -> str:
    return "_" + option.strip("-").replace("-", "_")


def _option(name: str, metavar: str, description: str, default: str) -> Parameter:
    kind: Any = Annotated[str, typer.Option(name, metavar=metavar, help=description)]
    return Parameter(_argument(name), Parameter.KEYWORD_ONLY, default=default, annotation=kind)


_REGION_OPTION: Final = Parameter(
    "region",
    Parameter.KEYWORD_ONLY,
    annotation=Annotated[str, typer.Option("--region", metavar="CODE", help="Region, such as us-east-1.")],
)
_PRICE_LIST_OPTION: Final = Parameter(
    "price_list",
    Parameter.KEYWORD_ONLY,
    default=False,
    annotation=Annotated[
        bool,
        typer.Option("--price-list", help=f"Ask AWS's price list first, with your own credentials ({PERMISSION})."),
    ],
)
_OUTPUT_OPTION: Final = Parameter("output", Parameter.KEYWORD_ONLY, default=Format.TABLE, annotation=Output)


def _figures(offers: Offers) -> Product:
    """Return every figure of the tables and of AWS's price list, by our name of it."""

    def queries(region: str, name: str, _: Mapping[str, str]) -> tuple[PriceQuery, ...]:
        return (figure_query(region, name, offers),)

    sample = min(listed_names(offers))
    text = (
        "Any figure of the tables, by service, figure and what selects the product, each after a slash; with "
        f"--price-list also one of AWS's price list, such as {sample}. A wrong name lists those that there are."
    )
    return Product("--figure", "FIGURE", text, queries, sample)


_KINDS: Final = tuple(load_kinds().values())
_PRODUCTS: Final = tuple(product for kind in _KINDS for product in kind.products)
app.command("lookup")(_Lookup([*_PRODUCTS, _figures(all_offers(_KINDS))]))
app.command("refresh")(refresh)


def _asked(product: str, queries: Sequence[PriceQuery]) -> PriceList | None:
    """Return AWS's price list, None where it says nothing of the product that we could name for certain."""
    if not _listed_somewhere(queries):
        note(f"AWS's price list is not asked for {product}: the tables alone have it")
        return None
    from finops_operator.cli.asked_prices import own_price_list  # noqa: PLC0415 - loads the AWS SDK

    return own_price_list(load_kinds(), SystemClock())


def _listed_somewhere(queries: Sequence[PriceQuery]) -> bool:
    offers = all_offers(_KINDS)
    return any(offer_of(query, offers) is not None for query in queries)


def _show(product: str, queries: Sequence[PriceQuery], output: Format, price_list: PriceList | None) -> None:
    """Print the figures that a source knows; fail where none does, end with a gap where AWS gave no answer."""
    answers = {query: price_list.answer(query) for query in queries} if price_list else {}
    records = []
    for query in queries:
        answer = answers.get(query)
        price = answer if isinstance(answer, Price) else _tabled(query)
        records += [_record(query, product, price)] if price else []
    gaps = price_list.gaps if price_list else []
    if not records:
        why = [one.why for one in answers.values() if isinstance(one, NotListed)] + [gap.message for gap in gaps]
        said = f": {'; '.join(dict.fromkeys(why))}" if why else ""
        raise UnknownPrice(f"no price for {product} in {queries[0].region}{said}", hint=_hint(queries, price_list))
    emit(records, _COLUMNS, output)
    if gaps:
        note("; ".join(gap.message for gap in gaps))
        raise typer.Exit(GAPS)


def _tabled(query: PriceQuery) -> Price | None:
    sources = plugins_with(settings_with("").price_tables).price_sources
    return next((price for source in sources if (price := source.lookup(query)) is not None), None)


def _hint(queries: Sequence[PriceQuery], price_list: PriceList | None) -> str:
    if price_list is None and _listed_somewhere(queries):
        return f"AWS's price list may have it: add --price-list, which needs {PERMISSION}"
    return "--figure names every figure of the tables; another region's is never used"


def _record(query: PriceQuery, product: str, price: Price) -> dict[str, Any]:
    return {
        "region": query.region,
        "product": product,
        "dimension": query.dimension,
        "amount": f"{price.amount:f}",
        "currency": price.currency,
        "unit": price.unit,
        "source": price.source,
        "asOf": price.as_of.isoformat(),
        "sku": price.sku or None,
    }


COMMAND: Final = Command("prices", app)
