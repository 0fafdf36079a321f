"""The dashboard on a cluster: what it shows to whom, a vote through it, and that it has no right of its own."""

from __future__ import annotations

import json
import re
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from tests.e2e.cluster import Object, RealCluster, plain_environment, wait_until
from tests.e2e.loop.installation import DESK
from tests.e2e.loop.world import POLICY, Loop, state_of
from tests.support import dashboard_journey as journey
from tests.support.browser import Browser

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(180)]
VIEWER, STRANGER = "viewer", "stranger"
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Dashboard:
    """The dashboard through a forwarded port, and the tokens of accounts of the team's namespace."""

    url: str
    tokens: dict[str, str]

    def ask(self, path: str, account: str = "", body: Object | None = None) -> tuple[int, Any]:
        """Return status and answer of a request with an account's token; with a body it is a POST."""
        headers = {"Authorization": f"Bearer {self.tokens[account]}"} if account else {}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {**headers, "Content-Type": "application/json"})
        try:
            with _OPENER.open(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)


@pytest.fixture(scope="module")
def dashboard(loop: Loop) -> Iterator[Dashboard]:
    prefix = f"{loop.release.full_name}-{loop.release.namespace}"
    rights = {DESK: (f"{prefix}-view", f"{prefix}-approver"), VIEWER: (f"{prefix}-view",), STRANGER: ()}
    for account, roles in rights.items():
        metadata = {"name": account, "namespace": loop.team}
        loop.cluster.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
        for role in roles:
            loop.cluster.kubectl(
                *("create", "rolebinding", f"{account}-{role}", "-n", loop.team),
                *(f"--clusterrole={role}", f"--serviceaccount={loop.team}:{account}"),
            )
    tokens = {one: loop.cluster.kubectl("create", "token", one, "-n", loop.team).strip() for one in rights}
    with _forwarded(loop.cluster, loop.release.namespace, f"service/{loop.release.full_name}-web") as url:
        yield Dashboard(url, tokens)


@contextmanager
def _forwarded(cluster: RealCluster, namespace: str, target: str) -> Iterator[str]:
    """Forward a port of this machine as docs/web.md says it; yields the address."""
    command = ["kubectl", "--kubeconfig", cluster.kubeconfig, "-n", namespace, "port-forward", target, ":8080"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=plain_environment()) as process:
        assert process.stdout is not None
        try:
            found = re.search(r"127\.0\.0\.1:\d+", process.stdout.readline())
            assert found, "kubectl port-forward ended"
            yield f"http://{found.group()}"
        finally:
            process.terminate()


def test_it_is_ready_and_shows_nothing_without_a_token(loop: Loop, dashboard: Dashboard) -> None:
    loop.release.wait_ready("web")
    assert loop.release.restarts("web") == 0
    status, answer = dashboard.ask("/api/costing/current")
    assert (status, answer["error"]["code"]) == (401, "SignInNeeded")


def test_it_shows_the_monthly_cost_of_the_policys_status_to_those_who_may_read_policies(
    loop: Loop, dashboard: Dashboard
) -> None:
    def agrees() -> bool:
        shown = dashboard.ask("/api/costing/current", VIEWER)[1]["data"]["summary"]["totalMonthlyCost"]
        return Decimal(str(shown)) == Decimal(loop.policy()["status"]["monthlyCost"])

    # Acts of other stories are followed by a scan, whose end reaches status and store one after the other.
    wait_until("dashboard and status agree", agrees, seconds=60)
    status, answer = dashboard.ask("/api/costing/current", STRANGER)
    assert status == 200
    assert answer["data"]["summary"]["resources"] == 0


