"""`finops prices lookup`: what the price tables say about one product, with source and date."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from inspect import Parameter, Signature
from typing import Annotated, Any, Final

import typer

from finops.domain.price import Price, PriceQuery
from finops.errors import FinopsError, InvalidInput
from finops_operator.cli.command import Command
from finops_operator.cli.options import Output
from finops_operator.cli.output import Format, emit, field
from finops_operator.plugins.kind import Product
from finops_operator.plugins.loaded import load_kinds, plugins
from finops_operator.pricing.bundled import known_regions

_COLUMNS: Final = (
    field("region"),
    field("product"),
    field("dimension"),
    field("amount", right=True),
    field("currency"),
    field("unit"),
    field("source"),
    field("asOf"),
)
app: Final = typer.Typer(no_args_is_help=True, help="Read the price tables.")


class UnknownPrice(FinopsError):
    """The tables hold no such figure; another region's is never taken instead."""


@app.callback()
def _group() -> None:
    """Read the price tables."""


class _Lookup:
    """`prices lookup`: its options are those that the kinds declare for their products."""

    def __init__(self, products: Sequence[Product]) -> None:
        self._products = products
        self.__name__ = "lookup"
        self.__doc__ = (
            "Show AWS's on-demand list price of one product, which is named by exactly one of the options. "
            "Exit code 1 when it is unknown."
        )
        self.__signature__ = Signature([_REGION_OPTION, *self._options(), _OUTPUT_OPTION])
        self.__annotations__ = {name: one.annotation for name, one in self.__signature__.parameters.items()}

    def __call__(self, *, region: str, output: Format, **given: str) -> None:
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
        records = [_record(query, product, price) for query in queries if (price := _price(query)) is not None]
        if not records:
            raise UnknownPrice(
                f"no price for {product} in {region}",
                hint="resources of this product are shown without a price; other regions' figures are never used",
            )
        emit(records, _COLUMNS, output)

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
_OUTPUT_OPTION: Final = Parameter("output", Parameter.KEYWORD_ONLY, default=Format.TABLE, annotation=Output)

app.command("lookup")(_Lookup([product for kind in load_kinds().values() for product in kind.products]))


def _price(query: PriceQuery) -> Price | None:
    sources = plugins().price_sources
    return next((price for source in sources if (price := source.lookup(query)) is not None), None)


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
    }


COMMAND: Final = Command("prices", app)
