"""Probes say which part ails."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry, Gauge

from finops.errors import InvalidInput
from finops.health import HealthServer

PROBLEMS: dict[str, str] = {}


@pytest.fixture
def server() -> Iterator[HealthServer]:
    PROBLEMS.clear()
    registry = CollectorRegistry()
    Gauge("finops_answer", "An answer.", registry=registry).set(42)
    made = HealthServer(
        host="127.0.0.1",
        port=0,
        live={"loops": lambda: PROBLEMS.get("loops", "")},
        ready={"store": lambda: PROBLEMS.get("store", ""), "watch": lambda: ""},
        registry=registry,
    )
    made.start()
    yield made
    made.stop()


def ask(server: HealthServer, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_probes_are_green_while_nothing_ails(server: HealthServer) -> None:
    assert ask(server, "/healthz") == (200, "loops: ok\n")
    assert ask(server, "/readyz?verbose") == (200, "store: ok\nwatch: ok\n")


def test_a_probe_names_what_ails_and_leaves_the_other_probe_alone(server: HealthServer) -> None:
    PROBLEMS["store"] = "the store does not answer"

    assert ask(server, "/readyz") == (503, "store: the store does not answer\nwatch: ok\n")
    assert ask(server, "/healthz")[0] == 200


def test_metrics_are_served_and_nothing_else_is(server: HealthServer) -> None:
    assert "finops_answer 42.0" in ask(server, "/metrics")[1]
    assert ask(server, "/etc/passwd")[0] == 404


def test_without_a_registry_there_are_no_metrics() -> None:
    bare = HealthServer(host="127.0.0.1", port=0, live={}, ready={})
    bare.start()
    try:
        assert ask(bare, "/metrics")[0] == 404
        assert ask(bare, "/healthz") == (200, "")
    finally:
        bare.stop()


def test_a_server_that_never_started_can_be_stopped() -> None:
    HealthServer(host="127.0.0.1", port=0, live={}, ready={}).stop()


def test_a_port_that_is_taken_or_impossible_is_said(server: HealthServer) -> None:
    for port in (server.port, 70000):
        with pytest.raises(InvalidInput, match=str(port)) as caught:
            HealthServer(host="127.0.0.1", port=port, live={}, ready={})
        assert caught.value.field == "FINOPS_METRICS_PORT"
