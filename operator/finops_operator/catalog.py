"""All plug-ins of the operator, loaded once at start: kinds, checks, actions, price sources, instance types.

Called by the composition roots of operator and command line. A plug-in that does not load stops the start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from finops.ports.price_source import PriceSource
from finops_operator.action_plugin import Action
from finops_operator.plugins import Check, ResourceKind
from finops_operator.pricing import bundled
from finops_operator.pricing.instance_types import Catalog, bundled_catalog
from finops_operator.registry import load


@dataclass(frozen=True, slots=True)
class Plugins:
    """Everything that can be scanned, checked, priced and done."""

    kinds: Mapping[str, ResourceKind]
    checks: Mapping[str, Check]
    actions: Mapping[str, Action]
    price_sources: tuple[PriceSource, ...]
    catalog: Catalog


def plugins() -> Plugins:
    """Load all plug-ins.

    Raises:
        BrokenPlugin: a file does not load or does not export exactly one constant of its type.
    """
    return Plugins(
        kinds=load("finops_operator.resources", "KIND", ResourceKind),
        checks=load("finops_operator.checks", "CHECK", Check),
        actions=load("finops_operator.actions", "ACTION", Action),
        price_sources=(bundled.SOURCE,),
        catalog=bundled_catalog(),
    )
