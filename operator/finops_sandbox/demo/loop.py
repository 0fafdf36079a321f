"""The scripted approval: one card is approved by a click, and the whole loop behind it is reported as data.

Run by `finops demo --headless`; the smoke test of every release.
"""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from decimal import Decimal
from typing import Any, Final

from finops.audit_verify import Keys, verify
from finops.crds.action_request import ActionRequest
from finops.crds.approval import Approval
from finops.crds.scan_policy import ScanPolicy
from finops.domain.decision import TERMINAL, State
from finops.ledger.lines import line_of
from finops.store.connection import open_store
from finops.store.ledger import LedgerStream, unchecked
from finops.store.slack_messages import SlackMessages
from finops_operator.cli.commands.audit import report_to_json
from finops_sandbox.demo.running import RESIZED, RunningDemo, until

_ACTION: Final = "ec2_instance_resize"
_APPROVE_BUTTON: Final = "finops_approve"
_VOTER: Final = "U0ALICE001"
_PROPOSE_SECONDS: Final = 30.0
_CARD_SECONDS: Final = 60.0
_ACT_SECONDS: Final = 90.0
_DASHBOARD_SECONDS: Final = 30.0
_NO_PROXY: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


async def run_loop(demo: RunningDemo) -> dict[str, Any]:
    """Approve one resize and return the loop's story; `verified` says whether it ended as it should.

    Raises:
        ProgramFailed: a part of the loop did not happen in time.
    """
    request = await until(lambda: _proposed(demo), _PROPOSE_SECONDS, f"no {_ACTION} of {RESIZED} was proposed")
    demo.note("requestProposed")
    dashboard = await until(
        lambda: _dashboard(demo), _DASHBOARD_SECONDS, "the dashboard did not show the monthly cost of the policies"
    )
    demo.note("dashboardAgrees")
    uid, name = request.metadata.uid or "", request.metadata.name
    channel, message = await until(lambda: _card(demo, uid), _CARD_SECONDS, f"no card of {name} was posted")
    demo.note("cardPosted")
    click = await asyncio.to_thread(
        lambda: demo.slack.people.click(
            user=_VOTER, action=_APPROVE_BUTTON, channel=channel, message=message, confirm=True
        )
    )
    demo.note("clicked")
    ended = await until(lambda: _ended(demo, name), _ACT_SECONDS, f"{name} did not end")
    demo.note("ended")
    shown = await until(lambda: _shown(demo, channel, message, ended), _CARD_SECONDS, f"the card of {name} lags behind")
    demo.note("cardShowsEnd")
    return {**await asyncio.to_thread(_story, demo, ended, click, shown), "dashboard": dashboard}


def _proposed(demo: RunningDemo) -> ActionRequest | None:
    wanted = (one for one in demo.requests() if one.spec.action == _ACTION and one.spec.resource.name == RESIZED)
    return next(wanted, None)


def _dashboard(demo: RunningDemo) -> dict[str, Any] | None:
    """Return what the dashboard shows Alice, once it agrees with the policies' statuses: a scan may end in between."""
    known = {one.metadata.name: one.status.monthly_cost for one in demo.policies()}
    costs = {name: cost for name, cost in known.items() if cost is not None}
    if len(costs) < len(known):
        return None
    # Each policy has an account of its own.
    expected = sum(costs.values(), Decimal("0.00"))
    try:
        answer = json.loads(_page(demo, "/api/costing/current"), parse_float=Decimal)
        page = _page(demo, "/")
    except urllib.error.HTTPError:
        # It says so itself in the log; what counts is that it answers in time.
        return None
    if answer["data"]["summary"]["totalMonthlyCost"] != expected or f"${int(expected):,}" not in page:
        return None
    parts = {name: f"{cost:f}" for name, cost in costs.items()}
    return {"address": demo.places.web_url, "monthlyCost": f"{expected:f}", "policies": parts}


def _page(demo: RunningDemo, path: str) -> str:
    request = urllib.request.Request(  # noqa: S310 - an address of the demo itself
        demo.places.web_url + path, headers={"Authorization": f"Bearer {demo.person_token('alice')}"}
    )
    with _NO_PROXY.open(request, timeout=10) as answer:
        return str(answer.read().decode())


