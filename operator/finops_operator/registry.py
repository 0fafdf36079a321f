"""Finds plug-ins: one typed constant per file of a package, id equal to the file's name.

Called once at start by the pipeline, the command line and the generators. A file that does not load, exports the wrong
thing or repeats an id stops the start: a check that silently is not there would be worse.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol, TypeVar

from finops.errors import FinopsError


class BrokenPlugin(FinopsError):
    """A plug-in file cannot be used; names the file and what is wrong with it."""


class Identified(Protocol):
    """What a plug-in constant must have."""

    @property
    def id(self) -> str: ...


Plugin = TypeVar("Plugin", bound=Identified)


def load(
    package: str, constant: str, kind: type[Plugin], *, ignore: frozenset[str] = frozenset()
) -> Mapping[str, Plugin]:
    """Return id → constant for every module of `package`, in order of the ids.

    Modules named in `ignore` and sub-packages are no plug-ins. The id of `ebs_volume.py` may be `ebs_volume` or
    `ebs-volume`.

    Raises:
        BrokenPlugin: a module fails to import, has no such constant, more than one of that type, or an id that is not
            its file's name.
    """
    parent = importlib.import_module(package)
    found: dict[str, Plugin] = {}
    for module in sorted(pkgutil.iter_modules(parent.__path__), key=lambda info: info.name):
        if module.ispkg or module.name in ignore:
            continue
        plugin = _constant(f"{package}.{module.name}", constant, kind)
        if plugin.id.replace("-", "_") != module.name:
            raise BrokenPlugin(f"{package}.{module.name}: id {plugin.id!r} is not the file's name")
        found[plugin.id] = plugin
    return MappingProxyType(dict(sorted(found.items())))


def _constant(name: str, constant: str, kind: type[Plugin]) -> Plugin:
    try:
        module = importlib.import_module(name)
    except (ImportError, SyntaxError, NameError, AttributeError, TypeError, ValueError, LookupError) as error:
        raise BrokenPlugin(f"{name} does not load: {type(error).__name__}: {error}") from error
    exported = {key for key, value in vars(module).items() if isinstance(value, kind)}
    if exported != {constant}:
        told = ", ".join(sorted(exported)) or "nothing"
        raise BrokenPlugin(f"{name} must export exactly {constant}: {kind.__name__}, it exports {told}")
    value = getattr(module, constant)
    assert isinstance(value, kind)
    return value
