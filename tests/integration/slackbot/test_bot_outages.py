"""What people read when a part is silent, and what is left when the bot is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from tests.integration.slackbot.bot_world import ALICE, BOB, CHANNEL, DAVE, ROOT, World, running_world
from tests.support.ledger_keys import MEMBERSHIP_KEY
from tests.support.notices import budget_alert
from tests.support.valkey import running_valkey

from finops.store.notices import StoredNotices
from finops.store.outbox import Outbox
from finops.store.sealed import Seals
from finops.store.slack_groups import SlackGroups
from finops.store.slack_status import SlackStatus
from finops_sandbox.slack.client import ControlRefusedError


@contextmanager
def process(world: World, **changes: str) -> Iterator[subprocess.Popen[str]]:
    """The bot as its image starts it."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{ROOT / 'operator'}:{ROOT / 'slackbot'}",
        "KUBECONFIG": str(world.cluster.kubeconfig_for("bot")),
        "FINOPS_REDIS_URL": world.valkey_url,
        "FINOPS_REDIS_PREFIX": world.store.keys.prefix,
        "FINOPS_SLACK_API_URL": world.slack.api_url,
        "SLACK_BOT_TOKEN": "xoxb-sandbox-finops",
        "SLACK_APP_TOKEN": "xapp-sandbox-finops",
        "FINOPS_BUTTON_KEY": "a key for tests only",
        "FINOPS_MEMBERSHIP_KEY": "another key for tests only",
        "FINOPS_METRICS_PORT": "0",
        **changes,
    }
    started = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "finops_slackbot"],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield started
    finally:
        if started.poll() is None:
            started.kill()
        started.communicate(timeout=10)


def connected(world: World) -> bool:
    return bool(world.control.observed.envelopes()["connections"])


@pytest.mark.parametrize("boundary", ["bot.click.received", "bot.approval.created"])
def test_a_bot_killed_between_click_and_answer_leaves_nobody_without_one(world: World, boundary: str) -> None:
    world.judging.clear()
    with process(world, FINOPS_KILL_POINT=boundary) as bot:
        world.until(lambda: connected(world))
        request = world.propose()
        world.until(lambda: world.card(request))
        sent = world.click(request, BOB)
        assert not sent["acked"]
        assert bot.wait(10) == -signal.SIGKILL
    world.judging.set()
    with world.bot():
        if boundary == "bot.click.received":
            world.answered(BOB, "Not recorded: the bot was restarted", 40)
            assert world.votes() == []
            world.click(request, BOB)
        world.answered(BOB, "Your approval on", 40)
        assert len(world.votes()) == 1
        world.shown(request, "Approved")


def test_a_bot_killed_after_posting_finds_its_card_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("finops_slackbot.outbox.delivery.LEASE_MS", 1000)
    with process(world, FINOPS_KILL_POINT="bot.card.posted") as bot:
        world.until(lambda: connected(world))
        request = world.propose()
        assert bot.wait(15) == -signal.SIGKILL
    # The lease of the killed bot's delivery runs for a minute; a test cannot wait that long.
    world.store.client.zadd(world.store.keys.slack("due"), {request.metadata.uid or "": 0})
    with world.bot() as second:
        world.until(lambda: second.outbox.messages.of(request.metadata.uid or "").hash, 20)
        assert world.card(request)
        assert len(world.control.observed.calls(method="chat.postMessage")) == 1


def test_a_bot_killed_after_posting_an_alert_posts_it_once_and_goes_on_behind_it(world: World) -> None:
    notices = StoredNotices(world.store, shared=Seals(MEMBERSHIP_KEY.encode()))
    notices.announce(budget_alert(80))
    with process(world, FINOPS_KILL_POINT="bot.card.posted", FINOPS_MEMBERSHIP_KEY=MEMBERSHIP_KEY) as bot:
        assert bot.wait(15) == -signal.SIGKILL
    for uid in Outbox(world.store).known():
        # The lease of the killed bot's delivery runs for a minute; a test cannot wait that long.
        world.store.client.zadd(world.store.keys.slack("due"), {uid: 0})
    notices.announce(budget_alert(100))
    notices.announce(budget_alert(100))

    def posts() -> list[str]:
        return [str(message["blocks"]) for message in world.control.observed.messages(channel=CHANNEL)]

    with world.bot() as second, world.bot():
        world.until(lambda: len(posts()) == 2, 20)
        # Both are posted, and no replica wants another: everything that waited was delivered.
        world.until(lambda: second.outbox.depth(2**53)[0] == 0)
    assert [sum(f"threshold {percent} %" in one for one in posts()) for percent in (80, 100)] == [1, 1]
    assert len(world.control.observed.calls(method="chat.postMessage")) == 2


