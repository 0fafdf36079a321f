"""The real operator, in which named calls to the outside never return once the file `HANG_NOW` exists.

`HANGS` lists them as `module:Class.method`, separated by blanks. A call that hangs leaves a file of its name in the
folder `HANGING`, so that a test knows that its loop stands there.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from finops_operator.__main__ import main as serve


def hang(place: str, hanging: Path, now: Path) -> None:
    """Replace a method by one that waits for ever once `now` exists."""
    module, _, path = place.partition(":")
    owner, _, name = path.rpartition(".")
    kind = getattr(import_module(module), owner)
    original: Callable[..., Any] = getattr(kind, name)

    def held(*arguments: Any, **named: Any) -> Any:
        if now.exists():
            (hanging / path).touch()
            threading.Event().wait()
        return original(*arguments, **named)

    setattr(kind, name, held)


if __name__ == "__main__":
    for one in os.environ["HANGS"].split():
        hang(one, Path(os.environ["HANGING"]), Path(os.environ["HANG_NOW"]))
    sys.exit(serve())