def test_a_vote_through_it_is_the_voters_own_and_counts(loop: Loop, dashboard: Dashboard) -> None:
    request = loop.next_worker()
    votes = f"/api/action-requests/{request['metadata']['uid']}/approvals"
    denial = {"decision": "Deny", "reason": "it is needed next week"}

    assert dashboard.ask(votes, VIEWER, denial)[0] == 403
    assert dashboard.ask(votes, STRANGER, denial)[0] == 404
    status, answer = dashboard.ask(votes, DESK, denial)

    assert status == 201
    approver = answer["data"]["spec"]["approver"]
    assert (approver["source"], approver["username"]) == ("kubernetes", f"system:serviceaccount:{loop.team}:{DESK}")
    assert answer["data"]["status"]["result"] == "Counted"
    assert state_of(loop.ended(request["metadata"]["name"])) == "Denied"


@pytest.fixture
def browser(dashboard: Dashboard) -> Iterator[Browser]:
    """A window of the desk's account, signed in with its token as docs/web.md says."""
    with Browser(width=1280, height=860, timeout_seconds=60) as window:
        window.goto(f"{dashboard.url}/sign-in")
        window.type("textarea", dashboard.tokens[DESK])
        window.evaluate("document.querySelector('form').submit()")
        window.wait_text("Cost a month")
        yield window


def test_every_page_has_no_barrier_in_light_and_dark(loop: Loop, dashboard: Dashboard, browser: Browser) -> None:
    what_if = f"/policies/{loop.team}/{POLICY}?check=ec2_instance_idle"
    journey.assert_no_barriers(browser, dashboard.url, (*journey.PAGES, what_if))


def test_the_dearest_idle_instance_is_found_approved_watched_and_verified_by_keys_alone(
    loop: Loop, browser: Browser
) -> None:
    approved = journey.approve_dearest(browser, "ec2_instance_idle")
    journey.watch_it_succeed(browser, approved)
    journey.see_its_saving(browser, approved)
    journey.verify_the_ledger(browser)
    assert browser.console == []
    assert loop.aws.resource(approved.id)["state"] == "stopped"


def test_a_threshold_is_tried_and_the_operator_answers_what_would_no_longer_be_found(
    loop: Loop, dashboard: Dashboard, browser: Browser
) -> None:
    asked = (f"{loop.team}/{POLICY}", "ebs_volume_unattached", "minimumUnattachedDays", "90")
    said = journey.ask_what_if(browser, dashboard.url, *asked)
    assert "Would no longer be found" in said
    assert "Delete forgotten-" in said
    journey.assert_no_barriers(browser, str(browser.evaluate("location.href")), ("",))


def test_its_account_may_do_no_more_than_one_that_does_not_exist(loop: Loop) -> None:
    def rights(account: str) -> list[str]:
        user = f"system:serviceaccount:{loop.release.namespace}:{account}"
        groups = ("--as-group=system:serviceaccounts", "--as-group=system:authenticated")
        listed = loop.cluster.kubectl("auth", "can-i", "--list", "-n", loop.team, f"--as={user}", *groups)
        return sorted(listed.splitlines())

    own = rights(f"{loop.release.full_name}-web")
    assert own == rights("nobody-has-this-name")
    assert not [line for line in own if "finops.dev" in line]


def test_its_pod_holds_the_api_servers_certificate_and_no_token(loop: Loop) -> None:
    seen = _python(loop, "import os; print(*os.listdir('/var/run/secrets/kubernetes.io/serviceaccount'))")
    assert [name for name in seen.split() if not name.startswith("..")] == ["ca.crt"]


def test_its_image_holds_no_other_program_of_ours_and_nothing_that_reaches_aws_or_slack(loop: Loop) -> None:
    seen = _python(loop, "import pkgutil; print(*(one.name for one in pkgutil.iter_modules()))")
    held = set(seen.split())
    assert {"finops", "finops_web", "fastapi"} <= held
    others = {"finops_operator", "finops_slackbot", "finops_sandbox", "boto3", "botocore", "kopf", "slack_sdk"}
    assert not held & others


def _python(loop: Loop, program: str) -> str:
    """Run a line of Python where the dashboard runs."""
    where = ("-n", loop.release.namespace, f"deploy/{loop.release.full_name}-web", "-c", "web")
    return loop.cluster.kubectl("exec", *where, "--", "python", "-c", program)
