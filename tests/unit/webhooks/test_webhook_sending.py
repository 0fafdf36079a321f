"""Events reach an endpoint signed, at least once and under one id, and one that is down costs the others nothing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.support.fake_clock import FakeClock
from tests.support.ledger_keys import KEYS, PRIVATE_KEY
from tests.support.web_estate import NOW

from finops.domain.audit import Entry, RecordKind, record_from_json
from finops.domain.canonical import canonical_json
from finops.domain.notice import Notice
from finops.errors import Refused
from finops.ledger.durable import DurableLedger, open_ledger
from finops.ledger.signing import Keyring, new_private_key, public_key_of
from finops.store.connection import Store
from finops.store.keys import AnnouncementKeys
from finops.store.notices import StoredNotices, notice_to_text
from finops.store.webhooks import WebhookQueue, forget_all_but, shown
from finops_operator.telemetry import Telemetry
from finops_operator.webhooks.delivery import Delivery, signature
from finops_operator.webhooks.endpoints import Endpoint
from finops_operator.webhooks.records import LedgerRecords
from finops_operator.webhooks.seals import is_our_notice, notice_seal, opened, seal
from finops_operator.webhooks.sending import KEPT_SECONDS, Webhooks

KEY = b"a key of the tests that is long enough"
NAME = "hooks"
ALERT = Notice("budget:1", "budget.alert", "team-a", "Budget/all", NOW, "80 %.", {"percent": 80})


@dataclass
class Receiver:
    """An endpoint of this machine: what it got, and how it answers."""

    url: str = ""
    status: int = 204
    location: str = ""
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(made.status)
            if made.location:
                self.send_header("Location", made.location)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}/in?from=finops"
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Desk:
    """A store with a ledger, and senders as processes that start anew have them."""

    store: Store
    ledger: DurableLedger
    receiver: Receiver
    secrets: Path
    clock: FakeClock

    def sender(self, delivery: Delivery | None = None, *more: Endpoint) -> Webhooks:
        return Webhooks(
            [*more, self.endpoint],
            LedgerRecords(self.store, KEYS),
            delivery or Delivery(allow_internal=True),
            "/finops.dev/finops-system/finops-operator",
            str(self.secrets),
            self.clock,
            Telemetry(),
            lambda: True,
            chance=lambda: 1.0,
        )

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(NAME, self.receiver.url)

    @property
    def notices(self) -> StoredNotices:
        """As the operator announces: signed."""
        return StoredNotices(self.store, seal=partial(notice_seal, KEYS))

    @property
    def queue(self) -> WebhookQueue:
        return WebhookQueue(self.store, NAME)

    def record(self, kind: RecordKind, result: str, operation: str) -> None:
        entry = Entry(operation, "operator", kind, request="team-a/stop-web/u1", result=result)
        self.ledger.append(entry)

    def decide(self) -> None:
        """A request is made, voted on, decided and carried out: three of the records are events."""
        self.record(RecordKind.PROPOSED, "created", "proposed:u1")
        self.record(RecordKind.VOTED, "counted", "voted:u1")
        self.record(RecordKind.DECIDED, "Approved", "decided:u1")
        self.record(RecordKind.VERIFIED, "Succeeded", "verified:u1")


@pytest.fixture
def desk(store: Store, receiver: Receiver, tmp_path: Path) -> Desk:
    clock = FakeClock(NOW)
    ledger = open_ledger(store, tmp_path / "ledger.jsonl", keys=KEYS, clock=clock, fence=lambda: 1)
    ledger.start()
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / NAME).write_text(f"whsec_{base64.b64encode(KEY).decode()}\n")
    return Desk(store, ledger, receiver, secrets, clock)


def test_the_signature_is_that_of_the_standards_own_example() -> None:
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

    made = signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')

    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_recommendation_decision_outcome_and_notices_arrive_once_in_order_and_signed(desk: Desk) -> None:
    desk.record(RecordKind.PROPOSED, "created", "before the endpoint was listed")
    desk.sender().serve(desk.endpoint)
    desk.decide()
    desk.notices.announce(ALERT)

    desk.sender().serve(desk.endpoint)
    desk.sender().serve(desk.endpoint)

    (alert,) = [one for one in desk.receiver.events if one["type"] == "dev.finops.budget.alert"]
    assert (alert["id"], alert["subject"], alert["data"]["percent"]) == ("budget:1", "Budget/all", 80)
    assert [one["type"] for one in desk.receiver.events if one != alert] == [
        "dev.finops.recommendation.proposed",
        "dev.finops.decision.approved",
        "dev.finops.outcome.succeeded",
    ]
    for headers, body in desk.receiver.got:
        event = json.loads(body)
        assert headers["content-type"].startswith("application/cloudevents+json")
        assert (event["specversion"], headers["webhook-id"]) == ("1.0", event["id"])
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        made = base64.b64encode(hmac.digest(KEY, signed, hashlib.sha256)).decode()
        assert headers["webhook-signature"] == f"v1,{made}"
    assert shown(desk.store)[NAME]["waiting"] == 0


def test_an_endpoint_that_never_answers_holds_up_no_other(desk: Desk) -> None:
    stop, delivery = threading.Event(), Delivery(allow_internal=True, seconds=6.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        (desk.secrets / "slow").write_text((desk.secrets / NAME).read_text())
        slow = Endpoint("slow", f"http://127.0.0.1:{silent.getsockname()[1]}/")
        for endpoint in (slow, desk.endpoint):
            desk.sender().serve(endpoint)
        desk.decide()
        loop = threading.Thread(target=desk.sender(delivery, slow).run, args=(stop, 0.05))
        loop.start()
        try:
            until = time.monotonic() + 5
            while len(desk.receiver.got) < 3 and time.monotonic() < until:
                time.sleep(0.02)
            assert len(desk.receiver.got) == 3
            silent.settimeout(1)
            silent.accept()[0].close()
        finally:
            stop.set()
            loop.join(10)
    assert not loop.is_alive()


def _forge(desk: Desk, *, signed: bool) -> None:
    """Write as record 5 of the stream what no operator decided: unsigned, or an own record without what was before."""
    client: Any = desk.store.client
    (_, fields) = client.xrange(desk.store.keys.ledger, "4-0", "4-0")[0]
    document = {**json.loads(fields["record"]), "sequence": 5}
    made = record_from_json(document, fields["signature"])
    made = KEYS.sign(made) if signed else made
    text = canonical_json(made.to_json()).decode()
    client.xadd(desk.store.keys.ledger, {"hash": made.hash, "record": text, "signature": made.signature}, "5-0")


@pytest.mark.parametrize(("signed", "why"), [(False, "signature"), (True, "does not continue the ledger")])
def test_a_record_that_is_not_believed_is_not_sent_and_stops_the_endpoints_place(
    desk: Desk, caplog: pytest.LogCaptureFixture, signed: bool, why: str
) -> None:
    sender = desk.sender()
    sender.serve(desk.endpoint)
    desk.decide()
    _forge(desk, signed=signed)
    desk.notices.announce(ALERT)

    for _ in range(3):
        sender.serve(desk.endpoint)

    assert (len(desk.receiver.got), desk.queue.place("ledger")) == (4, "4")
    assert why in shown(desk.store)[NAME]["lastError"]
    (line,) = [one for one in caplog.messages if "gets no more records" in one]
    assert why in line


def test_a_process_that_lost_the_lease_sends_nothing_more_of_its_pass(desk: Desk) -> None:
    desk.sender().serve(desk.endpoint)
    desk.decide()
    held = iter((True, False))

    replace(desk.sender(), may_write=lambda: next(held)).serve(desk.endpoint)

    assert (len(desk.receiver.got), desk.queue.waiting()) == (1, 2)


class Killed(BaseException):
    """The process is gone."""


@dataclass(frozen=True)
class KilledAfterSending(Delivery):
    """Sends, and dies before it can take the event off its queue."""

    def send(self, *arguments: Any) -> None:
        super().send(*arguments)
        raise Killed


def test_a_process_that_dies_after_sending_repeats_the_event_under_its_id_and_loses_none(desk: Desk) -> None:
    desk.sender().serve(desk.endpoint)
    desk.decide()
    for _ in range(2):
        with pytest.raises(Killed):
            desk.sender(KilledAfterSending(allow_internal=True)).serve(desk.endpoint)

    desk.sender().serve(desk.endpoint)

    ids = [one["id"] for one in desk.receiver.events]
    assert (len(ids), len(set(ids)), ids[0], ids[1]) == (5, 3, ids[2], ids[2])


def test_what_somebody_else_puts_into_the_queue_is_not_sent_and_is_counted(desk: Desk) -> None:
    desk.sender().serve(desk.endpoint)
    desk.receiver.status = 503
    desk.decide()
    desk.sender().serve(desk.endpoint)
    desk.receiver.got.clear()
    client: Any = desk.store.client
    events, due = (AnnouncementKeys(desk.store.keys.prefix).webhook(NAME, part) for part in ("events", "due"))
    waiting = desk.queue.due(10**11, 10)
    first, second, third = waiting
    client.hset(events, first.id, first.body.replace("u1", "u2"))  # changed
    client.hset(events, "invented", '{"type":"dev.finops.decision.approved"}')  # without a seal
    client.hset(events, "again", second.body)  # a sealed one under another id
    client.zadd(due, {"invented": 1, "again": 1})

    desk.receiver.status = 204
    desk.clock.sleep(60)
    desk.sender().serve(desk.endpoint)

    assert [one["id"] for one in desk.receiver.events] == [second.id, third.id]
    assert (desk.queue.waiting(), desk.queue.dead()) == (0, {"Forged": 3})


def test_what_nobody_of_ours_wrote_about_an_endpoint_stops_neither_its_events_nor_its_end(desk: Desk) -> None:
    desk.sender().serve(desk.endpoint)
    desk.decide()
    desk.receiver.status = 503
    desk.sender().serve(desk.endpoint)
    client: Any = desk.store.client
    keys = AnnouncementKeys(desk.store.keys.prefix)
    client.xadd(keys.notices, {"notice": "x"})
    client.hset(keys.webhook(NAME, "tries"), mapping=dict.fromkeys(client.hkeys(keys.webhook(NAME, "tries")), "x"))
    client.hset(keys.webhook(NAME, "dead"), "Expired", "x")
    client.hset(keys.webhooks, "other", "x")

    desk.receiver.status = 204
    desk.clock.sleep(60)
    desk.sender().serve(desk.endpoint)

    assert (desk.queue.waiting(), desk.queue.dead(), shown(desk.store)["other"]) == (0, {"Forged": 1}, {})
    assert len({headers["webhook-id"] for headers, _ in desk.receiver.got}) == 3
    assert forget_all_but(desk.store, [NAME]) == ("other",)


@pytest.mark.parametrize("source", ["ledger", "notices"])
def test_a_place_that_is_none_is_that_of_an_endpoint_which_is_new(
    desk: Desk, caplog: pytest.LogCaptureFixture, source: str
) -> None:
    desk.sender().serve(desk.endpoint)
    client: Any = desk.store.client
    client.hset(AnnouncementKeys(desk.store.keys.prefix).webhook(NAME, "places"), source, "nowhere")
    desk.sender().serve(desk.endpoint)
    assert any("goes on from the end" in line for line in caplog.messages)
    desk.decide()

    desk.sender().serve(desk.endpoint)

    assert len(desk.receiver.got) == 3


def test_a_notice_that_the_operator_did_not_announce_is_not_sent_and_is_counted(desk: Desk) -> None:
    desk.sender().serve(desk.endpoint)
    genuine = replace(ALERT, id="budget:2")
    stream: Any = desk.store.client
    desk.notices.announce(genuine)
    ((_, fields),) = stream.xrange(desk.notices._stream)
    StoredNotices(desk.store).announce(ALERT)  # without a signature
    stream.xadd(desk.notices._stream, {**fields, "notice": fields["notice"].replace("80 %", "90 %")})  # changed
    StoredNotices(desk.store, seal=partial(notice_seal, Keyring.of(new_private_key()))).announce(
        replace(ALERT, id="budget:3")
    )

    for _ in range(2):
        desk.sender().serve(desk.endpoint)

    assert [one["id"] for one in desk.receiver.events] == ["budget:2"]
    assert (desk.queue.waiting(), desk.queue.dead()) == (0, {"Forged": 3})


def test_the_seal_of_a_notice_is_none_of_an_event_and_lasts_longer_than_its_key() -> None:
    text = notice_to_text(ALERT)
    sealed = notice_seal(KEYS, text)
    assert is_our_notice(Keyring.of(new_private_key(), public_key_of(PRIVATE_KEY)), text, sealed)
    assert not is_our_notice(Keyring.of(new_private_key()), text, sealed)
    assert not any(is_our_notice(KEYS, text, forged) for forged in ("", "x", f"{KEYS.key} zz", f"{sealed}00"))
    assert opened(KEYS, NAME, "e1", f"{sealed} {text}") is None


def test_an_event_that_waits_while_the_signing_key_is_replaced_is_still_sent(desk: Desk) -> None:
    private, trusted = new_private_key(), public_key_of(PRIVATE_KEY)
    sealed = seal(KEYS, NAME, "e1", "{}")
    assert opened(Keyring.of(private, trusted), NAME, "e1", sealed) == "{}"
    assert opened(Keyring.of(private), NAME, "e1", sealed) is None
    assert opened(KEYS, "another", "e1", sealed) is None


def test_an_event_that_fails_is_tried_again_after_growing_pauses_and_given_up_after_three_days(desk: Desk) -> None:
    desk.sender().serve(desk.endpoint)
    desk.record(RecordKind.DECIDED, "Denied", "decided:u1")
    desk.receiver.status = 503
    tried: list[float] = []
    while desk.queue.waiting() or not tried:
        before = len(desk.receiver.got)
        desk.sender().serve(desk.endpoint)
        if len(desk.receiver.got) > before:
            tried.append(desk.clock.now().timestamp())
        (waiting,) = desk.queue.due(10**11, 1) or (None,)
        if waiting is not None:
            desk.clock.sleep(max(1.0, _due(desk) - desk.clock.now().timestamp()))

    pauses = [after - before for before, after in pairwise(tried)]
    assert pauses[:4] == pytest.approx([5, 10, 20, 40], abs=1.5)
    assert max(pauses) <= 3601
    assert tried[-1] - tried[0] >= KEPT_SECONDS - 1
    assert desk.queue.dead() == {"Expired": 1}
    assert len({headers["webhook-id"] for headers, _ in desk.receiver.got}) == 1


def _due(desk: Desk) -> float:
    client: Any = desk.store.client
    return float(
        client.zrange(AnnouncementKeys(desk.store.keys.prefix).webhook(NAME, "due"), 0, 0, withscores=True)[0][1]
    )


def test_an_endpoint_that_is_finally_gone_gets_nothing_more_and_the_event_is_counted(desk: Desk) -> None:
    desk.sender().serve(desk.endpoint)
    desk.record(RecordKind.DECIDED, "Denied", "decided:u1")
    desk.receiver.status = 410

    desk.sender().serve(desk.endpoint)

    assert (desk.queue.waiting(), desk.queue.dead()) == (0, {"Gone": 1})


def test_a_redirect_is_not_followed(desk: Desk) -> None:
    desk.sender().serve(desk.endpoint)
    desk.record(RecordKind.DECIDED, "Denied", "decided:u1")
    desk.receiver.status, desk.receiver.location = 307, desk.receiver.url.replace("/in", "/elsewhere")

    desk.sender().serve(desk.endpoint)

    assert (len(desk.receiver.got), desk.queue.waiting()) == (1, 1)
    assert "answered 307" in shown(desk.store)[NAME]["lastError"]


def test_an_internal_address_is_asked_nothing(desk: Desk) -> None:
    desk.sender().serve(desk.endpoint)
    desk.record(RecordKind.DECIDED, "Denied", "decided:u1")

    desk.sender(Delivery()).serve(desk.endpoint)

    assert (desk.receiver.got, desk.queue.waiting()) == ([], 1)
    assert "not on the public internet" in shown(desk.store)[NAME]["lastError"]


def test_the_address_that_was_checked_is_the_one_that_is_sent_to(desk: Desk) -> None:
    answers = iter((["127.0.0.1"], ["127.0.0.2"]))
    desk.sender().serve(desk.endpoint)
    desk.record(RecordKind.DECIDED, "Denied", "decided:u1")
    port = desk.receiver.url.partition("127.0.0.1:")[2]
    endpoint = Endpoint(NAME, f"http://hooks.invalid:{port}")

    desk.sender(Delivery(allow_internal=True, resolve=lambda _host, _port: next(answers))).serve(endpoint)

    ((headers, _),) = desk.receiver.got
    assert headers["host"].startswith("hooks.invalid:")
    assert next(answers) == ["127.0.0.2"]


@pytest.mark.parametrize("spoil", [lambda path: path.unlink(), lambda path: path.write_text("whsec_c2hvcnQ=")])
def test_without_a_usable_secret_nothing_is_sent_and_nothing_is_lost(desk: Desk, spoil: Callable[[Path], Any]) -> None:
    desk.sender().serve(desk.endpoint)
    desk.record(RecordKind.DECIDED, "Denied", "decided:u1")
    spoil(desk.secrets / NAME)

    desk.sender().serve(desk.endpoint)

    assert (desk.receiver.got, desk.queue.waiting()) == ([], 1)
    assert "signing secret" in shown(desk.store)[NAME]["lastError"]


def test_the_queue_is_bounded_and_what_does_not_fit_is_counted(store: Store) -> None:
    queue = WebhookQueue(store, NAME, bound=2)
    queue.take("ledger", "", "0", (), 1.0)

    assert queue.take("ledger", "0", "3", [("a", "{}"), ("b", "{}"), ("c", "{}")], 1.0)
    assert not queue.take("ledger", "0", "3", [("a", "{}"), ("b", "{}"), ("c", "{}")], 1.0)

    assert [one.id for one in queue.due(2.0, 10)] == ["a", "b"]
    assert queue.dead() == {"QueueFull": 1}


def test_a_dead_letter_is_counted_once_and_an_endpoint_no_longer_listed_leaves_nothing(store: Store) -> None:
    queue = WebhookQueue(store, NAME)
    queue.take("ledger", "", "1", [("a", "{}")], 1.0)
    for _ in range(2):
        queue.bury("a", "Expired")
    queue.show({"host": "x"})
    assert queue.dead() == {"Expired": 1}

    assert forget_all_but(store, ["other"]) == (NAME,)

    assert (queue.dead(), queue.place("ledger"), shown(store)) == ({}, "", {})


def test_the_guard_refuses_before_any_connection() -> None:
    delivery = Delivery(resolve=lambda _host, _port: ["169.254.169.254"])
    with pytest.raises(Refused, match="public internet"):
        delivery.send(
            Endpoint("a", "https://hooks.example.org"), KEY, "1", b"{}", int(timedelta(days=1).total_seconds())
        )
