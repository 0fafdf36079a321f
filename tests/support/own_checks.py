"""Checks of a policy's own for tests: compiled against everything that the release declares."""

from __future__ import annotations

from functools import cache
from typing import Any

from finops.crds.custom_check import CustomCheck
from finops_operator.plugins.check import Check
from finops_operator.plugins.loaded import plugins
from finops_operator.scan.custom.checks import Catalog, custom_checks

ID = "our_rule"


@cache
def catalog() -> Catalog:
    """Return the plug-ins of the release."""
    loaded = plugins()
    return Catalog(loaded.kinds, loaded.checks, loaded.actions)


def own_check(when: str, *, kind: str = "ec2-instance", **further: Any) -> Check[Any]:
    """Return one check with the condition `when`.

    Raises:
        InvalidInput: as `custom_checks`.
    """
    spec = CustomCheck(id=ID, kind=kind, when=when, message="It breaks our rule.", **further)
    return custom_checks([spec], catalog())[ID]
