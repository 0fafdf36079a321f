"""The planted estate many times over: precision and recall of all checks, calls and memory of a scan of all kinds.

Part of `make bench`. The double runs here and the scan in a process of its own, so that memory is the scan's alone.
Writes docs/estate.json, from which `make generate` makes the tables of all kinds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from tests.support import estate_scan
from tests.support.estate_budget import calls_above, kinds_without_a_budget, made_of

from finops_operator.plugins.loaded import load_kinds
from finops_sandbox.aws.double import AwsDouble
from finops_sandbox.planted.everything import document, planted_sites
from finops_sandbox.planted.site import Site

OUT: Final = Path(__file__).resolve().parents[2] / "docs" / "estate.json"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@dataclass(frozen=True, slots=True)
class Scanned:
    """One scan: where, what it used, what it found."""

    sites: list[Site]
    used: Mapping[str, Any]
    report: Mapping[str, Any]

    @property
    def per_kind(self) -> Counter[str]:
        """Return the resources of each kind."""
        return Counter(one["kind"] for one in self.report["resources"])


def scanned(accounts: int, regions: int, redis: str, folder: Path, *, price_list: bool = False) -> Scanned:
    """Scan the estate in so many accounts and regions in a new process; prints what was planted and found.

    `price_list`: with the double's price list before the tables.
    """
    sites = planted_sites(accounts, regions)
    estate = document(sites)
    report = folder / "report.json"
    names = estate_scan.accounts_of(estate)
    prefix = f"estate-{accounts}-{regions}-{price_list}:"
    orders = {"redis": redis, "prefix": prefix, "accounts": names, "report": str(report)}
    if price_list:
        orders["spec"] = {"pricing": {"priceList": True}}
    with AwsDouble(estate) as double:
        done = subprocess.run(
            [sys.executable, "-m", "tests.support.scanning", json.dumps(orders)],
            env={**os.environ, **double.environment()},
            capture_output=True,
            text=True,
            timeout=1500,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    found = Scanned(sites, json.loads(done.stdout), json.loads(report.read_text(encoding="utf-8")))
    print(f"\n{json.dumps(found.used)}\n{estate_scan.table(estate_scan.compared(sites, found.report))}")
    return found


def kept(found: Scanned, accounts: int) -> None:
    """Put what a scan used beside what other sizes did."""
    tallies = list(estate_scan.compared(found.sites, found.report).values())
    rows = made_of(found.used["apiCalls"], found.per_kind, places=len(found.sites), accounts=accounts)
    document = json.loads(OUT.read_text(encoding="utf-8")) if OUT.exists() else {}
    document[str(len(found.sites))] = {
        "measured": f"{datetime.now(UTC):%Y-%m-%d}",
        "resources": found.used["resources"],
        "recommendations": len(found.report["recommendations"]),
        "precision": estate_scan.precision(tallies),
        "recall": round(estate_scan.recall(tallies), 4),
        "missed": {check: len(one.missed) for check, one in _tallied(found) if one.missed},
        "calls": sum(found.used["apiCalls"].values()),
        **{name: found.used[name] for name in ("points", "estimatedApiCost", "cpuSeconds", "peakMegabytes")},
        "rows": [[one.title, found.per_kind.get(one.kind, 0), one.calls, round(one.allowed)] for one in rows],
    }
    OUT.write_text(f"{json.dumps(document, indent=1, sort_keys=True)}\n", encoding="utf-8")


def _tallied(found: Scanned) -> list[tuple[str, estate_scan.Tally]]:
    return list(estate_scan.compared(found.sites, found.report).items())


@pytest.mark.parametrize("price_list", [False, True], ids=["tables", "price-list"])
def test_three_thousand_resources_over_all_kinds_are_judged_with_no_false_alarm(
    valkey_url: str, tmp_path: Path, price_list: bool
) -> None:
    found = scanned(2, 6, valkey_url, tmp_path, price_list=price_list)
    assert found.used["resources"] >= 3_000
    assert found.per_kind.keys() == load_kinds().keys()
    assert found.used["gaps"] == []
    tallies = list(estate_scan.compared(found.sites, found.report).values())
    assert estate_scan.precision(tallies) == 1.0
    assert estate_scan.recall(tallies) >= 0.98
    assert list(estate_scan.savings_that_differ(found.sites, found.report)) == []
    if not price_list:
        kept(found, accounts=2)
    assert calls_above(found.used["apiCalls"], found.per_kind, places=len(found.sites), accounts=2) == []
    assert (found.used["apiCalls"].get("pricing:GetProducts", 0) > 0) is price_list


def test_ten_thousand_resources_over_all_kinds_stay_within_their_calls_and_200_megabytes(
    valkey_url: str, tmp_path: Path
) -> None:
    found = scanned(4, 6, valkey_url, tmp_path)
    assert found.used["resources"] >= 10_000
    assert found.used["gaps"] == []
    kept(found, accounts=4)
    assert kinds_without_a_budget() == []
    assert calls_above(found.used["apiCalls"], found.per_kind, places=len(found.sites), accounts=4) == []
    assert found.used["peakMegabytes"] <= 200
