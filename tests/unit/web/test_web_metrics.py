"""What the dashboard counts stays small whatever strangers ask, and its own port does not show it."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from tests.support.fake_clock import FakeClock

from finops.errors import InvalidInput
from finops.settings import Settings
from finops_sandbox.ports import free_port
from finops_web.__main__ import metrics_server
from finops_web.app import make_app
from finops_web.context import Parts
from finops_web.metrics import WebMetrics


@pytest.fixture
def metrics() -> WebMetrics:
    """Metrics whose clock advances by a quarter of a second each time it is read."""
    now = iter(range(1_000_000))
    return WebMetrics(lambda: next(now) / 4)


@pytest.fixture
def application(metrics: WebMetrics) -> FastAPI:
    """The whole application with no more parts than a page of errors needs: everything else fails."""
    nobody = SimpleNamespace(sessions=SimpleNamespace(open=lambda _cookie: None))
    few = SimpleNamespace(clock=FakeClock(datetime(2026, 3, 10, tzinfo=UTC)), demo=False, entrance=nobody)
    return make_app(cast("Parts", few), metrics)


def counted(metrics: WebMetrics, name: str = "finops_web_requests_total") -> dict[tuple[str, ...], float]:
    return {
        tuple(sample.labels[label] for label in ("method", "route", "status") if label in sample.labels): sample.value
        for metric in metrics.registry.collect()
        for sample in metric.samples
        if sample.name == name
    }


def test_an_answer_is_counted_by_method_route_and_status(application: FastAPI, metrics: WebMetrics) -> None:
    client = TestClient(application)
    client.get("/healthz")
    client.get("/healthz")
    client.get("/static/finops.css")

    assert counted(metrics) == {("GET", "/healthz", "200"): 2, ("GET", "/static", "200"): 1}
    assert counted(metrics, "finops_web_request_duration_seconds_sum")["/healthz",] == 0.5
    assert counted(metrics, "finops_web_requests_in_progress") == {(): 0}


def test_addresses_and_methods_that_strangers_invent_are_one_series(application: FastAPI, metrics: WebMetrics) -> None:
    client = TestClient(application)
    for number in range(50):
        client.request(f"BREW{number}", f"/wp-admin/{number}?x={number}")

    assert counted(metrics) == {("other", "none", "404"): 50}


def test_an_id_in_an_address_is_no_label(application: FastAPI, metrics: WebMetrics) -> None:
    client = TestClient(application, raise_server_exceptions=False)
    for number in range(20):
        client.get(f"/resources/ec2-instance/i-{number}", headers={"content-length": "999999"})

    assert all("i-" not in route for _, route, _ in counted(metrics))
    assert sum(counted(metrics).values()) == 20


def test_an_answer_that_fails_counts_as_an_error_and_is_no_longer_in_progress(
    application: FastAPI, metrics: WebMetrics
) -> None:
    client = TestClient(application, raise_server_exceptions=False)
    client.get("/resources/ec2-instance/i-1")

    assert counted(metrics) == {("GET", "/resources/{kind}/{identifier:path}", "500"): 1}
    assert counted(metrics, "finops_web_requests_in_progress") == {(): 0}


def test_the_dashboards_own_port_does_not_show_metrics(application: FastAPI) -> None:
    assert TestClient(application).get("/metrics").status_code == 404


def test_metrics_have_a_port_of_their_own(metrics: WebMetrics) -> None:
    port = free_port()
    server = metrics_server(Settings(metrics_host="127.0.0.1", web_metrics_port=port), metrics)
    assert server is not None
    server.start()
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            assert "finops_web_requests_in_progress 0.0" in answer.read().decode()
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/resources", timeout=5)
    finally:
        server.stop()


def test_no_port_named_is_no_port_open(metrics: WebMetrics) -> None:
    assert metrics_server(Settings(), metrics) is None


def test_a_port_that_is_taken_names_its_setting(metrics: WebMetrics) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = Settings(metrics_host="127.0.0.1", web_metrics_port=taken.getsockname()[1])
        with pytest.raises(InvalidInput) as caught:
            metrics_server(settings, metrics)
    assert caught.value.field == "FINOPS_WEB_METRICS_PORT"
