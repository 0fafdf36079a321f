"""kopf's watches tell the world when they list, so that whoever needs everything reads it again."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from tests.support.operator_parts import NAMESPACE, Parts
from tests.support.scan_samples import policy

from finops_operator.cluster.handlers.serving import _settings, serve


def soon(test: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not test():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def serving(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Start the watches; a test calls it when the cluster is as it should be found."""
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(parts.double.kubeconfig))
    stop, ready = threading.Event(), threading.Event()

    async def watch() -> None:
        await serve(parts.cache, [NAMESPACE], stop, ready)
        # TLS connections close a moment after they are told to.
        await asyncio.sleep(0.3)

    thread = threading.Thread(target=lambda: asyncio.run(watch()))

    def start() -> None:
        thread.start()
        assert ready.wait(20)

    yield start
    stop.set()
    thread.join(20)
    assert not thread.is_alive()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_watch_that_lost_its_place_makes_the_picture_incomplete_until_all_is_read(
    parts: Parts, serving: Callable[[], None]
) -> None:
    kept = parts.cache.policies
    gone = parts.policies.api.create(policy(name="gone"))
    parts.policies.api.create(policy(name="left"))
    serving()
    soon(lambda: len(kept.all()) == 2)
    assert kept.namespaces == (NAMESPACE,)
    soon(lambda: not kept.is_complete)
    parts.policies.complete()
    soon(lambda: kept.is_complete)

    parts.policies.api.delete(NAMESPACE, "gone")
    soon(lambda: len(kept.all()) == 1)
    # As if the watch had been away meanwhile: nothing tells of the deletion.
    kept.put(gone)
    parts.double.expire_watches()

    soon(lambda: not kept.is_complete)
    parts.policies.complete()
    assert [one.metadata.name for one in kept.all()] == ["left"]


def test_a_list_of_thousands_is_shown_within_seconds() -> None:
    queueing = _settings().queueing

    # A worker shows one object and stays for the idle time.
    assert queueing.worker_limit is None or queueing.worker_limit / queueing.idle_timeout >= 2000
