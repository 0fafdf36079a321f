"""What the operator answers in the dashboard is what `finops policy test` says of the same data."""

from __future__ import annotations

import json
import os
import threading
from decimal import Decimal
from typing import Any, Final

from tests.integration.cli.aws_process import AwsProcess, account, policy
from tests.integration.cli.conftest import Files, Finops
from tests.support.what_ifs import Operator

from finops.crds.aws_account import AwsAccount
from finops.crds.scan_policy import ScanPolicy
from finops.ports.clock import SystemClock
from finops.store.connection import open_store
from finops.store.what_if import Outcome, Question, WhatIfs

OWN: Final = {
    "id": "volume_without_owner",
    "kind": "ebs-volume",
    "when": "!has(tags.owner) && cost.monthly >= 0",
    "message": "Nobody is named as the owner of this volume.",
}
HOT: Final = {
    "id": "instance_hot",
    "kind": "ec2-instance",
    "when": "utilization.memoryPercent.maximum > 1",
    "message": "This instance uses memory.",
}
CHANGES: Final[tuple[dict[str, Any], ...]] = (
    {"customChecks": [OWN]},
    {"checks": [{"id": "ec2_instance_idle", "enabled": False}], "customChecks": [OWN, HOT]},
    {"pricing": {"discountPercent": 10}, "customChecks": [OWN, {**HOT, "id": "every_one", "when": "true"}]},
    {"checks": [{"id": "ebs_volume_unattached", "parameters": {"minimumUnattachedDays": 90}}]},
)


def test_the_answer_is_what_the_command_says_of_the_same_data(
    aws: AwsProcess, finops: Finops, files: Files, valkey_url: str
) -> None:
    live = policy("production", customChecks=[OWN])
    scanned = finops("scan", "-f", files(live, account("production")), "--redis", valkey_url, "-o", "json")
    assert scanned.code == 0, scanned.err
    store = open_store(valkey_url, prefix=os.environ["FINOPS_REDIS_PREFIX"])
    granted = AwsAccount.from_object(account("production"))
    operator = Operator(store, [ScanPolicy.from_object(live)], SystemClock(), granted=[granted])
    different = set()
    for number, changed in enumerate(CHANGES):
        tried = policy("production", **changed)
        path = files(tried, account("production"))
        said = finops("policy", "test", "-f", path, "--redis", valkey_url, "-o", "json", "--only-changes")
        assert said.code == 0, said.err
        printed = json.loads(said.out)

        outcome = answered(operator, tried, number)

        assert outcome.left_out == 0
        assert [shown(one) for one in printed] == [
            (
                one.change,
                one.check,
                one.resource,
                None if one.before is None else one.before.saving,
                next((side.saving for side in (one.now, one.before) if side is not None), None),
            )
            for one in outcome.lines
        ]
        different |= {one["change"] for one in printed}
        notes = [f"{check}: insufficient data about" for check in outcome.undecided]
        assert all(one in said.err for one in notes)
        assert (HOT["id"] in outcome.undecided) == (HOT in changed.get("customChecks", ()))
    assert different == {"New", "Gone", "Changed"}
    store.client.close()


def answered(operator: Operator, tried: dict[str, Any], number: int) -> Outcome:
    """Ask about the spec of a policy and return what the operator answers."""
    metadata = tried["metadata"]
    one = Question(
        f"{number:032x}",
        metadata.get("namespace", "default"),
        metadata["name"],
        "alice",
        SystemClock().now(),
        tried["spec"],
    )
    WhatIfs(operator.store).ask(one)
    operator.loop().turn(threading.Event())
    found = WhatIfs(operator.store).of(one.id)
    assert found is not None
    assert found.outcome is not None, found
    return found.outcome


def shown(one: dict[str, Any]) -> tuple[str, str, str, Decimal | None, Decimal | None]:
    """Return what a line of the command says."""
    before, saving = one["monthlySavingsBefore"], one["monthlySavings"]
    money = [None if amount is None else Decimal(amount) for amount in (before, saving)]
    return one["change"], one["check"], one["resource"]["id"], money[0], money[1]
