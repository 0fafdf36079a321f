"""Scans the planted estate and compares what was found with what was planted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from tests.support import planted_compute as compute
from tests.support import planted_databases as databases
from tests.support import planted_network as network
from tests.support import planted_operations as operations
from tests.support import planted_storage as storage
from tests.support.planted import Case, Site

_SERVICES: Final[tuple[Callable[[Site], None], ...]] = (
    databases.instances,
    databases.sizes,
    databases.lifecycles,
    databases.clusters,
    databases.snapshots,
    databases.tables,
    databases.caches,
    storage.buckets,
    storage.file_systems,
    storage.repositories,
    storage.volumes,
    storage.copies,
    network.load_balancers,
    network.addresses,
    network.endpoints,
    network.distributions,
    network.health_checks,
    compute.instances,
    compute.groups,
    compute.functions,
    compute.services,
    compute.kubernetes,
    compute.learning,
    compute.desktops,
    operations.streams,
    operations.keys,
    operations.logs,
    operations.search,
    operations.warehouses,
)


@dataclass(slots=True)
class Tally:
    """Of one check: what was planted, and what was and was not found of it."""

    planted: int = 0
    found: int = 0
    missed: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)


def planted_sites() -> list[Site]:
    """Return the places of the estate with all its cases."""
    site = Site()
    for service in _SERVICES:
        service(site)
    return [site]


def document(sites: Iterable[Site]) -> dict[str, Any]:
    """Return the estate as the double loads it."""
    several = list(sites)
    regions: dict[str, list[str]] = defaultdict(list)
    for site in several:
        regions[site.account].append(site.region)
    accounts = {account: {"name": f"account-{account[0]}", "regions": names} for account, names in regions.items()}
    return {"accounts": accounts, "resources": [site.document() for site in several]}


def compared(cases: Iterable[Case], report: Mapping[str, Any]) -> dict[str, Tally]:
    """Return the tally of every check that was planted or that found something."""
    expected = {(check, case.resource): case.why for case in cases for check in case.checks}
    reasons = {case.resource: case.why for case in cases}
    found = {(one["check"], one["resource"]["id"]) for one in report["recommendations"]}
    tallies: dict[str, Tally] = defaultdict(Tally)
    for (check, resource), why in expected.items():
        tallies[check].planted += 1
        if (check, resource) in found:
            tallies[check].found += 1
        else:
            tallies[check].missed.append(f"{resource}: {why}")
    for check, resource in sorted(found - expected.keys()):
        tallies[check].false.append(f"{resource}: {reasons.get(resource, 'nothing was planted here')}")
    return dict(sorted(tallies.items()))


def savings_that_differ(cases: Iterable[Case], report: Mapping[str, Any]) -> Iterator[str]:
    """Yield the savings that differ from those that were worked out by hand."""
    shown = {(one["check"], one["resource"]["id"]): one["monthlySavings"] for one in report["recommendations"]}
    for case in cases:
        for check, saving in case.checks.items():
            stated = shown.get((check, case.resource))
            if saving is not None and stated is not None and Decimal(stated) != Decimal(saving):
                yield f"{check} {case.resource}: {stated}, by hand {saving}"


def table(tallies: Mapping[str, Tally]) -> str:
    """Return the comparison for people: a line a check, what is missing and what is false below it."""
    lines = [f"{'check':44} planted found false"]
    for check, tally in tallies.items():
        lines.append(f"{check:44} {tally.planted:7} {tally.found:5} {len(tally.false):5}")
        lines += [f"    missed {one}" for one in tally.missed] + [f"    false  {one}" for one in tally.false]
    return "\n".join(lines)


def precision(tallies: Sequence[Tally]) -> float:
    """Return the share of what was found that was planted."""
    right = sum(one.found for one in tallies)
    return right / (right + sum(len(one.false) for one in tallies))


def recall(tallies: Sequence[Tally]) -> float:
    """Return the share of what was planted that was found."""
    return sum(one.found for one in tallies) / sum(one.planted for one in tallies)
