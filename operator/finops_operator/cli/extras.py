"""Says which extra of the wheel brings a package that is not there.

Called by `command` and `main`: an approver's installation has no AWS SDK, and a command that needs one must say what to
install instead of showing a traceback.
"""

from __future__ import annotations

import re
from importlib.metadata import requires, version
from typing import Final

from finops.errors import InvalidInput

DISTRIBUTION: Final = "finops-operator"
_REQUIREMENT: Final = re.compile(r"(?P<package>[A-Za-z0-9._-]+).*;.*\bextra == ['\"](?P<extra>[\w-]+)['\"]")


class NotInstalled(InvalidInput):
    """A command was asked for whose packages belong to an extra that is not installed; `extra` names it."""

    def __init__(self, message: str, *, extra: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.extra = extra


def not_installed(command: str, error: ModuleNotFoundError) -> NotInstalled | None:
    """Return what to say of a missing package, None when no extra brings it: then the program itself is broken."""
    package = _normalized((error.name or "").partition(".")[0])
    extra = _smallest_extra(package)
    if extra is None:
        return None
    return NotInstalled(
        f"`finops {command}` needs the package {package}, which comes with the extra {extra!r} and is not installed",
        extra=extra,
        hint=f"install finops_operator-{version(DISTRIBUTION)}-py3-none-any.whl[{extra}] instead",
    )


def _smallest_extra(package: str) -> str | None:
    """Return the extra with the fewest packages among those that bring `package`, by the installed wheel's metadata."""
    extras: dict[str, set[str]] = {}
    for requirement in requires(DISTRIBUTION) or ():
        match = _REQUIREMENT.fullmatch(requirement.strip())
        if match:
            extras.setdefault(match["extra"], set()).add(_normalized(match["package"]))
    return min((one for one in extras if package in extras[one]), key=lambda one: len(extras[one]), default=None)


def _normalized(name: str) -> str:
    return name.replace("_", "-").lower()
