"""The Kubernetes client behind our own words: our kinds, Leases, ConfigMaps, Events and rights.

The only importer of the `kubernetes` package, shared by operator, bot and command line. Nothing here decides anything.

Of that package a process loads the parts that are imported by name. The package's own first module would load all of
them: log-in programs with their HTTP library, web sockets, watches, leases. That is 7 MB, which no dashboard uses.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from importlib.util import find_spec, module_from_spec


def _leave_out_the_first_module(package: str) -> None:
    """Let `from PACKAGE import PART` load that part alone; a package that is loaded stays as it is."""
    found = find_spec(package)
    if found is not None and package not in sys.modules:
        module = module_from_spec(found)
        # All that its first module says itself, and that parts of the package ask it for.
        module.__dict__["__version__"] = version(package)
        sys.modules[package] = module


_leave_out_the_first_module("kubernetes")
