"""Acts that a dead process left are adopted when they were approved and are still granted; others never, or later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from tests.support.resize_world import RESOURCE

from finops.crds.aws_account import AwsAccount
from finops.crds.part import API_VERSION
from finops.domain.audit import GENESIS_HASH, Entry, Record, RecordKind
from finops.domain.plan import Plan, PlanStep
from finops.errors import InvalidInput
from finops.k8s.kinds import KindApi
from finops.ports.act import ActRequest
from finops_operator.acts import recovery
from finops_operator.acts.journal import InFlight
from finops_operator.acts.recovery import Recovery
from finops_operator.decisions.pauses import Pauses, Scope

PLAN = Plan("ec2_instance_stop", RESOURCE, {}, (PlanStep("stop", "ec2:StopInstances", {"InstanceIds": ["i-1"]}),), {})
LEFT = InFlight("u1", "team-a", "stop-it", "p", "production", PLAN, PLAN.hash, ("k8s.alice",), False, {})


NOW = datetime(2026, 3, 1, tzinfo=UTC)


class Accounts:
    """The AwsAccounts there are."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}
        self.unreadable = ""
        self.granted = ["ec2_instance_stop"]

    def get(self, namespace: str, name: str) -> AwsAccount | None:
        assert namespace == ""
        if name == self.unreadable:
            raise InvalidInput("it has a field of a newer schema", source=f"AwsAccount/{name}")
        return _account(name, self.known[name], self.granted) if name in self.known else None


def _account(name: str, account_id: str, granted: list[str]) -> AwsAccount:
    role = f"arn:aws:iam::{account_id}:role/finops-executor"
    spec: Mapping[str, Any] = {
        "accountId": account_id,
        "executorRoleArn": role,
        "allow": [{"namespaces": ["team-a"], "actions": granted}],
    }
    return AwsAccount.from_object(
        {"apiVersion": API_VERSION, "kind": "AwsAccount", "metadata": {"name": name}, "spec": dict(spec)}
    )


@pytest.fixture
def accounts() -> Accounts:
    return Accounts()


@pytest.fixture
def adopted() -> list[ActRequest]:
    return []


class Ledger:
    """The records of one request."""

    def __init__(self) -> None:
        self.records = _records(_PROPOSED, _APPROVED, _STARTED)
        self.appended: list[Entry] = []

    def append(self, entry: Entry) -> Record:
        self.appended.append(entry)
        return Record(100 + len(self.appended), GENESIS_HASH, NOW, 1, entry)

    def find(self, operation_id: str) -> Record | None:
        number = next((at for at, one in enumerate(self.appended) if one.operation_id == operation_id), None)
        return None if number is None else Record(101 + number, GENESIS_HASH, NOW, 1, self.appended[number])

    def of_request(self, uid: str) -> tuple[Record, ...]:
        assert uid == LEFT.uid
        return self.records


def _entry(kind: RecordKind, result: str, plan_hash: str = PLAN.hash) -> Entry:
    return Entry(f"u1:{kind}:{result}", "operator", kind, "team-a/stop-it/u1", plan_hash=plan_hash, result=result)


_PROPOSED = _entry(RecordKind.PROPOSED, "created")
_APPROVED = _entry(RecordKind.DECIDED, "Approved")
_STARTED = _entry(RecordKind.OUTCOME, "started")


def _records(*entries: Entry) -> tuple[Record, ...]:
    return tuple(Record(number, GENESIS_HASH, NOW, 1, entry) for number, entry in enumerate(entries, start=1))


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def alarms() -> list[str]:
    return []


