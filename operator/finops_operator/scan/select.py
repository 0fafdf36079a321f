"""Which resources count for a policy, by their tags. Pure; asked for every resource of a scan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from finops.crds.scan_policy import Selector
from finops.domain.resource import Resource


def selects(selector: Selector, resource: Resource) -> bool:
    """Return whether the policy selects `resource`; an exclusion outweighs an inclusion."""
    return carries(resource.tags, selector.include_tags, selector.exclude_tags)


def carries(
    tags: Mapping[str, str], include: Mapping[str, Sequence[str]], exclude: Mapping[str, Sequence[str]]
) -> bool:
    """Return whether `tags` have one of the values for every key of `include`, and none of `exclude`."""
    return not _carries_any(tags, exclude) and all(tags.get(key) in values for key, values in include.items())


def _carries_any(tags: Mapping[str, str], wanted: Mapping[str, Sequence[str]]) -> bool:
    return any(tags.get(key) in values for key, values in wanted.items())
