"""What a command file exports, and how the program finds it.

Called by `main`. Only the command that was asked for is loaded: `finops requests` must not wait for the AWS SDK.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import typer

from finops_operator.cli.extras import NotInstalled, not_installed
from finops_operator.plugins.registry import BrokenPlugin, load_file

PACKAGE: Final = "finops_operator.cli.commands"
_FOLDER: Final = Path(__file__).parent / "commands"


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

    Among all of them, a command whose packages are not installed says so as its help.

    Raises:
        BrokenPlugin: a command's file does not load.
        NotInstalled: the packages of the command that was asked for belong to an extra that is not installed.
    """
    word = next((one for one in arguments if not one.startswith("-")), "")
    files = sorted(path.stem for path in _FOLDER.glob("*.py") if path.stem != "__init__")
    asked = word.replace("-", "_")
    if asked in files:
        return (_loaded(asked),)
    return tuple(_listed(file) for file in files)


def _loaded(file: str) -> Command:
    try:
        return load_file(f"{PACKAGE}.{file}", "COMMAND", Command)
    except BrokenPlugin as error:
        missing = error.__cause__
        known = not_installed(file.replace("_", "-"), missing) if isinstance(missing, ModuleNotFoundError) else None
        if known is None:
            raise
        raise known from error


def _listed(file: str) -> Command:
    try:
        return _loaded(file)
    except NotInstalled as error:
        return _absent(file.replace("_", "-"), error)


def _absent(name: str, error: NotInstalled) -> Command:
    def run() -> None:
        raise error

    run.__doc__ = f"(not installed; comes with the extra {error.extra!r})"
    return Command(name, run)