def test_sigterm_ends_the_bot_in_order_and_no_secret_is_logged(world: World) -> None:
    with process(world, FINOPS_LOG_LEVEL="DEBUG") as bot:
        world.until(lambda: connected(world))
        request = world.propose()
        world.click(request, BOB)
        world.answered(BOB, "Your approval on")
        bot.send_signal(signal.SIGTERM)
        _, log = bot.communicate(timeout=25)
        assert bot.returncode == 0, log
        lines = [json.loads(line) for line in log.splitlines()]
        assert {"started", "stopping", "stopped"} <= {line["message"] for line in lines}
        for secret in ("xoxb-sandbox-finops", "xapp-sandbox-finops", "a key for tests only", "/actions/T0FINOPS1"):
            assert [line for line in log.splitlines() if secret in line] == []
        assert not connected(world)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"SLACK_BOT_TOKEN": ""}, "SLACK_BOT_TOKEN"),
        ({"SLACK_APP_TOKEN": "xoxb-swapped"}, "SLACK_APP_TOKEN"),
        ({"FINOPS_BUTTON_KEY": ""}, "FINOPS_BUTTON_KEY"),
        ({"FINOPS_MEMBERSHIP_KEY": ""}, "FINOPS_MEMBERSHIP_KEY"),
        ({"FINOPS_REDIS_URL": "http://nowhere"}, "FINOPS_REDIS_URL"),
        ({"FINOPS_REDIS_URL": "redis://slackbot@127.0.0.1:1/0"}, "FINOPS_REDIS_URL: names no password"),
        ({"FINOPS_KILL_POINT": "bot.nowhere"}, "FINOPS_KILL_POINT"),
    ],
)
def test_a_wrong_setting_ends_the_bot_and_is_named(world: World, changes: dict[str, str], named: str) -> None:
    with process(world, **changes) as bot:
        _, log = bot.communicate(timeout=20)
        assert bot.returncode == 2
        assert named in log


def test_without_a_store_nothing_is_recorded_and_the_voter_knows(tmp_path: Path) -> None:
    with running_valkey() as server, running_world(tmp_path, server.url) as world, world.bot() as bot:
        request = world.propose()
        world.until(lambda: world.card(request))
        server.kill()
        sent = world.click(request, BOB)
        assert sent["acked"]
        assert "nothing will happen" in world.answered(BOB, "Not recorded")
        assert world.votes() == []
        assert "store" in _ready(bot.health.port)
        world.click(request, ALICE, "finops_deny")
        world.until(lambda: world.control.observed.views(user=ALICE))
        answer = world.control.people.submit_view(user=ALICE, values={"reason": {"text": "no"}})
        assert "Not recorded" in answer["errors"]["reason"], "the modal stays open with the reason in it"
        server.start()
        world.until(lambda: _ready(bot.health.port) == "")
        world.click(request, BOB)
        world.answered(BOB, "Your approval on")


def test_without_kubernetes_nothing_is_recorded_and_the_voter_knows(world: World) -> None:
    with world.bot():
        request = world.propose()
        world.until(lambda: world.card(request))
        world.judging.clear()
        with world.cluster.down():
            sent = world.click(request, BOB)
            assert sent["acked"]
            assert "Kubernetes does not answer" in world.answered(BOB, "Not recorded")
        world.judging.set()
        world.until(lambda: world.votes() == [])
        world.click(request, BOB)
        world.answered(BOB, "Your approval on", 30)


def test_a_slack_that_does_not_answer_records_nothing_because_the_voter_is_unknown(world: World) -> None:
    world.control.conditions.fault(method="users.info", n=1, status=503)
    with world.bot():
        request = world.propose()
        world.click(request, BOB)
        world.answered(BOB, "Slack does not answer, so the bot does not know who you are")
        assert world.votes() == []
        world.click(request, BOB)
        world.answered(BOB, "Your approval on")


def test_user_groups_on_a_free_plan_do_not_hide_people_named_in_person(world: World) -> None:
    world.control.conditions.fault(method="usergroups.users.list", n=5, error="plan_upgrade_required")
    with world.bot():
        request = world.propose()
        world.click(request, BOB)
        world.answered(BOB, "not an approver")


def test_the_socket_comes_back_after_it_was_cut(world: World) -> None:
    with world.bot():
        request = world.propose()
        world.until(lambda: world.card(request))
        world.control.conditions.socket(kind="drop")
        world.until(lambda: not connected(world))
        world.until(lambda: connected(world), 30)
        world.click(request, BOB)
        world.answered(BOB, "Your approval on")


