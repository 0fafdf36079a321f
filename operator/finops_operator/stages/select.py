"""Which resources count for a policy, by their tags. Pure; asked for every resource of a scan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from finops.domain.resource import Resource
from finops.kinds.scan_policy import Selector


def selects(selector: Selector, resource: Resource) -> bool:
    """Tell whether the policy looks at `resource`; an exclusion outweighs an inclusion."""
    if _carries_any(resource.tags, selector.exclude_tags):
        return False
    return all(resource.tags.get(key) in values for key, values in selector.include_tags.items())


def _carries_any(tags: Mapping[str, str], wanted: Mapping[str, Sequence[str]]) -> bool:
    return any(tags.get(key) in values for key, values in wanted.items())
