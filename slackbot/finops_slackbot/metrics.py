"""The bot's Prometheus metrics, one registry per process, handed to whoever counts."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """All of them, made in `registry`."""

    __slots__ = (
        "acknowledgement",
        "cards_out_of_sync",
        "clicks",
        "connected",
        "connections",
        "notices_unreadable",
        "outbox_age",
        "outbox_depth",
        "registry",
        "slack_calls",
    )

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.acknowledgement = Histogram(
            "finops_slackbot_acknowledgement_seconds",
            "Time from an envelope's arrival to its acknowledgement; Slack allows three seconds.",
            buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 3),
            registry=registry,
        )
        self.clicks = Counter(
            "finops_slackbot_clicks", "Clicks and submissions by what became of them.", ["outcome"], registry=registry
        )
        self.slack_calls = Counter(
            "finops_slackbot_slack_calls",
            "Web API calls by method and result.",
            ["method", "result"],
            registry=registry,
        )
        self.outbox_depth = Gauge("finops_slackbot_outbox_cards", "Cards waiting for delivery.", registry=registry)
        self.outbox_age = Gauge(
            "finops_slackbot_outbox_age_seconds", "How long the first waiting card has been due.", registry=registry
        )
        self.cards_out_of_sync = Counter(
            "finops_slackbot_cards_repaired", "Cards that differed without being due.", registry=registry
        )
        self.notices_unreadable = Counter(
            "finops_slackbot_notices_unreadable", "Entries of the notices that are no notice.", registry=registry
        )
        self.connections = Counter("finops_slackbot_connections", "Socket sessions opened.", registry=registry)
        self.connected = Gauge("finops_slackbot_connected", "1 while the socket is open.", registry=registry)
