"""Who reaches the store, and what each of its users may do there."""

from __future__ import annotations

import json

import pytest
from tests.e2e.cluster import Object, RealCluster, wait_until
from tests.e2e.kinds.cluster_api import unique_name
from tests.e2e.loop.world import Loop

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(120)]

CONNECT = (
    "import socket,sys\n"
    "try:\n socket.create_connection((sys.argv[1], 6379), 4).close(); print('connected')\n"
    "except OSError as error: print('no way:', error)"
)


def _stranger(name: str, namespace: str, labels: dict[str, str], host: str) -> Object:
    """A pod of the operator's image that only tries to connect, as Pod Security `restricted` wants pods."""
    container = {
        "name": "try",
        "image": "ghcr.io/finops-operator/finops-operator:test",
        "command": ["python", "-c", CONNECT, host],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
    }
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _attempt(loop: Loop, namespace: str, labels: dict[str, str]) -> str:
    """What a pod with these labels hears when it tries to reach the store."""
    cluster, name = loop.cluster, unique_name("stranger")
    host = f"{loop.release.full_name}-valkey.{loop.release.namespace}"
    cluster.apply(_stranger(name, namespace, labels, host))
    wait_until(f"pod {name} ended", lambda: _over(cluster, name, namespace), seconds=60)
    said = cluster.kubectl("logs", name, "-n", namespace)
    cluster.kubectl("delete", "pod", name, "-n", namespace, "--wait=false", "--grace-period=0", "--force")
    return said


def _over(cluster: RealCluster, name: str, namespace: str) -> bool:
    return cluster.get("pod", name, namespace)["status"]["phase"] in {"Succeeded", "Failed"}


def test_only_our_own_pods_reach_the_store(loop: Loop) -> None:
    ours = {
        "app.kubernetes.io/name": "finops-operator",
        "app.kubernetes.io/instance": loop.release.name,
        "app.kubernetes.io/component": "operator",
    }
    home = loop.release.namespace
    # The way in that is open shows that the others were not closed by something else.
    assert _attempt(loop, home, ours) == "connected\n"
    assert "no way" in _attempt(loop, home, {"app": "stranger"})
    assert "no way" in _attempt(loop, loop.team, ours)


@pytest.mark.parametrize(("user", "password"), [("default", ""), ("operator", "guess"), ("slackbot", "guess")])
def test_nobody_is_served_without_the_password(loop: Loop, user: str, password: str) -> None:
    said = loop.release.valkey("GET", "finops:schema", user=user, password=password)
    assert "NOAUTH" in said or "WRONGPASS" in said


LEDGER_WRITES = (
    ("XADD", "finops:ledger", "*", "record", "forged"),
    ("DEL", "finops:ledger"),
    ("SET", "finops:ledger:head", "x"),
    ("HSET", "finops:policy:team:everything:head", "summary", "{}"),
    ("EVAL", "return redis.call('XADD', KEYS[1], '*', 'a', 'b')", "1", "finops:ledger"),
)


@pytest.mark.parametrize("command", LEDGER_WRITES, ids=lambda command: command[0])
def test_the_bot_writes_nothing_but_its_own_keys(loop: Loop, command: tuple[str, ...]) -> None:
    before = loop.release.ledger()
    assert "NOPERM" in loop.release.valkey(*command, user="slackbot")
    assert loop.release.ledger()[: len(before)] == before


def test_the_bot_reads_what_it_shows_and_writes_what_is_its_own(loop: Loop) -> None:
    release = loop.release
    assert release.valkey("GET", "finops:schema", user="slackbot") == "1"
    assert release.valkey("SET", "finops:slack:seen:e2e", "1", "EX", "5", user="slackbot") == "OK"


@pytest.mark.parametrize("user", ["operator", "slackbot"])
@pytest.mark.parametrize(
    "command",
    [
        ("CONFIG", "SET", "appendonly", "no"),
        ("FLUSHALL",),
        ("KEYS", "*"),
        ("ACL", "LIST"),
        ("SHUTDOWN",),
        ("GET", "other:key"),
    ],
    ids=lambda command: "-".join(command[:2]),
)
def test_no_user_administers_the_server_or_leaves_its_keys(loop: Loop, user: str, command: tuple[str, ...]) -> None:
    assert "NOPERM" in loop.release.valkey(*command, user=user)


def test_the_store_keeps_everything_and_evicts_nothing(loop: Loop) -> None:
    settings = {
        name: loop.release.valkey("CONFIG", "GET", name).splitlines()[1]
        for name in ("appendonly", "appendfsync", "maxmemory-policy")
    }
    assert settings == {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}, json.dumps(
        settings
    )
