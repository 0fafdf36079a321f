"""`finops prices refresh`: writes price tables anew from AWS's offer files."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from finops.errors import FinopsError, InvalidInput, Refused
from finops.ports.clock import SystemClock
from finops_operator.cli.failures import FAILED, GAPS
from finops_operator.cli.options import Output
from finops_operator.cli.output import Format, emit, field, note
from finops_operator.cli.scanning import shown_status
from finops_operator.cli.store_access import settings_with
from finops_operator.plugins.loaded import load_kinds
from finops_operator.pricing.downloads import AWS, OfferFiles, on_this_machine
from finops_operator.pricing.listed import rules, tabled
from finops_operator.pricing.refresh import Refresh, RegionLeft, TableWritten
from finops_operator.pricing.refreshed import VARIABLE, is_region

_COLUMNS: Final = (
    field("region"),
    field("service"),
    field("figures", right=True),
    field("leftOut", right=True),
    field("missing", right=True),
    field("published"),
    field("source", wide=True),
)
_NAMED: Final = 3
"""Figures that are named in a message; more are counted, and JSON has them all."""


class NothingRefreshed(FinopsError):
    """Of no region a table could be written; those that there were stand."""


def refresh(
    regions: Annotated[
        str, typer.Option("--regions", metavar="CODE,…", help="Regions, comma separated, such as us-east-1,eu-west-1.")
    ],
    to: Annotated[
        str, typer.Option("--to", metavar="FOLDER", help=f"Where tables are written. Default: {VARIABLE}.")
    ] = "",
    services: Annotated[
        str,
        typer.Option("--services", metavar="NAME,…", help="Services, comma separated. Default: those with tables."),
    ] = "",
    source: Annotated[
        str, typer.Option("--from", metavar="URL", help="AWS, or a mirror of its offer files.", show_default=True)
    ] = AWS,
    output: Output = Format.TABLE,
) -> None:
    """Write price tables anew from AWS's offer files, which need no credentials.

    The files are read as they arrive and not kept; EC2's has hundreds of megabytes for a region. A region's table is
    replaced when all of its files were good, and stays as it was otherwise; then the exit code is 3, and 1 when that
    happened to all regions. Scans ask the tables of a folder before those of this release where FINOPS_PRICE_TABLES
    names it. LEFTOUT counts figures that an offer file leaves open, MISSING those of the bundled tables that it does
    not have: the bundled ones answer for both.
    """
    settings, clock = settings_with(""), SystemClock()
    folder = to or settings.price_tables
    if not folder:
        raise InvalidInput("say where tables are written", field="--to", hint=f"or set {VARIABLE}")
    if settings.demo and not on_this_machine(source):
        raise Refused("demo mode asks only this machine", hint="--from http://127.0.0.1:PORT")
    wanted = _regions(regions)
    kinds = tuple(load_kinds().values())
    every = rules(kinds)
    chosen = _chosen(_split(services), {rule.service for rule in every}) or {rule.service for rule in tabled(kinds)}
    done: list[TableWritten] = []
    left: list[RegionLeft] = []
    with shown_status("asking for offer files") as show:
        run = Refresh(OfferFiles(source, time.sleep), every, frozenset(chosen), Path(folder), clock.now(), show)
        for one in run.regions(wanted):
            if isinstance(one, RegionLeft):
                left.append(one)
                note(f"{one.region}: nothing is written: {one.error.message}")
            else:
                done.append(one)
                _say(one)
    if not done:
        raise NothingRefreshed(f"no table was written: {left[0].error.message}", hint=left[0].error.hint)
    emit((_record(one) for one in done), _COLUMNS, output)
    if left:
        raise typer.Exit(GAPS if done else FAILED)


def _regions(text: str) -> tuple[str, ...]:
    wanted = _split(text)
    unknown = [one for one in wanted if not is_region(one)]
    if not wanted or unknown:
        raise InvalidInput(
            f"{', '.join(unknown) or 'nothing'} is no region", field="--regions", hint="us-east-1,eu-west-1"
        )
    return wanted


def _split(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def _chosen(named: tuple[str, ...], known: set[str]) -> frozenset[str]:
    unknown = sorted(set(named) - known)
    if unknown:
        hint = f"one of {', '.join(sorted(known))}"
        raise InvalidInput(f"no figures of {', '.join(unknown)} are known", field="--services", hint=hint)
    return frozenset(named)


def _say(one: TableWritten) -> None:
    note(f"{one.region} {one.service}: {one.figures:,} figures of {one.published}{_few('; not listed', one.missing)}")


def _few(words: str, names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - _NAMED:,} more" if len(listed) > _NAMED else ""
    return f"{words}: {', '.join(listed[:_NAMED])}{more}" if listed else ""


def _record(one: TableWritten) -> dict[str, Any]:
    return {
        "region": one.region,
        "service": one.service,
        "figures": one.figures,
        "leftOut": len(one.left_out),
        "missing": len(one.missing),
        "published": one.published.isoformat(),
        "source": one.origin,
    }