@pytest.fixture
def taking(
    ledger: Ledger,
    accounts: Accounts,
    adopted: list[ActRequest],
    alarms: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Recovery:
    monkeypatch.setattr(recovery, "in_flight", lambda _ledger, _seen: (LEFT,))
    return Recovery(cast("Any", ledger), cast("KindApi[AwsAccount]", accounts), adopted.extend, alarms.append)


@pytest.mark.parametrize(
    "records",
    [
        _records(_STARTED),
        _records(_PROPOSED, _STARTED),
        _records(_APPROVED, _STARTED),
        _records(_APPROVED, _PROPOSED, _STARTED),
        _records(_PROPOSED, _STARTED, _APPROVED),
        _records(_PROPOSED, _entry(RecordKind.DECIDED, "Denied"), _STARTED),
        _records(_PROPOSED, _entry(RecordKind.DECIDED, "Approved", "f" * 64), _STARTED),
    ],
)
def test_an_act_that_the_ledger_does_not_show_proposed_approved_and_started_is_never_adopted(
    taking: Recovery,
    ledger: Ledger,
    accounts: Accounts,
    adopted: list[ActRequest],
    alarms: list[str],
    records: tuple[Record, ...],
) -> None:
    """Adopted only on the whole chain of that plan."""
    accounts.known["production"] = RESOURCE.account
    ledger.records = records

    taking.from_ledger()
    taking.again()

    assert adopted == []
    assert len(alarms) == 1
    assert "nobody approved" in alarms[0]


def test_an_act_whose_grant_was_withdrawn_is_adopted_to_be_led_back(
    taking: Recovery, accounts: Accounts, adopted: list[ActRequest], alarms: list[str]
) -> None:
    """The grants are those of now."""
    accounts.known["production"], accounts.granted = RESOURCE.account, ["ebs_volume_modify"]

    taking.from_ledger()
    taking.again()

    why = "AwsAccount production no longer grants ec2_instance_stop to namespace team-a."
    assert [(one.uid, one.only_back) for one in adopted] == [("u1", why)]
    assert alarms == []


def test_an_act_that_is_still_granted_goes_on(taking: Recovery, accounts: Accounts, adopted: list[ActRequest]) -> None:
    accounts.known["production"] = RESOURCE.account

    taking.from_ledger()

    assert [one.only_back for one in adopted] == [""]


def test_an_act_that_began_before_records_were_lost_is_adopted_to_be_led_back(
    ledger: Ledger, accounts: Accounts, adopted: list[ActRequest], alarms: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts.known["production"] = RESOURCE.account
    monkeypatch.setattr(recovery, "in_flight", lambda _ledger, _seen: (replace(LEFT, records_lost=True),))

    Recovery(cast("Any", ledger), cast("KindApi[AwsAccount]", accounts), adopted.extend, alarms.append).from_ledger()

    (one,) = adopted
    assert (
        one.only_back == one.abandoned == "Records of the ledger were lost after the act began, so it does not go on."
    )
    assert alarms == []


@pytest.mark.parametrize("known", [{}, {"production": "999999999999"}])
def test_a_person_is_called_once_for_an_act_that_no_account_leads_on(
    taking: Recovery, ledger: Ledger, accounts: Accounts, known: dict[str, str]
) -> None:
    """Bullet "The holes", the recovery that waited for ever: the ledger says for whom it waits."""
    accounts.known.update(known)

    taking.from_ledger()
    taking.again()
    taking.again()

    called = [one for one in ledger.appended if one.kind is RecordKind.OUTCOME]
    calls = [(one.step, one.result, str(one.detail["reason"])) for one in called]
    assert [call[:2] for call in calls] == [("account", "NeedsHuman")]
    assert f"create it again for account {RESOURCE.account}" in calls[0][2]
    assert taking.stuck() == {"team-a/stop-it": calls[0][2]}

    accounts.known["production"] = RESOURCE.account
    taking.again()
    assert taking.stuck() == {}


def test_an_act_that_no_account_leads_on_pauses_its_kind_before_a_person_is_called(
    taking: Recovery, ledger: Ledger
) -> None:
    taking.from_ledger()
    taking.again()
    assert [one.kind for one in ledger.appended] == [RecordKind.PAUSED, RecordKind.OUTCOME]
    (pause,) = Pauses(cast("Any", ledger)).in_force(Scope("team-a", "p", "ec2_instance_stop"))
    assert pause.why.startswith("stop-it needs a person: The act has begun, and AwsAccount production is gone")


def test_a_dry_run_that_no_account_leads_on_pauses_nothing(
    ledger: Ledger, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "in_flight", lambda _ledger, _seen: (replace(LEFT, dry_run=True),))
    Recovery(cast("Any", ledger), cast("KindApi[AwsAccount]", accounts), lambda _: None, lambda _: None).from_ledger()
    assert [one.kind for one in ledger.appended] == [RecordKind.OUTCOME]


def test_an_act_without_its_account_waits_and_is_adopted_once_when_it_is_back(
    taking: Recovery, accounts: Accounts, adopted: list[ActRequest]
) -> None:
    taking.from_ledger()
    taking.again()
    assert adopted == []

    accounts.known["production"] = RESOURCE.account
    taking.again()
    taking.again()
    assert [(one.uid, one.plan_hash, one.deciders) for one in adopted] == [("u1", PLAN.hash, ("k8s.alice",))]


def test_an_account_of_the_same_name_with_another_number_is_not_the_one_that_was_approved(
    taking: Recovery, accounts: Accounts, adopted: list[ActRequest]
) -> None:
    accounts.known["production"] = "999999999999"
    taking.from_ledger()
    assert adopted == []

    accounts.known["production"] = RESOURCE.account
    taking.again()
    assert len(adopted) == 1


def test_an_account_that_cannot_be_read_stops_its_own_act_alone(
    taking: Recovery, ledger: Ledger, accounts: Accounts, adopted: list[ActRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as one of a newer schema: the others are adopted, and a person is called for this one."""
    other = replace(LEFT, uid="u2", name="other", account="newer")
    ledger.of_request = lambda uid: ledger.records  # type: ignore[method-assign]
    monkeypatch.setattr(recovery, "in_flight", lambda _ledger, _seen: (other, LEFT))
    accounts.known["production"] = RESOURCE.account
    accounts.unreadable = "newer"

    taking.from_ledger()
    taking.again()

    assert [one.uid for one in adopted] == ["u1"]
    called = [one for one in ledger.appended if one.kind is RecordKind.OUTCOME]
    assert [one.request for one in called] == ["team-a/other/u2"]
    why = "The act has begun, and its AwsAccount cannot be read: AwsAccount/newer: it has a field of a newer schema"
    assert taking.stuck() == {"team-a/other": why}

    accounts.unreadable, accounts.known["newer"] = "", RESOURCE.account
    taking.again()
    assert [one.uid for one in adopted] == ["u1", "u2"]
    assert taking.stuck() == {}
