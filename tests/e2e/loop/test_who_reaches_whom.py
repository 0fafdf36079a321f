"""The chart's network policies on a cluster that enforces them, in both directions."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from tests.e2e.cluster import wait_until
from tests.e2e.loop.probes import assert_reaches, component
from tests.e2e.loop.world import Loop

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(120)]

Targets = dict[str, tuple[str, int]]
STORE, API, AWS, SLACK, BOT = "store", "API server", "AWS", "Slack", "the bot's metrics"
NAMES, METADATA, AGENT = "name server", "metadata service", "pod identity agent"


@pytest.fixture(scope="module")
def targets(loop: Loop) -> Targets:
    """By address, so that a name that cannot be resolved does not hide what is closed."""
    release, cluster = loop.release, loop.cluster

    def service(name: str, namespace: str) -> str:
        found: str = cluster.get("service", name, namespace)["spec"]["clusterIP"]
        return found

    bot = wait_until("the bot has an address", lambda: release.pods("slackbot")[0]["status"].get("podIP"))
    aws, slack = urlsplit(loop.aws.url), urlsplit(loop.slack_url)
    return {
        STORE: (service(f"{release.full_name}-valkey", release.namespace), 6379),
        API: (service("kubernetes", "default"), 443),
        NAMES: (service("kube-dns", "kube-system"), 53),
        AWS: (str(aws.hostname), int(aws.port or 80)),
        SLACK: (str(slack.hostname), int(slack.port or 80)),
        BOT: (bot, 8080),
        METADATA: ("169.254.169.254", 80),
        AGENT: ("169.254.170.23", 80),
    }


@pytest.mark.parametrize(
    ("name", "ways"),
    [
        ("operator", {NAMES, API, STORE, AWS}),
        ("slackbot", {NAMES, API, STORE, SLACK}),
        ("web", {NAMES, API, STORE}),
        ("valkey", set()),
        ("secrets", {NAMES, API}),
        ("test", {NAMES}),
    ],
)
def test_each_component_reaches_what_it_needs_and_nothing_else(
    loop: Loop, targets: Targets, name: str, ways: set[str]
) -> None:
    assert_reaches(loop, component(loop, name), targets, ways)


def test_policies_of_ours_close_nothing_to_others_but_the_store(loop: Loop, targets: Targets) -> None:
    # What is open to a stranger was not closed to our pods by something else.
    asked = {name: where for name, where in targets.items() if name not in {METADATA, AGENT}}
    assert_reaches(loop, {"app": "stranger"}, asked, set(asked) - {STORE})


def test_only_pods_of_the_releases_own_namespace_reach_the_store(loop: Loop, targets: Targets) -> None:
    ours, store = component(loop, "operator"), {STORE: targets[STORE]}
    assert_reaches(loop, ours, store, {STORE})
    assert_reaches(loop, ours, store, set(), loop.team)
