"""Housekeeping, the chronicle in the ledger, and what the loop costs while nothing happens; parts joined in-process."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.support.operator_parts import NAMESPACE, Parts
from tests.support.scan_samples import policy

from finops.crds.action_request import ActionRequest
from finops.crds.approval import Approval, ApprovalSpec
from finops.crds.expected import annotation_of
from finops.crds.metadata import Metadata
from finops.crds.scan_policy import ScanPolicy
from finops.domain.analytics.expected import Expected, Way
from finops.domain.audit import Entry, RecordKind
from finops.domain.canonical import sha256_hex
from finops.domain.decision import State
from finops.errors import Conflict
from finops.store.connection import Store
from finops.store.slack_messages import MessageRef
from finops_operator.cluster.freeze import LONGEST_REASON, Freeze
from finops_operator.cluster.objects import Gone
from finops_operator.upkeep.audit_notes import terms_of


def commands(store: Store) -> int:
    stats: Any = store.client.info("commandstats")
    return sum(int(one["calls"]) for name, one in stats.items() if not name.startswith("cmdstat_info"))


def test_fifty_open_requests_with_votes_cost_nothing_while_nothing_happens(parts: Parts) -> None:
    for number in range(50):
        parts.vote(parts.propose(number, approval={"required": 2, "approvers": [{"kubernetesGroup": "sre"}]}))
    for one in parts.cache.requests.all():
        parts.decider.advance(one)
    before, asked = commands(parts.store), len(parts.double.audit())

    for _ in range(10):
        for one in parts.cache.requests.all():
            parts.decider.advance(one)

    assert commands(parts.store) - before == 0
    # The mapping of identities, once in two seconds at most.
    assert len(parts.double.audit()) - asked <= 1


def test_an_old_picture_of_a_request_never_puts_it_back_to_its_beginning(parts: Parts) -> None:
    made = parts.propose(1)
    old = made.model_copy(update={"status": made.status.model_copy(update={"state": None})})
    parts.vote(made)
    assert parts.decider.advance(made).status.state is State.APPROVED
    parts.cache.requests.drop((NAMESPACE, made.metadata.name), made.metadata.uid)

    with pytest.raises(Conflict, match="taken in already"):
        parts.decider.advance(old)

    assert parts.requests.fresh(made).status.state is State.APPROVED


def test_a_request_that_another_thread_took_in_is_read_without_a_refused_write(parts: Parts) -> None:
    made = parts.propose(1)
    old = made.model_copy(update={"status": made.status.model_copy(update={"state": None})})
    before = len(parts.double.audit())

    seen = parts.decider.advance(old)

    assert seen.status.state is State.PENDING
    assert [one for one in parts.double.audit()[before:] if one["verb"] not in {"get", "list"}] == []


def test_votes_of_one_second_are_judged_so_that_the_withdrawal_wins(parts: Parts) -> None:
    made = parts.propose(1)
    parts.vote(made)
    parts.vote(made, decision="Withdraw", reason="slip")

    look = parts.decider.advance(made)

    assert look.status.state is State.PENDING
    told = [record.entry.detail["choice"] for record in parts.ledger.read() if record.entry.kind is RecordKind.VOTED]
    assert told == ["Approve", "Withdraw"]


def test_a_ledger_that_forked_freezes_everybody_once(parts: Parts) -> None:
    freeze = Freeze(parts.maps, "r-freeze")
    before = len(parts.double.audit())
    for _ in range(3):
        freeze.freeze("the sinks differ")

    assert freeze.reason() == "the sinks differ"
    assert parts.maps.read("r-freeze") == {"frozen": "true", "reason": "the sinks differ"}
    assert len(parts.double.audit()) - before == 2
    assert Freeze(parts.maps, "missing").reason() == "ConfigMap missing does not exist"
    unwritable = Freeze(parts.maps, "missing")
    unwritable.freeze("the sinks differ")
    assert unwritable.reason() == "the sinks differ"


def test_a_month_after_its_end_a_request_is_removed_and_its_story_stays(parts: Parts) -> None:
    ended, waiting = parts.propose(1, State.DENIED), parts.propose(2)
    parts.clock.sleep(timedelta(days=20).total_seconds())
    late = Entry(
        "later", "operator", RecordKind.DECIDED, request=f"{NAMESPACE}/x/{ended.metadata.uid}", result="Denied"
    )
    parts.ledger.append(late)
    parts.clock.sleep(timedelta(days=29).total_seconds())
    parts.housekeeping.run_duties()
    assert parts.requests.api.get(NAMESPACE, ended.metadata.name) is not None

    parts.clock.sleep(timedelta(days=1, seconds=1).total_seconds())
    parts.writable = False
    parts.housekeeping.run_duties()
    assert parts.requests.api.get(NAMESPACE, ended.metadata.name) is not None
    parts.writable = True
    parts.housekeeping.run_duties()

    assert parts.requests.api.get(NAMESPACE, ended.metadata.name) is None
    assert parts.requests.api.get(NAMESPACE, waiting.metadata.name) is not None
    assert parts.cache.requests.get(NAMESPACE, ended.metadata.name) is None
    assert parts.ledger.of_request(ended.metadata.uid or "")


def test_an_object_that_took_the_name_of_an_old_one_is_not_removed(parts: Parts) -> None:
    ended = parts.propose(1, State.DENIED)
    stranger = ended.model_copy(update={"metadata": ended.metadata.model_copy(update={"uid": "older"})})

    with pytest.raises(Gone):
        parts.requests.delete(stranger)

    assert parts.requests.api.get(NAMESPACE, ended.metadata.name) is not None


def test_a_posted_card_is_noted_once_also_by_the_next_process(parts: Parts) -> None:
    notify = {"slack": {"channel": "C0123456789", "minimumMonthlySavings": 1}}
    posted, silent = parts.propose(1, notify=notify), parts.propose(2)
    parts.housekeeping.run_duties()
    assert ("posted", "posted") not in parts.kinds_of_records()

    parts.slack_messages.shown(posted.metadata.uid or "", MessageRef("C0123456789", "1700.5", "h", 0))
    parts.slack_messages.shown(silent.metadata.uid or "", MessageRef("C0123456789", "1700.6", "h", 0))
    for _ in range(3):
        parts.housekeeping.run_duties()
    parts.audit_notes.start_again()
    parts.housekeeping.run_duties()

    (noted,) = [record for record in parts.ledger.read() if record.entry.kind is RecordKind.POSTED]
    assert noted.entry.request.endswith(posted.metadata.uid or "?")
    assert noted.entry.detail == {"channel": "C0123456789", "message": "1700.5"}


@pytest.mark.parametrize("ended", [State.DENIED, State.SUCCEEDED, State.EXPIRED])
def test_a_card_of_a_request_that_ended_before_the_next_pass_is_noted_too(parts: Parts, ended: State) -> None:
    posted = parts.propose(1, ended, notify={"slack": {"channel": "C0123456789", "minimumMonthlySavings": 1}})
    for _ in range(3):
        parts.housekeeping.run_duties()
    parts.slack_messages.shown(posted.metadata.uid or "", MessageRef("C0123456789", "1700.5", "h", 0))

    for _ in range(3):
        parts.housekeeping.run_duties()

    (noted,) = [record for record in parts.ledger.read() if record.entry.kind is RecordKind.POSTED]
    assert noted.entry.detail == {"channel": "C0123456789", "message": "1700.5"}


@pytest.mark.parametrize(("channel", "stamp"), [("C0123456789", "1" * 3_000_000), ("C" * 40, "1700.5"), ("c1", "x")])
def test_what_is_no_card_of_slack_does_not_get_into_the_ledger(parts: Parts, channel: str, stamp: str) -> None:
    """The bot may write the note of a card; whoever has stolen it must not fill the ledger's disk by it."""
    made = parts.propose(1, notify={"slack": {"channel": "C0123456789", "minimumMonthlySavings": 1}})
    parts.slack_messages.shown(made.metadata.uid or "", MessageRef(channel, stamp, "h", 0))

    parts.audit_notes.note((), [made], "")

    assert RecordKind.POSTED not in {record.entry.kind for record in parts.ledger.read()}


