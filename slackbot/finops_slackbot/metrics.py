"""The bot's Prometheus metrics, one registry per process, handed to whoever counts."""

from __future__ import annotations

from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


@dataclass(frozen=True, slots=True)
class Metrics:
    """All of them."""

    registry: CollectorRegistry
    acknowledgement: Histogram = field(init=False)
    clicks: Counter = field(init=False)
    slack_calls: Counter = field(init=False)
    outbox_depth: Gauge = field(init=False)
    outbox_age: Gauge = field(init=False)
    cards_out_of_sync: Counter = field(init=False)
    connections: Counter = field(init=False)
    connected: Gauge = field(init=False)

    def __post_init__(self) -> None:
        registry = self.registry
        made = {
            "acknowledgement": Histogram(
                "finops_slackbot_acknowledgement_seconds",
                "Time from an envelope's arrival to its acknowledgement; Slack allows three seconds.",
                buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 3),
                registry=registry,
            ),
            "clicks": Counter(
                "finops_slackbot_clicks",
                "Clicks and submissions by what became of them.",
                ["outcome"],
                registry=registry,
            ),
            "slack_calls": Counter(
                "finops_slackbot_slack_calls",
                "Web API calls by method and result.",
                ["method", "result"],
                registry=registry,
            ),
            "outbox_depth": Gauge("finops_slackbot_outbox_cards", "Cards waiting for delivery.", registry=registry),
            "outbox_age": Gauge(
                "finops_slackbot_outbox_age_seconds", "How long the first waiting card has been due.", registry=registry
            ),
            "cards_out_of_sync": Counter(
                "finops_slackbot_cards_repaired", "Cards that differed without being due.", registry=registry
            ),
            "connections": Counter("finops_slackbot_connections", "Socket sessions opened.", registry=registry),
            "connected": Gauge("finops_slackbot_connected", "1 while the socket is open.", registry=registry),
        }
        for name, metric in made.items():
            object.__setattr__(self, name, metric)
