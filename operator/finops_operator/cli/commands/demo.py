"""`finops demo`: the whole loop on this machine, against doubles of AWS, Kubernetes and Slack."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from finops.errors import FinopsError, InvalidInput
from finops_operator.cli.command import Command
from finops_operator.cli.output import Format


class NotInstalled(FinopsError):
    """The sandbox's own packages are missing: an image of the product has none of them."""


def _run(
    headless: Annotated[
        bool, typer.Option("--headless", help="Approve one card by script, report the loop as data, and end.")
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
    sandbox = _sandbox()
    code: int = sandbox.run(sandbox.DemoOptions(headless=headless, keep=keep, output=output, verbose=verbose))
    raise typer.Exit(code)


def _sandbox() -> Any:
    """Return the sandbox's entry module, loaded only here: the product's images do not hold it."""
    try:
        return importlib.import_module("finops_sandbox.demo.run")
    except ModuleNotFoundError as error:
        raise NotInstalled(
            f"the demo needs the package {error.name}", hint="pip install '.[demo]' in a checkout"
        ) from error


COMMAND: Final = Command("demo", _run)
