"""Runs kopf: the event loop that feeds the handlers. Called by the composition root, in its main thread."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Sequence
from typing import Any, Final

import kopf

from finops_operator.cluster.cache import ClusterCache
from finops_operator.cluster.handlers import action_request, approval, aws_account, scan_policy

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


async def serve(cache: ClusterCache, namespaces: Sequence[str], stop: threading.Event, ready: threading.Event) -> None:
    """Watch the four kinds in `namespaces` (empty: everywhere) until `stop` is set, by a signal handler for example."""
    registry = kopf.OperatorRegistry()
    cache.watches(namespaces)

    @kopf.on.login(registry=registry)
    def login(**kwargs: Any) -> kopf.ConnectionInfo | None:
        return kopf.login_via_client(**kwargs)

    for events in (scan_policy, aws_account, action_request, approval):
        events.register(registry, cache)
    stopped, loop = asyncio.Event(), asyncio.get_running_loop()

    def relay() -> None:
        stop.wait()
        # When kopf has ended by itself its loop is gone.
        if not loop.is_closed():
            loop.call_soon_threadsafe(stopped.set)

    # kopf would wait for a threading.Event in a pool thread that nothing wakes when it is stopped by a signal.
    threading.Thread(target=relay, name="stop relay", daemon=True).start()
    signals = {number: signal.getsignal(number) for number in _SIGNALS}
    others = asyncio.all_tasks()
    tasks = await kopf.spawn_tasks(
        registry=registry,
        settings=_settings(),
        standalone=True,
        clusterwide=not namespaces,
        namespaces=namespaces,
        stop_flag=stopped,
        ready_flag=ready,
    )
    # kopf has taken the signals, and after one of them it waits five seconds for its own wait for the stop flag. The
    # process's handlers set `stop`, which ends kopf at once.
    for number, handler in signals.items():
        if loop.remove_signal_handler(number):
            signal.signal(number, handler)
    await kopf.run_tasks(tasks, ignored=others)


def _settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    # The four kinds are there when we start (the root refuses otherwise): watching CRDs would need rights for nothing.
    settings.scanning.disabled = True
    settings.posting.enabled = False
    settings.watching.server_timeout = 300
    settings.watching.connect_timeout = 30
    # A worker stays with its object for the idle time: both figures together say how fast a long list is shown.
    settings.queueing.worker_limit = 500
    settings.queueing.idle_timeout = 0.1
    # Workers only fill the cache: nothing they hold is lost when they are let go at once.
    settings.queueing.exit_timeout = 0.5
    return settings
