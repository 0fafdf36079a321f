"""All plug-ins of the operator, loaded once at start: kinds, checks, actions, price sources.

Called by the composition roots of operator and command line. A plug-in that does not load stops the start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

from finops.ports.price_source import PriceSource
from finops_operator.plugins.action import Action
from finops_operator.plugins.check import Check
from finops_operator.plugins.kind import ResourceKind
from finops_operator.plugins.registry import load_services
from finops_operator.pricing import bundled, refreshed
from finops_operator.rules.known_ids import KnownIds

SERVICES: Final = "finops_operator.services"


@dataclass(frozen=True, slots=True)
class Plugins:
    """Everything that can be scanned, checked, priced and done."""

    kinds: Mapping[str, ResourceKind[Any]]
    checks: Mapping[str, Check[Any]]
    actions: Mapping[str, Action]
    price_sources: tuple[PriceSource, ...]


def known_ids(plugins: Plugins) -> KnownIds:
    """Return the ids that this release knows."""
    return KnownIds(frozenset(plugins.checks), frozenset(plugins.actions), frozenset(plugins.kinds))


def load_kinds(services: str = SERVICES) -> Mapping[str, ResourceKind[Any]]:
    """Return all kinds: the files directly in a service's folder."""
    return load_services(services, "", "KIND", ResourceKind)


def load_checks(services: str = SERVICES) -> Mapping[str, Check[Any]]:
    """Return all checks."""
    return load_services(services, "checks", "CHECK", Check)


def load_actions(services: str = SERVICES) -> Mapping[str, Action]:
    """Return all actions."""
    return load_services(services, "actions", "ACTION", Action)


@cache
def plugins() -> Plugins:
    """Load all plug-ins, once in a process; a failure is not remembered.

    Raises:
        BrokenPlugin: a file does not load or does not export exactly one constant of its type.
    """
    return Plugins(
        kinds=load_kinds(),
        checks=load_checks(),
        actions=load_actions(),
        price_sources=(bundled.SOURCE,),
    )


def plugins_with(price_tables: str) -> Plugins:
    """Return all plug-ins, with the tables of a folder asked before those of the wheel; empty: without any.

    Raises:
        BrokenPlugin: as `plugins`.
        InvalidInput: the folder has no table.
    """
    found = plugins()
    if not price_tables:
        return found
    return replace(found, price_sources=(refreshed.opened(price_tables), *found.price_sources))
