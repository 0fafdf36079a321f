"""The audit page: the ledger's verdict with signatures, each request as a story in words, records of one's own only."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.support.fake_clock import FakeClock
from tests.support.ledger_keys import KEYS, PUBLIC_KEYS
from tests.support.web_estate import NOW, Site, StoredScan, priced, resource

from finops.audit_verify import verify_proof
from finops.domain.audit import GENESIS_HASH, Entry, Record, RecordKind
from finops.domain.canonical import Json
from finops.ledger.checkpoint import Checkpoint
from finops.ledger.durable import DurableLedger, open_ledger
from finops.ledger.merkle import root_of
from finops.ledger.sentences import sentence_of
from finops.store.connection import Store
from finops.store.known_names import KnownNames
from finops.store.ledger import LedgerStream, unchecked

REQUEST = "team-a/resize-api/u1"
HIDDEN = "team-b/stop-secret/u2"


def entry(kind: RecordKind, result: str, request: str = REQUEST, **changes: Any) -> Entry:
    given: dict[str, Any] = {"actor": "operator", "step": "", "attempt": 0, "detail": {}, **changes}
    name = f"{request}:{kind.value}:{given['step']}:{given['attempt']}:{result}:{given['actor']}"
    return Entry(operation_id=name, kind=kind, request=request, result=result, plan_hash="p" * 64, **given)


def vote(choice: str, person: str, reason: str = "") -> Entry:
    detail: dict[str, Json] = {"choice": choice, "reason": reason, "voter": {"source": "kubernetes"}}
    return entry(RecordKind.VOTED, "counted", actor=person, detail=detail)


STORY: tuple[Entry, ...] = (
    Entry(
        operation_id="propose:team-a/resize-api:abcdefabcdefabcd",
        actor="operator",
        kind=RecordKind.PROPOSED,
        request="team-a/resize-api/",
        result="intent",
        detail={"policy": "all", "action": "ec2_instance_resize", "monthlySavings": "140.16", "resource": "arn:x"},
    ),
    entry(RecordKind.PROPOSED, "created", detail={"specHash": "abcdefabcdefabcd" * 4}),
    entry(RecordKind.POSTED, "posted", actor="slackbot", detail={"channel": "C0FINOPS01"}),
    vote("Approve", "k8s.alice", "quiet for weeks"),
    entry(RecordKind.DECIDED, "Approved", detail={"message": "Approved by k8s.alice (1 of 1)."}),
    entry(RecordKind.OUTCOME, "started", detail={"estimate": {"monthlySavings": "140.16"}}),
    entry(RecordKind.INTENT, "", step="stop", attempt=1, detail={"operation": "ec2:StopInstances"}),
    entry(RecordKind.OUTCOME, "ok", step="stop", attempt=1),
    entry(RecordKind.INTENT, "", step="start", attempt=1, detail={"operation": "ec2:StartInstances"}),
    entry(
        RecordKind.OUTCOME,
        "rejected",
        step="start",
        attempt=1,
        detail={"code": "InsufficientInstanceCapacity", "message": "no capacity"},
    ),
    entry(RecordKind.VERIFIED, "Succeeded", detail={"monthlySavings": "140.16", "reason": "It runs as m5.xlarge."}),
)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW - timedelta(hours=1))


@pytest.fixture
def ledger(store: Store, tmp_path: Path, clock: FakeClock) -> DurableLedger:
    StoredScan(store, ("team-a", "all")).write({"a": (resource("ec2-instance", "i-1"), priced("0.10"))})
    made = open_ledger(store, tmp_path / "ledger.jsonl", keys=KEYS, clock=clock, fence=lambda: 1)
    made.start()
    return made


def write(ledger: DurableLedger, clock: FakeClock, entries: tuple[Entry, ...] = STORY) -> None:
    for one in entries:
        ledger.append(one)
        clock.sleep(60)


def page(site: Site, store: Store, query: str = "") -> str:
    return site.client(store, keys=PUBLIC_KEYS).get(f"/audit{query}", headers=site.bearer()).text


def test_a_story_says_who_asked_who_voted_what_was_called_what_came_back_and_what_it_saves(
    site: Site, store: Store, ledger: DurableLedger, clock: FakeClock
) -> None:
    write(ledger, clock)

    text = " ".join(page(site, store, f"?story={REQUEST}").split())

    for words in (
        "<strong>Policy all</strong> proposed ec2 instance resize",
        "Saves 140.16 USD a month, arn:x",
        "<strong>k8s.alice</strong> approved",
        "Reason: quiet for weeks; with a token of the cluster",
        "Approved by k8s.alice (1 of 1).",
        "Calls StopInstances",
        "AWS accepted: stop",
        "AWS refused: start",
        "InsufficientInstanceCapacity: no capacity",
        "1 person voted (k8s.alice), 2 changing calls, 10 min 0 s",
        "Saves <strong>$140.16</strong> a month",
        "waited for votes 4 min 0 s",
    ):
        assert words in text, words


def checkpoint_of(store: Store, made_at: datetime) -> str:
    """Return a checkpoint of all that the ledger holds, signed as the operator signs it."""
    records = list(LedgerStream(store, unchecked).read())
    root = root_of([bytes.fromhex(one.hash) for one in records]).hex()
    return Checkpoint(len(records), root, records[-1].hash, made_at, 2).signed_by(KEYS).text


def test_a_proof_of_a_story_convinces_a_stranger_who_has_the_public_key_alone(
    site: Site, store: Store, ledger: DurableLedger, clock: FakeClock
) -> None:
    write(ledger, clock)
    client, headers = site.client(store, keys=PUBLIC_KEYS), site.bearer()
    path = f"/audit/proof.json?story={REQUEST}"
    early = client.get(path, headers=headers)
    assert (early.status_code, early.json()["error"]["field"]) == (422, "story")
    LedgerStream(store, unchecked).keep_checkpoint(checkpoint_of(store, clock.now()))
    assert path in page(site, store, f"?story={REQUEST}").replace("%2F", "/")

    found = client.get(path, headers=headers)

    assert found.headers["content-disposition"] == 'attachment; filename="proof-u1.json"'
    report = verify_proof(found.text, keys=PUBLIC_KEYS)
    assert (report.problems, report.signed) == ((), True)
    assert f"records of {REQUEST} stand in the ledger" in report.shows
    forged = verify_proof(found.text.replace("quiet for weeks", "busy for weeks"), keys=PUBLIC_KEYS)
    assert forged.problems


def test_nobody_gets_a_proof_of_what_they_may_not_read_nor_one_of_another_ledger(
    site: Site, store: Store, ledger: DurableLedger, clock: FakeClock
) -> None:
    write(ledger, clock, (*STORY, entry(RecordKind.PROPOSED, "created", HIDDEN)))
    text = checkpoint_of(store, clock.now())
    LedgerStream(store, unchecked).keep_checkpoint(text)
    client, headers = site.client(store, keys=PUBLIC_KEYS), site.bearer()
    for story in (HIDDEN, "u2", "stop-secret", "team-b/stop-secret", ""):
        answer = client.get("/audit/proof.json", params={"story": story}, headers=headers)
        assert answer.status_code == 404, story
        assert "secret" not in answer.text
    assert client.get(f"/audit/proof.json?story={REQUEST}").status_code == 401
    write(ledger, clock, (entry(RecordKind.POSTED, "posted", HIDDEN),))
    longer = json.loads(checkpoint_of(store, clock.now()))
    LedgerStream(store, unchecked).keep_checkpoint(text.replace(json.loads(text)["root"], longer["root"]))
    assert client.get(f"/audit/proof.json?story={REQUEST}", headers=headers).status_code == 409


def test_no_record_reads_as_words_for_programs(
    site: Site, store: Store, ledger: DurableLedger, clock: FakeClock
) -> None:
    write(ledger, clock)

    text = page(site, store)

    assert "Shown in Slack" in text
    for words in ("posted  posted", "posted posted", "1 ok", "compensating", "proposed intent"):
        assert words not in text


def test_every_kind_of_record_has_a_sentence() -> None:
    for kind in RecordKind:
        for attempt in (0, 1):
            found = sentence_of(_record(Entry("o", "operator", kind, step="start", attempt=attempt, result="odd")))
            assert found.whole
            assert found.whole[0].isalpha(), kind


def _record(given: Entry) -> Record:
    return Record(1, GENESIS_HASH, NOW, 1, given)


def test_the_verdict_includes_signatures_where_the_public_key_is_known(
    site: Site, store: Store, ledger: DurableLedger
) -> None:
    ledger.append(entry(RecordKind.FROZEN, "on", request=""))

    with_key = site.client(store, keys=PUBLIC_KEYS).get("/api/audit/verify", headers=site.bearer()).json()["data"]
    without = site.client(store).get("/api/audit/verify", headers=site.bearer()).json()["data"]

    assert (with_key["intact"], with_key["signaturesChecked"], with_key["records"]) == (True, True, 1)
    assert (without["intact"], without["signaturesChecked"]) == (True, False)
    assert "The ledger is intact" in page(site, store)
    bare = site.client(store).get("/audit", headers=site.bearer()).text
    assert "signatures were not checked" in bare
    assert "The ledger is intact" not in bare


def test_a_stored_record_that_was_changed_is_the_verdict_and_no_failure_of_the_page(
    site: Site, store: Store, ledger: DurableLedger
) -> None:
    ledger.append(entry(RecordKind.FROZEN, "on", request=""))
    record = ledger.append(entry(RecordKind.FROZEN, "off", request=""))
    key = store.keys.ledger
    client: Any = store.client
    identifier, fields = client.xrange(key)[-1]
    client.xdel(key, identifier)
    client.xadd(key, {**fields, "signature": "0" * 128}, id=f"{record.sequence + 1}-0")

    text = page(site, store, "?checked=true")

    assert "The ledger is NOT intact" in text
    assert "The records cannot be read" in text


def test_an_empty_ledger_proves_nothing(site: Site, store: Store, ledger: DurableLedger) -> None:
    assert "An empty ledger proves nothing" in page(site, store)
    assert site.client(store).get("/api/audit/verify", headers=site.bearer()).json()["data"]["intact"] is False


@pytest.mark.parametrize("path", ["/audit", f"/audit?story={HIDDEN}", "/audit.json", "/audit.csv", "/api/audit"])
def test_records_of_namespaces_that_a_person_may_not_read_stay_hidden(
    site: Site, store: Store, ledger: DurableLedger, clock: FakeClock, path: str
) -> None:
    write(ledger, clock, (*STORY, entry(RecordKind.DECIDED, "Denied", request=HIDDEN, detail={"message": "hush"})))

    text = site.client(store).get(path, headers=site.bearer()).text

    assert "resize-api" in text
    assert "hush" not in text
    assert "stop-secret" not in text.replace(HIDDEN, "")


def test_records_filter_by_kind_person_and_request(
    site: Site, store: Store, ledger: DurableLedger, clock: FakeClock
) -> None:
    write(ledger, clock)

    by_person = page(site, store, "?person=k8s.alice").partition('id="records"')[2]
    by_kind = page(site, store, "?kind=posted").partition('id="records"')[2]

    assert by_person.count("<tr>") == 2
    assert by_kind.count("<tr>") == 2
    assert "Shown in Slack" in by_kind
    assert "No record fits" in page(site, store, "?find=nothing-of-that-name")


def test_the_api_pages_through_the_records_in_order(
    site: Site, store: Store, ledger: DurableLedger, clock: FakeClock
) -> None:
    write(ledger, clock)
    client, start, seen = site.client(store), "1", []
    while start:
        body = client.get(f"/api/audit?start={start}&limit=4", headers=site.bearer()).json()
        seen += [one["sequence"] for one in body["data"]]
        start = body["meta"]["next"]

    assert seen == list(range(1, len(STORY) + 1))


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'])
def test_hostile_text_in_a_record_stays_text(
    site: Site, store: Store, ledger: DurableLedger, clock: FakeClock, text: str
) -> None:
    write(ledger, clock, (vote("Approve", text, text), entry(RecordKind.POSTED, "posted", detail={"channel": text})))

    found = page(site, store, f"?story={REQUEST}")

    assert "<script>alert" not in found
    assert "<img src=x" not in found


def test_who_voted_in_slack_has_the_known_name_beside_the_id_and_is_still_found_by_the_id(
    site: Site, store: Store, ledger: DurableLedger, clock: FakeClock
) -> None:
    KnownNames(store).put({"U0123": "<b>erin</b>"})
    voted = [replace(one, actor="slack.U0123") if one.actor == "k8s.alice" else one for one in STORY]
    write(ledger, clock, tuple(voted))

    text = " ".join(page(site, store, f"?story={REQUEST}&person=slack.U0123").split())

    assert "<strong>&lt;b&gt;erin&lt;/b&gt; (U0123)</strong> approved" in text
    assert '<option value="slack.U0123" selected>&lt;b&gt;erin&lt;/b&gt; (U0123)</option>' in text
