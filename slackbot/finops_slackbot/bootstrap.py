"""Builds the bot out of its parts and runs it until it is asked to stop. The only place that reads settings."""

from __future__ import annotations

import logging
import signal
import threading
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from prometheus_client import CollectorRegistry
from slack_bolt import App
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient

from finops.errors import InvalidInput, StoreUnavailable
from finops.health import HealthServer
from finops.k8s.connection import Connection
from finops.k8s.kinds import action_requests, approvals
from finops.ports.clock import Clock, SystemClock
from finops.settings import Settings
from finops.store.address import require_password, user_of
from finops.store.connection import Store, open_ledger_connection, open_store, store_errors
from finops.store.notices import StoredNotices
from finops.store.outbox import Outbox
from finops.store.sealed import Seals
from finops.store.slack_clicks import Clicks
from finops.store.slack_groups import SlackGroups
from finops.store.slack_messages import SlackMessages
from finops.store.slack_notices import SlackNotices
from finops.store.slack_status import SlackStatus
from finops_slackbot.button_targets import ButtonTargets
from finops_slackbot.buttons import Buttons
from finops_slackbot.click_answers import ClickAnswers
from finops_slackbot.connection import Handler, SlackConnection
from finops_slackbot.events.catch_all import CatchAll
from finops_slackbot.events.details_button import DetailsButton
from finops_slackbot.events.intake import Intake
from finops_slackbot.events.reason_modals import ReasonModals
from finops_slackbot.events.vote_buttons import VoteButtons
from finops_slackbot.guards.groups import GroupRefresher, VotingGroups
from finops_slackbot.guards.people import People
from finops_slackbot.killpoint import NAMES, kill_at
from finops_slackbot.metrics import Metrics
from finops_slackbot.mirror import Mirror
from finops_slackbot.outbox.announcing import Announcing
from finops_slackbot.outbox.delivery import Delivery
from finops_slackbot.outbox.projection import Projection
from finops_slackbot.outbox.reminding import Reminding
from finops_slackbot.presence import Presence
from finops_slackbot.slack_calls import SlackCalls
from finops_slackbot.verdicts import VerdictFollower
from finops_slackbot.views.announcement import announcement
from finops_slackbot.votes import VoteTaker
from finops_slackbot.workers import Workers

_CALL_SECONDS: Final = 10
_CLICK_STORE_SECONDS: Final = 1.0
_DRAIN_SECONDS: Final = 8.0
_THREADS: Final = 16
_QUEUE: Final = 64
_LOG: Final = logging.getLogger(__name__)


