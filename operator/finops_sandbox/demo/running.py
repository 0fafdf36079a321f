"""Starts the demo's programs, as much in parallel as they depend on each other, and applies its policies.

Order: store, API server, Slack and AWS at once; the operator and the dashboard when store and API server answer, the
bot when Slack does too; the policies last, so that the first scan finds an AWS that is there.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from finops.crds.action_request import ActionRequest
from finops.crds.approval import Approval
from finops.crds.aws_account import AwsAccount
from finops.crds.budget import Budget
from finops.crds.conditions import ConditionStatus, find_condition
from finops.crds.scan_policy import ScanPolicy
from finops.k8s.connection import Connection, connect
from finops.k8s.kinds import action_requests, approvals, aws_accounts, budgets, scan_policies
from finops.ledger.signing import new_private_key, public_key_of
from finops_sandbox.demo.cluster_files import (
    BOT_ACCOUNT,
    NAMESPACE,
    OPERATOR_ACCOUNT,
    WEB,
    manifest,
    split_kubeconfig,
    token_of,
    write_cluster_files,
)
from finops_sandbox.demo.environment import HOST, Places, bare, bot_environment, operator_environment, web_environment
from finops_sandbox.slack.client import SlackControl
from finops_sandbox.supervisor import Probe, Program, ProgramFailed, Running, Supervisor
from finops_sandbox.valkey import valkey_program

T = TypeVar("T")
POLICY: Final = "production"
"""Name of the policy of the story; most of its requests are in the thread of one message."""
POLICY_NAMESPACE: Final = "default"
RESIZED: Final = "api-oversized"
"""Name of the instance of the story: its resize succeeds."""
_SCAN_SECONDS: Final = 90.0
_NO_PROXY: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(slots=True)
class RunningDemo:
    """The running demo.

    Attributes:
        slack_page: where a person clicks.
        seconds: milestone → seconds since the start.
    """

    places: Places
    began: float
    connection: Connection | None = None
    slack_page: str = ""
    slack_api_url: str = ""
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def admin(self) -> Connection:
        assert self.connection is not None, "the API server is not up yet"
        return self.connection

    @property
    def slack(self) -> SlackControl:
        return SlackControl(self.slack_page)

    def person_token(self, person: str) -> str:
        """Return the token by which the cluster knows a person: `admin`, `alice` or `bob`."""
        return token_of(person, self.places.kubeconfig("people"))

    def dashboard(self, person: str) -> str:
        """Return the address that signs a person in at the dashboard."""
        return f"{self.places.web_url}/sign-in?token={self.person_token(person)}"

    def policies(self) -> list[ScanPolicy]:
        """Return all ScanPolicies by name, as the API server has them."""
        return sorted(scan_policies(self.admin).list(), key=lambda one: one.metadata.name)

    def policy(self) -> ScanPolicy | None:
        """Return the policy of the story."""
        return scan_policies(self.admin).get(POLICY_NAMESPACE, POLICY)

    def requests(self) -> list[ActionRequest]:
        """Return all ActionRequests."""
        return list(action_requests(self.admin).list())

    def votes(self) -> list[Approval]:
        """Return all Approvals."""
        return list(approvals(self.admin).list())

    def note(self, milestone: str) -> None:
        self.seconds[milestone] = round(time.monotonic() - self.began, 2)


async def build(supervisor: Supervisor, places: Places) -> RunningDemo:
    """Start everything and return when the operator says that each policy is Ready.

    Raises:
        ProgramFailed: a program died, or a policy did not become Ready in time.
        StoreUnavailable: there is no Valkey on this machine.
    """
    demo = RunningDemo(places, time.monotonic())
    _make_keys(places)
    async with asyncio.TaskGroup() as group:
        store = group.create_task(
            supervisor.start(valkey_program(places.state / "valkey", places.sockets, bare(places)))
        )
        cluster = group.create_task(_kubernetes(supervisor, demo))
        slack = group.create_task(_slack(supervisor, demo))
        group.create_task(supervisor.start(_double("aws", demo, ("--port", str(places.aws_port), "--estate", "demo"))))
        group.create_task(_after([store, cluster], lambda: supervisor.start(_operator(places))))
        group.create_task(_after([store, cluster], lambda: supervisor.start(_web(places))))
        group.create_task(_after([store, cluster, slack], lambda: supervisor.start(_bot(demo))))
    demo.note("programsReady")
    await asyncio.to_thread(apply, demo, "policy")
    await until(lambda: all(map(_is_ready, demo.policies())), _SCAN_SECONDS, "the policies did not become Ready")
    demo.note("policyReady")
    return demo


def _make_keys(places: Places) -> None:
    private = new_private_key()
    places.signing_key.touch(mode=0o600)
    places.signing_key.write_text(private, encoding="ascii")
    places.membership_key.touch(mode=0o600)
    places.membership_key.write_text(secrets.token_urlsafe(32), encoding="ascii")
    places.public_key.write_text(public_key_of(private), encoding="ascii")


async def _after(others: Sequence[asyncio.Task[Any]], start: Callable[[], Awaitable[Running]]) -> None:
    for other in others:
        await other
    await start()


def _double(name: str, demo: RunningDemo, arguments: tuple[str, ...]) -> Program:
    announcements = {
        "aws": r"^aws: listening on (?P<url>\S+)",
        "kubernetes": r"^ready (?P<url>https://\S+)",
        "slack": r'"api_url": "(?P<api>[^"]+)".*"page": "(?P<page>[^"]+)"',
    }
    return Program(
        name=name,
        command=(sys.executable, "-m", f"finops_sandbox.{name}", "--host", HOST, *arguments),
        environment=bare(demo.places),
        announcement=announcements[name],
        stage=1,
        stop_seconds=5,
    )


async def _kubernetes(supervisor: Supervisor, demo: RunningDemo) -> None:
    places = demo.places
    definitions, manifests = await asyncio.to_thread(write_cluster_files, places.state / "cluster")
    everybody = places.kubeconfig("all")
    arguments = (
        *("--crds", str(definitions), "--manifests", str(manifests), "--kubeconfig", str(everybody)),
        *("--service-account", f"operator={NAMESPACE}/{OPERATOR_ACCOUNT}"),
        *("--service-account", f"bot={NAMESPACE}/{BOT_ACCOUNT}"),
        *("--state", str(places.state / "cluster"), "--audit-log", str(places.state / "kubernetes-audit.jsonl")),
    )
    await supervisor.start(_double("kubernetes", demo, arguments))
    targets = {who: places.kubeconfig(who) for who in ("operator", "bot", WEB, "people")}
    split_kubeconfig(everybody, targets)
    everybody.unlink()
    demo.connection = connect(str(targets["people"]), "admin")


async def _slack(supervisor: Supervisor, demo: RunningDemo) -> None:
    running = await supervisor.start(_double("slack", demo, ("--port", "0")))
    demo.slack_api_url, demo.slack_page = running.announced["api"], running.announced["page"]


def _operator(places: Places) -> Program:
    return Program(
        name="operator",
        command=(sys.executable, "-m", "finops_operator"),
        environment=operator_environment(places),
        ready=_answers(f"http://{HOST}:{places.operator_port}/readyz"),
        stage=2,
        stop_seconds=20,
    )


def _bot(demo: RunningDemo) -> Program:
    places = demo.places
    return Program(
        name="slackbot",
        command=(sys.executable, "-m", "finops_slackbot"),
        environment=bot_environment(places, demo.slack_api_url, secrets.token_urlsafe(32)),
        ready=_answers(f"http://{HOST}:{places.bot_port}/readyz"),
        stage=2,
        stop_seconds=15,
    )


def _web(places: Places) -> Program:
    return Program(
        name="web",
        command=(sys.executable, "-m", "finops_web"),
        environment=web_environment(places, secrets.token_urlsafe(32)),
        ready=_answers(f"{places.web_url}/readyz"),
        stage=2,
        stop_seconds=15,
    )


def _answers(url: str) -> Probe:
    async def probe(_: Running) -> bool:
        return await asyncio.to_thread(_is_200, url)

    return probe


def _is_200(url: str) -> bool:
    try:
        with _NO_PROXY.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def apply(demo: RunningDemo, name: str) -> None:
    """Create the objects of a manifest as the administrator would with kubectl."""
    for document in manifest(name):
        if document["kind"] == "AwsAccount":
            aws_accounts(demo.admin).create(AwsAccount.from_object(document))
        elif document["kind"] == "Budget":
            budgets(demo.admin).create(Budget.from_object(document))
        else:
            scan_policies(demo.admin).create(ScanPolicy.from_object(document))


def _is_ready(policy: ScanPolicy) -> bool:
    condition = find_condition(policy.status.conditions, "Ready")
    return condition is not None and condition.status is ConditionStatus.TRUE


async def until(probe: Callable[[], T | None], seconds: float, otherwise: str) -> T:
    """Ask `probe`, in a thread, until it returns something true, and return that.

    Raises:
        ProgramFailed: nothing within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while True:
        found = await asyncio.to_thread(probe)
        if found:
            return found
        if time.monotonic() > deadline:
            raise ProgramFailed(f"{otherwise} within {seconds:g} seconds", hint="finops demo --verbose shows why")
        await asyncio.sleep(0.1)
