"""Joins what AWS saw with what the ledger says; judges every run of the act tests."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from finops.audit_verify import verify
from finops_sandbox.aws.record import CallRecord

_SDK_NAMES = {"elasticloadbalancing": ("elbv2", "elb"), "es": ("opensearch",)}
"""Services that a signature names otherwise than the SDK."""


def records(ledger_path: Path) -> list[dict[str, Any]]:
    """The records of the second sink."""
    return [json.loads(line)["record"] for line in ledger_path.read_text(encoding="utf-8").splitlines()]


def check(calls: list[CallRecord], ledger_path: Path, *, session: str) -> None:
    """Hold a finished act to its promises: the ledger verifies, nothing is open, no call without its own intent."""
    report = verify(ledger_path.read_text(encoding="utf-8").splitlines())
    assert report.problems == ()
    assert report.open_intents == ()
    intents = [record for record in records(ledger_path) if record["kind"] == "intent"]
    changing = [call for call in calls if not call.dry_run]
    remaining = iter(intents)
    for call in changing:
        assert call.session_name == session
        assert call.source_identity == "slack.U0123"
        wanted = {f"{name}:{call.action}" for name in _SDK_NAMES.get(call.service, (call.service,))}
        # Intents whose process died before it called have no call; every call has an intent of its own, in order.
        assert any(intent["detail"]["operation"] in wanted for intent in remaining), (wanted, intents)


def effects(calls: list[CallRecord]) -> Counter[str]:
    """How often each operation changed something."""
    return Counter(call.action for call in calls if call.applied)
