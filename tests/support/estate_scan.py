"""Scans the planted estate and compares what was found with what was planted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from finops_sandbox.planted.everything import REGIONS
from finops_sandbox.planted.site import Site

Found = tuple[str, str, str, str]
"""Account, region, check, resource."""


@dataclass(slots=True)
class Tally:
    """Of one check: what was planted, and what was and was not found of it."""

    planted: int = 0
    found: int = 0
    missed: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)


def accounts_of(estate: Mapping[str, Any]) -> dict[str, str]:
    """Return name → account id."""
    return {str(one["name"]): account for account, one in estate["accounts"].items()}


def compared(sites: Iterable[Site], report: Mapping[str, Any]) -> dict[str, Tally]:
    """Return the tally of every check that was planted or that found something."""
    expected, reasons = {}, {}
    for site in sites:
        for case in site.cases.values():
            reasons[site.account, site.region, case.resource] = case.why
            expected.update({(site.account, site.region, check, case.resource): case.why for check in case.checks})
    found = {found_by(one) for one in report["recommendations"]}
    tallies: dict[str, Tally] = defaultdict(Tally)
    for key, why in expected.items():
        tally = tallies[key[2]]
        tally.planted += 1
        if key in found:
            tally.found += 1
        else:
            tally.missed.append(f"{key[1]} {key[3]}: {why}")
    for account, region, check, resource in sorted(found - expected.keys()):
        why = reasons.get((account, region, resource), "nothing was planted here")
        tallies[check].false.append(f"{region} {resource}: {why}")
    return dict(sorted(tallies.items()))


def found_by(recommendation: Mapping[str, Any]) -> Found:
    """Return where a recommendation is and what it says."""
    resource = recommendation["resource"]
    return resource["account"], resource["region"], recommendation["check"], resource["id"]


def savings_that_differ(sites: Iterable[Site], report: Mapping[str, Any]) -> Iterator[str]:
    """Yield the savings that differ from those that were worked out by hand, for the prices of the first region."""
    shown = {found_by(one): one["monthlySavings"] for one in report["recommendations"]}
    for site in (one for one in sites if one.region == REGIONS[0]):
        for case in site.cases.values():
            for check, saving in case.checks.items():
                stated = shown.get((site.account, site.region, check, case.resource))
                if saving is not None and (stated is None or Decimal(stated) != Decimal(saving)):
                    yield f"{check} {case.resource}: {stated}, by hand {saving}"


def counted_savings(report: Mapping[str, Any]) -> dict[str, Decimal]:
    """Return what the recommendations that count save every month, by status as the summary has it."""
    sums = dict.fromkeys(("actionable", "advice", "blocked"), Decimal("0.00"))
    for one in report["recommendations"]:
        if one["counted"] and not one["lastsDays"]:
            sums[one["status"].lower()] += Decimal(one["monthlySavings"] or 0)
    return sums


def owners_that_differ(sites: Iterable[Site], report: Mapping[str, Any]) -> Iterator[str]:
    """Yield the recommendations that name another owner than the one that was planted, or one where there is none."""
    planted = {(site.account, site.region, name): said for site in sites for name, said in site.owners.items()}
    seen = set()
    for one in report["recommendations"]:
        account, region, check, resource = found_by(one)
        said = planted.get((account, region, resource), "")
        seen.add((account, region, resource))
        advice = str(one["advice"])
        if not (advice.startswith(f"Owned by {said}, which would undo ") if said else "Owned by " not in advice):
            yield f"{check} {resource}: {advice or 'no advice'}; owner: {said or 'nobody'}"
    yield from (f"{resource}: nothing is said of it" for _, _, resource in sorted(planted.keys() - seen))


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


_PERCENT: Final = frozenset(
    {
        "CPUUtilization",
        "DatabaseMemoryUsagePercentage",
        "JVMMemoryPressure",
        "MemoryUtilization",
        "NetworkThroughputUtilization",
        "memory_utilization",
    }
)
_FREE: Final = frozenset({"FreeStorageCapacity", "FreeStorageSpace", "FreeableMemory"})
_STATES: Final = frozenset({"TunnelState", "UserConnected"})
_AS_THEY_ARE: Final = frozenset(
    {"BucketSizeBytes", "BytesUsedForCache", "HealthCheckStatus", "NumberOfObjects", "VolumeBytesUsed"}
)
_BUSY_LOADS: Final = {
    "cpu": "busy",
    "network": "heavy",
    "memory": "memory_busy",
    "ops": "ops_busy",
    "traffic": "normal",
}


def busy(sites: Iterable[Site]) -> None:
    """Make everything that is measured in the estate work hard."""
    for site in sites:
        for metric in site.metrics:
            metric.update(shape="one", value=_busy_value(metric["metric"], metric["value"]))
        for resources in site.loaded.values():
            for one in resources:
                _work(one)


def _busy_value(metric: str, value: float) -> float:
    if metric in _AS_THEY_ARE:
        return value
    if metric in _PERCENT:
        return 90.0
    if metric.endswith("Milliseconds"):
        return 8e7
    return 1.0 if metric in _STATES else 1e6 if metric not in _FREE else 1e4


def _work(resource: dict[str, Any]) -> None:
    resource.update({name: load for name, load in _BUSY_LOADS.items() if name in resource})
    for volume in resource.get("volumes", ()):
        _work(volume)