class Bot:
    """A running bot: `start`, then `stop`; both return, `stop` after what was begun is finished."""

    def __init__(
        self,
        settings: Settings,
        kubernetes: Connection,
        clock: Clock,
    ) -> None:
        _check(settings)
        self.settings = settings
        self.kubernetes = kubernetes
        self.clock = clock
        self._stop = threading.Event()
        self.instance = f"{settings.pod_name or 'bot'}/{uuid.uuid4().hex[:12]}"
        self.metrics = Metrics(CollectorRegistry())
        self._store = open_store(settings.redis_url, prefix=settings.redis_prefix)
        # A person waits for the answer: one attempt, and a second of patience.
        self._click_store = open_ledger_connection(
            settings.redis_url, prefix=settings.redis_prefix, timeout_seconds=_CLICK_STORE_SECONDS
        )
        self.calls = SlackCalls(self._web_client(settings.slack_bot_token), self.metrics)
        self.threads: list[threading.Thread] = []
        self._build(Buttons(settings.button_key.encode()), kill_at(settings.kill_point))

    def _build(self, buttons: Buttons, killpoint: Callable[[str], None]) -> None:
        settings, clock = self.settings, self.clock
        self.workers = Workers(threads=_THREADS, queue=_QUEUE)
        self.outbox = Outbox(self._store, Seals(buttons.key))
        clicks, status = Clicks(self._click_store), SlackStatus(self._store)
        self._answering = ClickAnswers(self.calls)
        reminding = Reminding(self.outbox.messages, status, clock)
        self._projection = Projection(self.outbox, buttons, clock, reminding, demo=settings.demo)
        self.mirror = Mirror(self._changed)
        self._delivery = Delivery(self.outbox, self.calls, status, clock, self.metrics, killpoint, reminding.current)
        self._announcing = Announcing(
            StoredNotices(self._store, shared=Seals(settings.membership_key.encode())),
            SlackNotices(self._store),
            self.outbox,
            clock,
            self.metrics,
            partial(announcement, home=settings.web_address, demo=settings.demo),
        )
        self._follower = VerdictFollower(
            instance=self.instance,
            clicks=Clicks(self._store),
            mirror=self.mirror,
            answering=self._answering,
            clock=clock,
            demo=settings.demo,
        )
        self.votes = self._vote_taker(buttons, clicks, killpoint)
        self._refresher = GroupRefresher(self.calls, SlackGroups(self._store, settings.membership_key), clock)
        self.slack = SlackConnection(
            calls=self.calls,
            make_handler=lambda: Handler(self._app(), settings.slack_app_token, self.metrics),
            presence=Presence(
                status=SlackStatus(self._store),
                clicks=Clicks(self._store),
                clock=clock,
                metrics=self.metrics,
                instance=self.instance,
                release=f"{settings.namespace}/{settings.release}",
                store_user=user_of(settings.redis_url),
            ),
            clock=clock,
        )
        self.health = HealthServer(
            host=settings.metrics_host,
            port=settings.metrics_port,
            live={"threads": self._dead_thread},
            ready={"slack": self.slack.problem, "store": self._store_problem, "kubernetes": self.mirror.problem},
            registry=self.metrics.registry,
        )

    def _vote_taker(self, buttons: Buttons, clicks: Clicks, killpoint: Callable[[str], None]) -> VoteTaker:
        settings, clock = self.settings, self.clock
        targets = ButtonTargets(
            buttons=buttons,
            messages=SlackMessages(self._click_store),
            mirror=self.mirror,
            calls=self.calls,
            clock=clock,
            demo=settings.demo,
        )
        return VoteTaker(
            instance=self.instance,
            buttons=buttons,
            clicks=clicks,
            targets=targets,
            mirror=self.mirror,
            approvals=approvals(self.kubernetes, newer=True),
            people=People(self.calls, clock),
            groups=VotingGroups(self.calls, clock),
            clock=clock,
            killpoint=killpoint,
        )

    def start(self) -> None:
        """Start every thread; nothing has to answer for this to succeed."""
        self.health.start()
        kubernetes = self.kubernetes
        self.threads += self.mirror.start(
            action_requests(kubernetes, newer=True),
            approvals(kubernetes, newer=True),
            self._stop,
            self.settings.watch_namespaces,
        )
        for name, run in (
            ("projection", lambda stop: self._projection.run(self.mirror, stop)),
            ("announcing", self._announcing.run),
            ("delivery", self._delivery.run),
            ("verdicts", self._follower.run),
            ("groups", self._refresher.run),
            ("slack", self.slack.run),
        ):
            thread = threading.Thread(target=run, args=(self._stop,), name=name, daemon=True)
            thread.start()
            self.threads.append(thread)

    def stop(self) -> None:
        """Take no more envelopes, finish and acknowledge those taken, close the socket, end."""
        self.slack.refuse_new()
        if not self.workers.drain(_DRAIN_SECONDS):
            _LOG.warning("some clicks were not finished in time")
        self._stop.set()
        # Wakes those that wait for a change.
        self._changed("")
        self.slack.close()
        self.workers.close()
        for thread in self.threads:
            # The watches sit in a read that ends with their process.
            if not thread.name.startswith("watch-"):
                thread.join(timeout=_DRAIN_SECONDS)
        self.health.stop()
        for store in (self._store, self._click_store):
            store.client.close()

    def _app(self) -> App:
        identity = self.slack.identity
        # Whatever our level: below ERROR Bolt writes whole payloads, with addresses that let anybody answer a click.
        quiet = logging.getLogger("finops_slackbot.bolt")
        quiet.setLevel(logging.ERROR)
        app = App(
            logger=quiet,
            client=self._web_client(None),
            authorize=lambda **_: AuthorizeResult(
                enterprise_id=identity.enterprise or None,
                team_id=identity.team,
                bot_user_id=identity.bot_user,
                bot_token=self.settings.slack_bot_token,
            ),
            # The socket is authenticated; there is no request to verify.
            request_verification_enabled=False,
        )
        intake = Intake(self.workers, self._answering, self.metrics)
        VoteButtons(intake, self.votes, self.calls, self._answering, lambda: self.slack.identity).register(app)
        ReasonModals(intake, self.votes, self._answering, lambda: self.slack.identity, self.clock).register(app)
        DetailsButton(intake, self.votes.targets, self.calls).register(app)
        CatchAll(self.metrics).register(app)
        return app

    def _web_client(self, token: str | None) -> WebClient:
        # No retry handlers: the SDK would send a post again whose answer was lost.
        options: dict[str, Any] = {"token": token, "timeout": _CALL_SECONDS, "retry_handlers": []}
        if self.settings.slack_api_url:
            options["base_url"] = self.settings.slack_api_url
        return WebClient(**options)

    def _changed(self, uid: str) -> None:
        self._projection.changed(uid)
        self._follower.changed(uid)

    def _store_problem(self) -> str:
        return _store_problem(self._click_store)

    def _dead_thread(self) -> str:
        dead = [thread.name for thread in self.threads if not thread.is_alive()]
        return f"ended: {', '.join(dead)}" if dead else ""


