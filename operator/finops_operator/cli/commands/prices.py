"""`finops prices lookup`: what the price tables say about one product, with source and date."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from finops.domain.price import Price, PriceQuery
from finops.errors import FinopsError, InvalidInput
from finops_operator.cli.command import Command
from finops_operator.cli.options import Output
from finops_operator.cli.output import Format, emit, field
from finops_operator.plugins.loaded import plugins
from finops_operator.pricing.bundled import known_regions

_VOLUME_DIMENSIONS: Final = ("gb_month", "iops_month", "throughput_mibps_month")
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


@app.command("lookup")
def _lookup(
    region: Annotated[str, typer.Option("--region", metavar="CODE", help="Region, such as us-east-1.")],
    instance_type: Annotated[str, typer.Option("--instance-type", metavar="TYPE", help="Such as t2.large.")] = "",
    operating_system: Annotated[str, typer.Option("--os", metavar="NAME", help="linux, windows, rhel, …")] = "linux",
    volume_type: Annotated[str, typer.Option("--volume-type", metavar="TYPE", help="Such as gp3.")] = "",
    output: Output = Format.TABLE,
) -> None:
    """Show AWS's on-demand list price of an instance type or a volume type. Exit code 1 when it is unknown."""
    if bool(instance_type) == bool(volume_type):
        raise InvalidInput("name exactly one product", field="--instance-type, --volume-type")
    if region not in known_regions():
        raise InvalidInput(
            f"there is no table for {region!r}", field="--region", hint=f"tables: {', '.join(sorted(known_regions()))}"
        )
    if instance_type:
        queries = [_instance(region, instance_type, operating_system)]
    else:
        queries = [_volume(region, volume_type, dimension) for dimension in _VOLUME_DIMENSIONS]
    product = f"{instance_type} {operating_system}" if instance_type else volume_type
    records = [_record(query, product, price) for query in queries if (price := _price(query)) is not None]
    if not records:
        raise UnknownPrice(
            f"no price for {product} in {region}",
            hint="resources of this product are shown without a price; other regions' figures are never used",
        )
    emit(records, _COLUMNS, output)


def _instance(region: str, instance_type: str, system: str) -> PriceQuery:
    return PriceQuery("ec2", region, "instance_hour", (("instance_type", instance_type), ("os", system)))


def _volume(region: str, volume_type: str, dimension: str) -> PriceQuery:
    return PriceQuery("ebs", region, dimension, (("volume_type", volume_type),))


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