def test_members_of_the_groups_that_policies_name_are_kept_for_the_operator(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("finops_slackbot.guards.groups._POLL_SECONDS", 0.1)
    groups = SlackGroups(world.store, MEMBERSHIP_KEY)
    with world.bot() as bot:
        groups.want({"S0SRE00001", "S0NOWHERE1"})
        now = bot.clock.now()
        found = world.until(lambda: groups.fresh({"S0SRE00001"}, now, timedelta(hours=1)))
        assert found == {"S0SRE00001": frozenset({ALICE, BOB, "U0CAROL001"})}
        world.until(lambda: "no_such_subteam" in groups.read("S0NOWHERE1").error)
        assert groups.fresh({"S0SRE00001", "S0NOWHERE1"}, now, timedelta(hours=1)) is None


def test_a_group_that_the_operator_asks_for_is_read_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may vote is checked again right before the act, by a reading that was made after the act asked for it."""
    monkeypatch.setattr("finops_slackbot.guards.groups._POLL_SECONDS", 0.1)
    groups = SlackGroups(world.store, MEMBERSHIP_KEY)
    with world.bot() as bot:
        groups.want({"S0SRE00001"})
        world.until(lambda: groups.read("S0SRE00001").read_at)
        asked = bot.clock.now()
        groups.ask("S0SRE00001", asked)

        world.until(lambda: (groups.read("S0SRE00001").read_at or asked) > asked)


def test_a_list_that_somebody_else_wrote_is_read_from_slack_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bullet "Whoever can write the store can make the operator act": the bot's list takes the forged one's place."""
    monkeypatch.setattr("finops_slackbot.guards.groups._POLL_SECONDS", 0.1)
    groups = SlackGroups(world.store, MEMBERSHIP_KEY)
    with world.bot():
        groups.want({"S0SRE00001"})
        world.until(lambda: groups.read("S0SRE00001").read_at)
        world.store.client.hset(world.store.keys.slack("group", "S0SRE00001"), "members", '["U0LEFT0001"]')

        found = world.until(lambda: groups.read("S0SRE00001").members)
        assert "U0LEFT0001" not in found


def test_the_status_says_which_workspace_and_warns_of_a_second_release(world: World) -> None:
    status = SlackStatus(world.store)
    with world.bot():
        world.until(lambda: status.read()[0].get("connected") == "true")
        fields = status.read()[0]
        assert (fields["team"], fields["app"]) == ("T0FINOPS1", "A0FINOPS1")
        assert fields["warning"] == ""
        with world.bot(release="other"):
            world.until(lambda: "release finops-system/finops-operator uses" in status.read()[0]["warning"])
    assert status.read()[0]["connected"] == "false"


def test_another_program_on_the_same_app_is_noticed(world: World) -> None:
    """Two stores, one Slack app: the socket's greeting is the only trace of the other."""
    with world.bot(), world.bot(redis_prefix="another-"):
        status = SlackStatus(type(world.store)(world.store.client, type(world.store.keys)("another-")))
        world.until(lambda: "another installation" in status.read()[0].get("warning", ""))


def test_probes_and_metrics_are_served(world: World) -> None:
    with world.bot() as bot:
        request = world.propose()
        world.click(request, DAVE)
        world.answered(DAVE, "not an approver")
        assert _ready(bot.health.port) == ""
        text = _get(bot.health.port, "/metrics")
        assert 'finops_slackbot_clicks_total{outcome="recorded"} 1.0' in text
        assert "finops_slackbot_acknowledgement_seconds_count 1.0" in text
        assert _get(bot.health.port, "/healthz") == "threads: ok\n"


def test_a_bot_asks_the_cluster_for_nothing_but_its_rights(world: World) -> None:
    with world.bot():
        request = world.propose()
        world.click(request, BOB)
        world.answered(BOB, "Your approval on")
    asked = {
        (event["verb"], event["objectRef"]["resource"])
        for event in world.cluster.audit()
        if event["user"]["username"] == "system:serviceaccount:finops-system:finops-slackbot" and "objectRef" in event
    }
    allowed = {(verb, "actionrequests") for verb in ("get", "list", "watch")}
    allowed |= {(verb, "approvals") for verb in ("create", "get", "list", "watch")}
    assert asked <= allowed
    assert ("create", "approvals") in asked


def test_a_person_who_left_slack_cannot_click_at_all(world: World) -> None:
    with world.bot():
        request = world.propose()
        world.until(lambda: world.card(request))
        world.control.workspace.deactivate_user(user=BOB)
        with pytest.raises(ControlRefusedError):
            world.click(request, BOB)


def _get(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return str(answer.read().decode())


def _ready(port: int) -> str:
    try:
        _get(port, "/readyz")
    except urllib.error.HTTPError as error:
        with error:
            return error.read().decode()
    return ""