def _store_problem(store: Store) -> str:
    try:
        with store_errors():
            store.client.ping()
    except StoreUnavailable as error:
        return str(error)
    return ""


def _check(settings: Settings) -> None:
    for name, value, hint in (
        ("SLACK_BOT_TOKEN", settings.slack_bot_token, "install the Slack app and copy its bot token (xoxb-…)"),
        ("SLACK_APP_TOKEN", settings.slack_app_token, "make an app-level token with connections:write (xapp-…)"),
        ("FINOPS_BUTTON_KEY", settings.button_key, "any long random text, the same for all replicas"),
        ("FINOPS_MEMBERSHIP_KEY", settings.membership_key, "any long random text, the same as the operator's"),
        ("FINOPS_REDIS_URL", settings.redis_url, "the store that the operator uses"),
    ):
        if not value:
            raise InvalidInput("is not set", field=name, hint=hint)
    require_password(settings.redis_url, allow_unauthenticated=settings.store_allow_unauthenticated)
    if not settings.slack_bot_token.startswith("xoxb-"):
        raise InvalidInput("is not a bot token", field="SLACK_BOT_TOKEN", hint="bot tokens start with xoxb-")
    if not settings.slack_app_token.startswith("xapp-"):
        raise InvalidInput("is not an app-level token", field="SLACK_APP_TOKEN", hint="they start with xapp-")
    if settings.kill_point and settings.kill_point not in NAMES:
        raise InvalidInput(
            f"{settings.kill_point!r} is no boundary of the bot",
            field="FINOPS_KILL_POINT",
            hint=", ".join(sorted(NAMES)),
        )


def run(settings: Settings, kubernetes: Connection) -> None:
    """Run a bot until SIGTERM or SIGINT.

    Raises:
        InvalidInput: a setting is missing or wrong; names it.
    """
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    bot = Bot(settings, kubernetes, SystemClock())
    bot.start()
    _LOG.info("started", extra={"instance": bot.instance, "port": bot.health.port})
    ended.wait()
    _LOG.info("stopping")
    bot.stop()
    _LOG.info("stopped")