def test_a_note_that_the_bot_cannot_have_written_keeps_no_other_card_from_being_noted(parts: Parts) -> None:
    """Bullet "Growth", bounds on every string: whoever has stolen the bot must not stop the ledger's notes."""
    notify = {"slack": {"channel": "C0123456789", "minimumMonthlySavings": 1}}
    forged, posted = parts.propose(1, notify=notify), parts.propose(2, notify=notify)
    for number, made in enumerate((forged, posted)):
        parts.slack_messages.shown(made.metadata.uid or "", MessageRef("C0123456789", f"1700.{number}", "h", 0))
    key = parts.store.keys.slack("message", forged.metadata.uid or "")
    parts.store.client.hset(key, "posting", "9" * 5000)

    parts.audit_notes.note((), [forged, posted], "")

    noted = [record.entry.request for record in parts.ledger.read() if record.entry.kind is RecordKind.POSTED]
    assert [one.rpartition("/")[2] for one in noted] == [forged.metadata.uid, posted.metadata.uid]


def test_however_long_a_freezes_reason_is_its_record_stays_small(parts: Parts) -> None:
    """Bullet "Growth", bounds on every string: a ConfigMap holds a megabyte."""
    parts.maps.write("r-freeze", {"frozen": "true", "reason": "ä" * 300_000})
    freeze = Freeze(parts.maps, "r-freeze")

    parts.audit_notes.note((), (), freeze.reason())

    (record,) = [one for one in parts.ledger.read() if one.entry.kind is RecordKind.FROZEN]
    assert record.entry.detail["reason"] == "ä" * LONGEST_REASON
    parts.maps.write("r-freeze", {"frozen": "false"})
    local = Freeze(parts.maps, "missing")
    local.freeze("x" * 5000)
    assert len(local.reason()) == LONGEST_REASON


