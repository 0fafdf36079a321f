"""Alerts and dashboard of the chart ask only for what the processes export."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from prometheus_client import CollectorRegistry

from finops_operator.telemetry import Telemetry
from finops_slackbot.metrics import Metrics

FILES = Path(__file__).parents[2] / "charts" / "finops-operator" / "files" / "monitoring"
SCRAPED: Final = {"namespace", "exported_namespace", "job", "le"}
"""Labels that the scrape or the type of a metric adds."""


def exported() -> dict[str, frozenset[str]]:
    """Name of a sample → its labels, as both processes export them."""
    found: dict[str, frozenset[str]] = {}
    for registry in (Telemetry().registry, Metrics(CollectorRegistry()).registry):
        for metric in registry._collector_to_names:
            labels = frozenset(getattr(metric, "_labelnames", ()))
            found |= dict.fromkeys(registry._collector_to_names[metric], labels)
    return found


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load((FILES / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def queries() -> Iterator[tuple[str, str]]:
    """Every query with the title of what asks it."""
    yield from ((rule["alert"], rule["expr"]) for rule in alerts())
    for panel in json.loads((FILES / "dashboard.json").read_text(encoding="utf-8"))["panels"]:
        yield from ((panel["title"], target["expr"]) for target in panel["targets"])


QUERIES = sorted(set(queries()))


@pytest.mark.parametrize(("title", "query"), QUERIES)
def test_a_query_names_metrics_and_labels_that_exist(title: str, query: str) -> None:
    known = exported()
    names = set(re.findall(r"\bfinops_\w+", query))
    assert names, title
    assert names <= set(known)
    labels = {one for name in names for one in known[name]} | SCRAPED
    asked = {one.strip() for group in re.findall(r"\bby \(([^)]*)\)", query) for one in group.split(",")}
    asked |= set(re.findall(r"[{,](\w+)=", query))
    assert asked <= labels


def test_a_query_for_a_metric_that_is_gone_would_be_seen() -> None:
    assert "finops_gone" not in exported()
    assert {"finops_scans_total", "finops_scan_duration_seconds_bucket"} <= set(exported())


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_what_is_wrong_and_what_to_do_and_waits_before_it_fires(rule: dict[str, Any]) -> None:
    assert rule["alert"].startswith("Finops")
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["for"]
    assert rule["annotations"]["summary"]
    assert len(rule["annotations"]["description"]) > 40


def test_no_two_panels_share_a_place_or_a_number() -> None:
    panels = json.loads((FILES / "dashboard.json").read_text(encoding="utf-8"))["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = [
        (column, row)
        for panel in panels
        for column in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for row in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(set(taken)) == len(taken)
    assert max(column for column, _ in taken) < 24
