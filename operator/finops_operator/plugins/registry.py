"""Finds plug-ins: one typed constant per file, wherever a service's folder holds such files.

Called once at start, by `plugins.loaded`. A file that does not load, exports the wrong thing or repeats an id stops the
start: a check that is missing without an error would be worse.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from types import MappingProxyType, ModuleType
from typing import Protocol, TypeVar

from finops.errors import FinopsError


class BrokenPlugin(FinopsError):
    """A plug-in file cannot be used; names the file and what is wrong with it."""


class Identified(Protocol):
    """What a plug-in constant must have."""

    @property
    def id(self) -> str: ...


Plugin = TypeVar("Plugin", bound=Identified)


def load(package: str, constant: str, kind: type[Plugin]) -> Mapping[str, Plugin]:
    """Return id → constant of every file of one package, in order of the ids; sub-packages are no plug-ins.

    A file's name is its id with underscores for hyphens.

    Raises:
        BrokenPlugin: a module fails to import, has no such constant, more than one of that type, or an id that is not
            its file's name.
    """
    found = [_named(name, constant, kind) for name in _children(package, packages=False)]
    return MappingProxyType({plugin.id: plugin for plugin in sorted(found, key=lambda plugin: plugin.id)})


def load_file(name: str, constant: str, kind: type[Plugin]) -> Plugin:
    """Return the constant of one plug-in file; `name` is its module.

    Raises:
        BrokenPlugin: as `load`, of this file alone.
    """
    return _named(name, constant, kind)


def load_services(services: str, folder: str, constant: str, kind: type[Plugin]) -> Mapping[str, Plugin]:
    """Return id → constant of every plug-in file of every service, in order of the ids.

    The files of a service's own folder may leave out the id's first words: `ec2/volume.py` holds `ebs-volume`.

    Args:
        services: the package whose sub-packages are services.
        folder: sub-package of a service that holds the files (`checks`), empty for the service's own folder.
        constant: name of the constant that each file exports.
        kind: type of the constant.

    Raises:
        BrokenPlugin: as `load`; or two files have one id.
    """
    found: dict[str, Plugin] = {}
    for service in _children(services, packages=True):
        package = f"{service}.{folder}" if folder else service
        if folder and package not in _children(service, packages=True):
            continue
        for name in _children(package, packages=False):
            plugin = _named(name, constant, kind, shortened=not folder)
            if plugin.id in found:
                raise BrokenPlugin(f"{name}: id {plugin.id!r} exists already")
            found[plugin.id] = plugin
    return MappingProxyType(dict(sorted(found.items())))


def _named(name: str, constant: str, kind: type[Plugin], *, shortened: bool = False) -> Plugin:
    plugin = _constant(name, constant, kind)
    file, named = name.rpartition(".")[2], plugin.id.replace("-", "_")
    if named != file and not (shortened and named.endswith(f"_{file}")):
        raise BrokenPlugin(f"{name}: id {plugin.id!r} is not the file's name")
    return plugin


def _children(package: str, *, packages: bool) -> Iterator[str]:
    parent = _imported(package)
    for info in sorted(pkgutil.iter_modules(parent.__path__), key=lambda info: info.name):
        if info.ispkg is packages:
            yield f"{package}.{info.name}"


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except (ImportError, SyntaxError, NameError, AttributeError, TypeError, ValueError, LookupError) as error:
        raise BrokenPlugin(f"{name} does not load: {type(error).__name__}: {error}") from error


def _constant(name: str, constant: str, kind: type[Plugin]) -> Plugin:
    exported = {key: value for key, value in vars(_imported(name)).items() if isinstance(value, kind)}
    if set(exported) != {constant}:
        named = ", ".join(sorted(exported)) or "nothing"
        raise BrokenPlugin(f"{name} must export exactly {constant}: {kind.__name__}, it exports {named}")
    return exported[constant]
