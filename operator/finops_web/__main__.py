"""Entry point of the dashboard: `finops-web`, `python -m finops_web`."""

from __future__ import annotations

import logging
import os
import sys
import threading
from contextlib import ExitStack
from typing import Final

import uvicorn

from finops import logs
from finops.audit_verify import Keys, NotAKey
from finops.errors import FinopsError, InvalidInput
from finops.health import HealthServer
from finops.k8s.person import api_server
from finops.ports.clock import Clock, SystemClock
from finops.settings import Settings, from_environment
from finops.store.address import require_password
from finops.store.connection import Store, open_store
from finops.store.ended_sessions import EndedSessions
from finops_web.app import make_app
from finops_web.context import Parts
from finops_web.metrics import WebMetrics
from finops_web.people.attempts import Attempts
from finops_web.people.entrance import Entrance
from finops_web.people.issuer import Issuer
from finops_web.people.sessions import Sessions
from finops_web.people.trusted_issuer import trusted_issuer
from finops_web.people.visitors import Visitors
from finops_web.readings.history import History
from finops_web.readings.policies import scanned_policies
from finops_web.readings.pushed import PushedReadings
from finops_web.readings.resources import ResourceReadings
from finops_web.readings.verdicts import Verdicts

logger = logging.getLogger(__name__)
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def main() -> int:
    """Serve until the process is stopped. Returns 0, or 2 when a setting is missing or wrong."""
    logs.configure(format_="json", level="INFO")
    try:
        settings = from_environment(os.environ)
        logs.configure(
            format_=settings.log_format,
            level=settings.log_level,
            secrets=(settings.redis_url, settings.web_session_key, settings.oidc_client_secret),
        )
        parts, metrics = connect(settings), WebMetrics()
        measured = metrics_server(settings, metrics)
    except InvalidInput as error:
        logger.error("cannot start", extra={"error": str(error)})  # noqa: TRY400 - it is whole
        return 2
    with ExitStack() as running:
        if measured is not None:
            running.callback(measured.stop)
            measured.start()
        threading.Thread(target=read_ahead, args=(parts,), name="read ahead", daemon=True).start()
        logger.info("the dashboard starts", extra={"address": f"{settings.web_host}:{settings.web_port}"})
        uvicorn.run(
            make_app(parts, metrics),
            host=settings.web_host,
            port=settings.web_port,
            log_config=None,
            access_log=False,
            server_header=False,
            # Who asks is judged by token alone; a header of a proxy says nothing.
            proxy_headers=False,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=10,
            limit_concurrency=200,
        )
    return 0


def read_ahead(parts: Parts) -> None:
    """Read the resources and the history of all policies before the first visitor asks; who asks meanwhile waits."""
    try:
        policies = scanned_policies(parts.store)
        parts.resources.seen_by(policies)
        parts.history.parts(policies)
    except FinopsError as error:
        # The first visitor reads them, and is answered what is wrong.
        logger.info("nothing was read ahead: %s", error)


def metrics_server(settings: Settings, metrics: WebMetrics) -> HealthServer | None:
    """Return the server of /metrics on a port of its own, bound and not started; None when the settings name no port.

    The dashboard's own port may be open to everybody, and who measures brings no token.

    Raises:
        InvalidInput: the port cannot be used.
    """
    if not settings.web_metrics_port:
        return None
    return HealthServer(
        host=settings.metrics_host,
        port=settings.web_metrics_port,
        live={},
        ready={},
        registry=metrics.registry,
        setting="FINOPS_WEB_METRICS_PORT",
    )


def connect(settings: Settings) -> Parts:
    """Return the parts that the settings describe; nothing is sent yet. Raises InvalidInput."""
    if settings.demo and settings.web_host not in _LOOPBACK:
        raise InvalidInput(
            "the demo lets people in by an address with a token in it, so it must not be reached from elsewhere",
            field="FINOPS_WEB_HOST",
            hint="set it to 127.0.0.1, or remove FINOPS_DEMO",
        )
    require_password(settings.redis_url, allow_unauthenticated=settings.store_allow_unauthenticated)
    store, clock = open_store(settings.redis_url, prefix=settings.redis_prefix), SystemClock()
    return Parts(
        store=store,
        resources=ResourceReadings(store),
        pushed=PushedReadings(store),
        verdicts=Verdicts(store, _ledger_keys(settings), clock),
        history=History(store, clock),
        visitors=Visitors(api_server(os.environ.get("KUBECONFIG", "")), clock),
        entrance=_entrance(settings, store, clock),
        clock=clock,
        demo=settings.demo,
    )


def _entrance(settings: Settings, store: Store, clock: Clock) -> Entrance:
    trusted = trusted_issuer(settings)
    return Entrance(
        sessions=Sessions(settings.web_session_key),
        attempts=Attempts(settings.web_session_key),
        ended=EndedSessions(store),
        issuer=Issuer(trusted, clock) if trusted is not None else None,
    )


def _ledger_keys(settings: Settings) -> Keys | None:
    if not settings.ledger_public_key:
        return None
    try:
        # Oldest first: records from before the key was replaced are by those that signed then.
        return Keys(f"{settings.ledger_trusted_keys}\n{settings.ledger_public_key}")
    except NotAKey as error:
        raise InvalidInput(
            str(error), field="FINOPS_LEDGER_PUBLIC_KEY", hint="take ledger-public-key of the release's Secret"
        ) from error


if __name__ == "__main__":
    sys.exit(main())
