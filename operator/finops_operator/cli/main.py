"""`finops` and `kubectl finops`: reads the arguments, runs one command, turns every outcome into an exit code.

0 done · 1 failed, nothing usable · 2 wrong usage or input · 3 done with gaps · 4 refused · 130 interrupted.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Final

import typer

from finops.errors import FinopsError
from finops_operator.cli.command import commands_for
from finops_operator.cli.extras import not_installed
from finops_operator.cli.failures import report
from finops_operator.cli.heap import collect_rarely, end_uncollected
from finops_operator.cli.stdout import OutputFailed, checked, discard_output

INTERRUPTED: Final = 130


def _show_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"finops {version('finops-operator')}\n")
        raise typer.Exit


def _root(
    version_: Annotated[
        bool, typer.Option("--version", help="Show the version and stop.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Find waste in AWS accounts, ask the right people, carry out what they approve, prove what happened.

    Data goes to stdout, messages to stderr. Exit codes: 0 done, 1 failed, 2 wrong usage or input, 3 done with gaps,
    4 refused, 130 interrupted.
    """


def application(arguments: Sequence[str]) -> typer.Typer:
    """Return the application with the commands that `arguments` need.

    Raises:
        BrokenPlugin: a command's file does not load.
    """
    app = typer.Typer(
        name="finops",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for command in commands_for(arguments):
        if isinstance(command.run, typer.Typer):
            app.add_typer(command.run, name=command.id)
        else:
            app.command(command.id)(command.run)
    return app


def run(arguments: Sequence[str], program: str = "finops") -> int:
    """Run one command and return its exit code."""
    try:
        application(arguments)(args=list(arguments), prog_name=program)
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):
            return _enough()
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except OutputFailed as error:
        discard_output()
        return report(error, sys.stderr)
    except FinopsError as error:
        return report(error, sys.stderr)
    except ModuleNotFoundError as error:
        known = not_installed(arguments[0] if arguments else "", error)
        if known is None:
            raise
        return report(known, sys.stderr)
    except BrokenPipeError:
        return _enough()
    return 0


def _enough() -> int:
    """End quietly: whoever reads our output has seen enough (`finops resources | head`), which is no failure."""
    discard_output()
    return 0


def _open_closed_streams() -> None:
    """Open what the shell closed (`<&-`, `>&-`) as an empty file: Python gives None for such a stream.

    In this order, so that each gets its own number and no file opened later is taken for stdout.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - open until the end


def main() -> int:
    """Entry point of both programs."""
    collect_rarely()
    _open_closed_streams()
    sys.stdout = checked(sys.stdout)
    # Libraries log their attempts; without a listener Python would print them between our own lines.
    logging.getLogger().addHandler(logging.NullHandler())
    program = "kubectl finops" if Path(sys.argv[0]).name.startswith("kubectl") else "finops"
    code = run(sys.argv[1:], program)
    end_uncollected()
    if code == INTERRUPTED:
        # Threads may sit in an AWS call for a minute; whoever pressed Ctrl-C does not wait for them.
        sys.stderr.write("interrupted\n")
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return _enough()
    except OutputFailed as error:
        discard_output()
        return report(error, sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