def test_terms_too_long_for_a_record_are_noted_by_their_hash(parts: Parts) -> None:
    values = [f"{number:03}{'x' * 250}" for number in range(50)]
    made = parts.policies.create(policy(actions={"protectTags": {f"key-{number}": values for number in range(30)}}))

    parts.audit_notes.note([made], (), "")

    (record,) = [one for one in parts.ledger.read() if one.entry.kind is RecordKind.POLICY_CHANGED]
    assert record.entry.detail["hash"] == sha256_hex(terms_of(made))
    assert "actions" not in record.entry.detail


def test_what_somebody_expects_of_the_cost_is_noted_when_it_is_said_and_when_it_ends(parts: Parts) -> None:
    made = parts.policies.create(policy())
    at = datetime(2026, 3, 1, tzinfo=UTC)
    said = Expected(
        "111122223333", "us-east-1", "rds-instance", Way.MORE, "import", date(2026, 4, 1), "alice", at, Decimal(200)
    )
    key, text = annotation_of(said)

    seen = [made]
    # With kubectl the same text is said again after it was taken away.
    for value in (text, None, text, None):
        seen.append(parts.policies.api.annotate(made.metadata.namespace or "", made.metadata.name, {key: value}))
    for one in seen:
        parts.audit_notes.note([one], (), "")
        parts.audit_notes.start_again()

    records = [one.entry for one in parts.ledger.read() if one.entry.kind is RecordKind.POLICY_CHANGED]
    assert [one.result for one in records] == ["seen", "changed", "changed", "changed", "changed"]
    words = [said.to_json()]
    assert [one.detail.get("expected") for one in records] == [None, words, None, words, None]


def test_a_request_that_ended_without_a_card_is_asked_about_ever_more_seldom(parts: Parts) -> None:
    parts.propose(1, State.DENIED, notify={"slack": {"channel": "C0123456789", "minimumMonthlySavings": 1}})
    asked: list[str] = []

    def nothing_posted(uids: Iterable[str]) -> dict[str, tuple[str, str]]:
        asked.extend(uids)
        return {}

    parts.audit_notes.posted = nothing_posted

    for _ in range(600):
        parts.audit_notes.note((), parts.cache.requests.all(), "")

    assert 60 <= len(asked) <= 70


def test_each_turn_of_the_freeze_switch_is_noted_once(parts: Parts) -> None:
    def turn(frozen: str, reason: str = "") -> None:
        parts.maps.write("r-freeze", {"frozen": frozen, "reason": reason})
        parts.housekeeping.run_duties()
        parts.housekeeping.run_duties()
        parts.audit_notes.start_again()
        parts.housekeeping.run_duties()

    for frozen, reason in (("", ""), ("true", "audit"), ("false", ""), ("true", "audit")):
        turn(frozen, reason)

    told = [result for kind, result in parts.kinds_of_records() if kind == "frozen"]
    assert told == ["on", "off", "on"]


def test_only_a_change_of_terms_is_noted_and_every_turn_of_it(parts: Parts) -> None:
    made = parts.policies.create(policy(name="terms"))

    def changed(generation: int, **spec: Any) -> None:
        found = policy(name="terms", generation=generation, **spec)
        metadata = replaced(found, made)
        parts.cache.policies.put(found.model_copy(update={"metadata": metadata}))
        parts.housekeeping.run_duties()
        parts.audit_notes.start_again()
        parts.housekeeping.run_duties()

    changed(1)
    changed(2, schedule="1 2 3 4 *")
    changed(3, approval={"approvers": [{"kubernetesUser": "bob"}]})
    changed(4)

    told = [record for record in parts.ledger.read() if record.entry.kind is RecordKind.POLICY_CHANGED]
    assert [record.entry.detail["generation"] for record in told] == [1, 3, 4]
    assert [record.entry.result for record in told] == ["seen", "changed", "changed"]


