"""What a command file exports, and how the program finds it.

Called by `main`. Only the command that was asked for is loaded: `finops requests` must not wait for the AWS SDK.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import typer

from finops_operator.plugins.registry import BrokenPlugin, load

PACKAGE: Final = "finops_operator.cli.commands"


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    Attributes:
        id: what people type; the file's name with hyphens.
        run: a function whose signature declares arguments and options, or an application with commands of its own.
    """

    id: str
    run: Callable[..., None] | typer.Typer


def commands_for(arguments: Sequence[str]) -> tuple[Command, ...]:
    """Return the command that `arguments` ask for, or all of them when they name none (help, completion, a typo).

    Raises:
        BrokenPlugin: a command's file does not load.
    """
    word = next((one for one in arguments if not one.startswith("-")), "")
    module = word.replace("-", "_")
    if module.isidentifier() and (Path(__file__).parent / "commands" / f"{module}.py").is_file():
        found = getattr(importlib.import_module(f"{PACKAGE}.{module}"), "COMMAND", None)
        if not isinstance(found, Command):
            raise BrokenPlugin(f"{PACKAGE}.{module} exports no COMMAND")
        return (found,)
    return tuple(load(PACKAGE, "COMMAND", Command).values())