def _card(demo: RunningDemo, uid: str) -> tuple[str, str] | None:
    store = open_store(demo.places.store_url)
    try:
        ref = SlackMessages(store).of(uid)
    finally:
        store.client.close()
    return (ref.channel, ref.ts) if ref.ts else None


def _ended(demo: RunningDemo, name: str) -> ActionRequest | None:
    found = next((one for one in demo.requests() if one.metadata.name == name), None)
    return found if found is not None and found.status.state in TERMINAL else None


def _shown(demo: RunningDemo, channel: str, message: str, ended: ActionRequest) -> dict[str, Any] | None:
    """Return the card once its buttons are gone and it says how the request ended; before that it is being verified."""
    for one in demo.slack.observed.messages(channel=channel):
        if one.get("ts") == message:
            text = json.dumps(one.get("blocks", []))
            word = "done and verified" if ended.status.state is State.SUCCEEDED else ""
            if _APPROVE_BUTTON not in text and word in (text + str(one.get("text"))).lower():
                return {"channel": channel, "ts": message, "text": one.get("text")}
    return None


def _story(demo: RunningDemo, ended: ActionRequest, click: dict[str, Any], card: dict[str, Any]) -> dict[str, Any]:
    ledger = _ledger(demo)
    verified = ended.status.state is State.SUCCEEDED and bool(ledger["ok"])
    return {
        "verified": verified,
        "policy": policy_to_json(demo.policy()),
        "request": _request_to_json(ended),
        "click": {key: click.get(key) for key in ("sent", "delivered", "acked", "ack_ms")},
        "card": card,
        "votes": [_vote_to_json(one) for one in demo.votes() if one.spec.request.uid == ended.metadata.uid],
        "changes": _changes(demo),
        "ledger": ledger,
        "seconds": dict(demo.seconds),
    }


def policy_to_json(policy: ScanPolicy | None) -> dict[str, Any]:
    """Return what the operator says about its policy."""
    if policy is None:
        return {}
    status = policy.to_object().get("status", {})
    return {"namespace": policy.metadata.namespace, "name": policy.metadata.name, **status}


def _request_to_json(request: ActionRequest) -> dict[str, Any]:
    whole = request.to_object()
    spec = whole["spec"]
    shown = ("action", "account", "region", "resource", "parameters", "planHash", "estimate")
    return {"name": request.metadata.name, **{key: spec.get(key) for key in shown}, "status": whole.get("status", {})}


def _vote_to_json(approval: Approval) -> dict[str, Any]:
    whole = approval.to_object()
    return {
        "name": approval.metadata.name,
        "decision": whole["spec"]["decision"],
        "approver": whole["spec"]["approver"],
        **whole.get("status", {}),
    }


def _changes(demo: RunningDemo) -> list[dict[str, Any]]:
    """Return what really changed in AWS, as AWS recorded it."""
    with _NO_PROXY.open(f"{demo.places.aws_url}/_sandbox/calls", timeout=10) as answer:
        calls = json.loads(answer.read())["calls"]
    shown = (
        "time",
        "service",
        "action",
        "account",
        "region",
        "roleArn",
        "sessionName",
        "sourceIdentity",
        "sessionTags",
    )
    more = ("targets", "result", "applied")
    return [
        {key: call.get(key) for key in (*shown, *more)}
        for call in calls
        if call.get("service") != "sts" and not call.get("dryRun")
    ]


def _ledger(demo: RunningDemo) -> dict[str, Any]:
    """Verify the stream, and that the file beside it says the same."""
    store = open_store(demo.places.store_url)
    try:
        lines = [line_of(record) for record in LedgerStream(store, unchecked).read()]
    finally:
        store.client.close()
    keys = Keys(demo.places.public_key.read_text(encoding="ascii"))
    report = report_to_json(verify(lines, keys=keys))
    # Records may have been added in between; what was read must stand in the file word for word.
    second = demo.places.ledger.read_bytes().splitlines(keepends=True)
    return {**report, "secondSinkAgrees": second[: len(lines)] == lines}