def replaced(found: ScanPolicy, made: ScanPolicy) -> Any:
    versions = {
        "uid": made.metadata.uid,
        "resource_version": str(int(made.metadata.resource_version or 0) + (found.metadata.generation or 0)),
    }
    return found.metadata.model_copy(update=versions)


def test_the_bot_is_given_every_group_that_a_policy_or_an_open_request_names(parts: Parts) -> None:
    parts.policies.create(policy(name="a", approval={"approvers": [{"slackUserGroup": "S0AAAAAAA"}]}))
    parts.propose(1, approval={"approvers": [{"slackUserGroup": "S0BBBBBBB"}]})
    parts.propose(2, State.DENIED, approval={"approvers": [{"slackUserGroup": "S0CCCCCCC"}]})

    parts.housekeeping.run_duties()

    assert parts.groups.wanted() == {"S0AAAAAAA", "S0BBBBBBB"}


def test_a_quiet_kind_is_touched_so_that_its_watch_must_answer(parts: Parts) -> None:
    one = parts.propose(1)
    key = (NAMESPACE, one.metadata.name)
    parts.canary.saw("ActionRequest", key, one.metadata.resource_version or "")
    parts.housekeeping.run_duties()
    assert not (parts.requests.fresh(one).metadata.annotations)
    parts.clock.sleep(61)

    parts.housekeeping.run_duties()

    assert "finops.dev/canary" in parts.requests.fresh(one).metadata.annotations
    parts.clock.sleep(200)
    assert "ActionRequest" in parts.canary.problem(150)


def test_a_status_is_written_on_the_newest_object_and_a_deleted_one_is_gone(parts: Parts) -> None:
    one = parts.propose(1)
    parts.requests.api.annotate(NAMESPACE, one.metadata.name, {"a": "1"})

    written = parts.requests.write_status(one, lambda now: {**now.status.to_dict(), "fence": 9})
    assert (written.status.fence, written.metadata.annotations) == (9, {"a": "1"})

    parts.requests.api.delete(NAMESPACE, one.metadata.name)
    with pytest.raises(Gone):
        parts.requests.write_status(written, lambda now: now.status.to_dict())
    assert parts.cache.requests.get(NAMESPACE, one.metadata.name) is None


def owners(parts: Parts, name: str) -> list[tuple[str, str, str]]:
    found = parts.approvals.api.get(NAMESPACE, name)
    assert found is not None
    return [(one.kind, one.name, one.uid) for one in found.metadata.owner_references]


def plain_vote(parts: Parts, on: ActionRequest, name: str) -> str:
    """Vote as `kubectl create` does with a manifest that names no owner."""
    spec: Any = {
        "request": {"name": on.metadata.name, "uid": on.metadata.uid},
        "planHash": on.spec.plan_hash,
        "decision": "Approve",
        "approver": {"source": "kubernetes", "username": "alice"},
    }
    vote = Approval(metadata=Metadata(name=name, namespace=NAMESPACE), spec=ApprovalSpec.model_validate(spec))
    return parts.approvals.create(vote).metadata.name


def test_a_vote_by_plain_kubectl_goes_along_with_its_request(parts: Parts) -> None:
    """Bullet "Approvals by plain kubectl that nobody removes"."""
    made = parts.propose(1)
    name = plain_vote(parts, made, "by-hand")
    parts.housekeeping.run_duties()
    assert owners(parts, name) == []

    parts.decider.advance(made)
    parts.housekeeping.run_duties()

    assert owners(parts, name) == [("ActionRequest", made.metadata.name, made.metadata.uid)]


def test_a_vote_on_nothing_that_got_no_answer_for_a_day_is_left_to_the_garbage_collector(parts: Parts) -> None:
    """Bullet "Approvals by plain kubectl that nobody removes": its owner does not exist."""
    made = parts.propose(1)
    gone = made.model_copy(update={"metadata": made.metadata.model_copy(update={"name": "gone", "uid": "gone-uid"})})
    name = plain_vote(parts, gone, "on-nothing")
    parts.clock.at = datetime.now(UTC) + timedelta(hours=23)
    parts.housekeeping.run_duties()
    assert owners(parts, name) == []

    parts.clock.sleep(2 * 3600)
    parts.housekeeping.run_duties()

    assert owners(parts, name) == [("ActionRequest", "gone", "gone-uid")]


def test_a_vote_that_has_an_owner_keeps_it(parts: Parts) -> None:
    made = parts.propose(1)
    name = parts.vote(made).metadata.name
    before = parts.approvals.api.get(NAMESPACE, name)
    parts.decider.advance(made)
    parts.housekeeping.run_duties()

    after = parts.approvals.api.get(NAMESPACE, name)
    assert before is not None
    assert after is not None
    assert before.metadata.owner_references == after.metadata.owner_references
