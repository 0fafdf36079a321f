"""Which resources count for a policy, by their tags. Pure; asked for every resource of a scan."""

from __future__ import annotations

from finops.crds.scan_policy import Selector
from finops.domain.resource import Resource
from finops.domain.tags import carries


def selects(selector: Selector, resource: Resource) -> bool:
    """Return whether the policy covers `resource`; an exclusion outweighs an inclusion."""
    return carries(resource.tags, selector.include_tags, selector.exclude_tags)
