"""The operator answers what-ifs from stored data, in bounds, whatever stands in the question."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.support.fake_clock import FakeClock
from tests.support.scan_samples import account, recommendation, summary
from tests.support.web_estate import ACCOUNT, NOW, StoredScan, priced, resource
from tests.support.what_ifs import OWN, SPEC, Operator, live_policy, question, write_scan

from finops.domain.recommendation import Block, ResourceRef, Status
from finops.domain.report import StatusSum
from finops.domain.resource import Gap, Resource
from finops.errors import InvalidInput, Refused, StoreUnavailable
from finops.store.connection import Store
from finops.store.keys import WhatIfKeys
from finops.store.recommendations import PolicyHead
from finops.store.what_if import KEPT, LARGEST_QUESTION, MOST_OF_ONE, PLACES, Answer, Outcome, Question, State, WhatIfs
from finops_operator.plugins.loaded import plugins
from finops_operator.scan.trial import Trial, compare, try_on_store
from finops_operator.scan.what_if import outcome_of
from finops_operator.upkeep import what_ifs as loop_module

OTHER = "222222222222"
GAP = Gap(ACCOUNT, "eu-west-1", "ec2", "DescribeInstances", "AccessDenied", "the role may not")


def asked(store: Store, one: Question, operator: Operator | None = None) -> Answer:
    """Ask, let the operator have a turn, and return what the dashboard reads then."""
    WhatIfs(store).ask(one)
    (operator or Operator(store)).loop().turn(threading.Event())
    found = WhatIfs(store).of(one.id)
    assert found is not None
    return found


def test_an_answer_says_what_is_new_what_is_gone_and_what_that_saves_with_age_and_gaps(store: Store) -> None:
    write_scan(store, gaps=(GAP,))

    found = asked(store, question())

    assert (found.state, found.message) == (State.ANSWERED, "")
    outcome = found.outcome
    assert outcome is not None
    assert outcome.counts == {"New": 3, "Gone": 1}
    assert (outcome.resources, outcome.scanned, outcome.gaps) == (3, NOW, (GAP,))
    assert {(one.change, one.check, one.resource) for one in outcome.lines if one.change == "New"} == {
        ("New", "our_rule", f"i-{number}") for number in range(3)
    }
    (gone,) = [one for one in outcome.lines if one.change == "Gone"]
    assert (gone.check, gone.now) == ("ec2_instance_idle", None)
    assert gone.before is not None
    assert (gone.before.saving, gone.before.status) == (Decimal("65.21"), Status.ACTIONABLE)
    assert outcome.before.actionable == StatusSum(Decimal("65.21"), 1)
    # A saving that nobody knows is counted, and is no zero.
    assert outcome.now.advice == StatusSum(Decimal("0.00"), 3, unknown=3)
    assert WhatIfs(store).next() is None


def test_the_policy_as_it_is_finds_no_difference_but_what_stands_without_a_reason(store: Store) -> None:
    write_scan(store)

    outcome = asked(store, question(spec={"accounts": [{"name": "production"}]})).outcome

    assert outcome is not None
    assert outcome.counts == {"Gone": 1}
    assert outcome.needs_scan == ()


def test_what_only_a_scan_can_show_is_named(store: Store) -> None:
    write_scan(store)
    spec = {
        "accounts": [{"name": "other"}],
        "resources": ["ec2-instance", "ebs-volume"],
        "metrics": {"lookbackDays": 30},
        "pricing": {"priceList": True},
        "checks": [{"id": "ebs_volume_idle", "parameters": {}}],
    }

    live = live_policy(regions=["us-east-1"])
    outcome = asked(store, question(spec=spec), Operator(store, policies=[live])).outcome

    assert outcome is not None
    words = " ".join(outcome.needs_scan)
    for part in (
        "did not read other,",
        "the last scan read us-east-1.",
        "nothing of ebs-volume",
        "14 days, not 30",
        "price list",
    ):
        assert part in words


def test_a_region_that_the_last_scan_did_not_read_is_named(store: Store) -> None:
    write_scan(store)
    spec = {**SPEC, "regions": ["us-east-1", "eu-west-1"]}

    outcome = asked(store, question(spec=spec), Operator(store, policies=[live_policy(regions=["us-east-1"])])).outcome

    assert outcome is not None
    assert outcome.resources == 3
    assert outcome.needs_scan == ("The last scan did not read eu-west-1, which the spec adds to the regions.",)


def test_with_fewer_regions_or_accounts_nothing_of_the_others_is_judged_and_their_advice_is_gone(store: Store) -> None:
    rows = {
        region: (resource("ec2-instance", f"i-{region}", region=region), priced("0.10"))
        for region in ("us-east-1", "eu-west-1")
    }
    stands = tuple(
        recommendation(
            number, policy="team-a/all", check="our_rule", action="", resource=ref_of(one), monthly_savings=None
        )
        for number, (one, _) in enumerate(rows.values())
    )
    StoredScan(store).write(rows, recommendations=stands)
    both = [account("production"), account("staging", accountId=OTHER, executorRoleArn=f"arn:aws:iam::{OTHER}:role/x")]
    live = live_policy(accounts=[{"name": "production"}, {"name": "staging"}])

    def judged(number: int, **changes: Any) -> Outcome:
        spec = {"accounts": [{"name": "production"}, {"name": "staging"}], "customChecks": [OWN], **changes}
        outcome = asked(store, question(number, spec=spec), Operator(store, policies=[live], granted=both)).outcome
        assert outcome is not None
        assert outcome.needs_scan == ()
        return outcome

    def gone(outcome: Outcome) -> list[str]:
        return sorted(one.resource for one in outcome.lines if one.change == "Gone")

    whole, narrower = judged(1), judged(2, regions=["eu-west-1"])
    assert (whole.resources, gone(whole)) == (2, [])
    assert (narrower.resources, gone(narrower)) == (1, ["i-us-east-1"])
    assert judged(3, accounts=[{"name": "production"}]).resources == 2
    elsewhere = judged(4, accounts=[{"name": "staging"}])
    assert (elsewhere.resources, gone(elsewhere)) == (0, ["i-eu-west-1", "i-us-east-1"])


def ref_of(one: Resource) -> ResourceRef:
    return ResourceRef(one.kind, one.id, one.arn, one.account, one.region, one.name)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a field that is none": ({**SPEC, "cadence": "x"}, "spec.cadence"),
    "a check that is none": ({**SPEC, "checks": [{"id": "ec2_instance_idel"}]}, "spec.checks[0].id"),
    "a threshold that is none": (
        {**SPEC, "checks": [{"id": "ec2_instance_idle", "parameters": {"maximumCpu": 1}}]},
        "spec.checks[0].parameters.maximumCpu",
    ),
    "a threshold out of its range": (
        {**SPEC, "checks": [{"id": "ec2_instance_idle", "parameters": {"maximumCpuPercent": 900}}]},
        "spec.checks[0].parameters.maximumCpuPercent",
    ),
    "a condition that does not compile": (
        {**SPEC, "customChecks": [{**OWN, "when": "resource."}]},
        "spec.customChecks[0].when",
    ),
    "a condition that could take long": (
        {**SPEC, "customChecks": [{**OWN, "when": "[1].all(a, [2].all(b, a < b))"}]},
        "spec.customChecks[0].when",
    ),
}


@pytest.mark.parametrize(("spec", "field"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_taken_is_named_with_its_field(store: Store, spec: dict[str, Any], field: str) -> None:
    write_scan(store)

    found = asked(store, question(spec=spec))

    assert (found.state, found.outcome) == (State.REFUSED, None)
    assert found.field == field
    assert found.message


def test_a_policy_without_a_scan_or_that_is_gone_has_no_answer(store: Store) -> None:
    assert asked(store, question(1)).state is State.FAILED
    write_scan(store)
    assert asked(store, question(2), Operator(store, policies=[])).state is State.FAILED
    assert asked(store, question(3, policy="nothing")).state is State.FAILED


def test_a_trial_ends_after_a_number_of_resources_and_after_a_time(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_scan(store)
    monkeypatch.setattr(loop_module, "MOST_RESOURCES", 2)
    found = asked(store, question(1))
    assert (found.state, found.outcome) == (State.FAILED, None)
    assert "more than 2 resources" in found.message
    assert "finops policy test" in found.hint

    class Slow(FakeClock):
        def monotonic(self) -> float:
            self.passed += 20
            return self.passed

    monkeypatch.setattr(loop_module, "MOST_RESOURCES", 100)
    found = asked(store, question(2), Operator(store, clock=Slow(NOW)))
    assert "longer than 30 seconds" in found.message
    assert WhatIfs(store).next() is None


def test_how_far_it_is_can_be_read_meanwhile(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    write_scan(store)
    seen: list[tuple[State, int, int]] = []
    put = WhatIfs.put

    def noted(desk: WhatIfs, answer: Answer) -> None:
        seen.append((answer.state, answer.done, answer.total))
        put(desk, answer)

    class Slow(FakeClock):
        def monotonic(self) -> float:
            self.passed += 2
            return self.passed

    monkeypatch.setattr(WhatIfs, "put", noted)
    asked(store, question(), Operator(store, clock=Slow(NOW)))

    assert seen == [
        (State.RUNNING, 0, 0),
        (State.RUNNING, 0, 3),
        (State.RUNNING, 1, 3),
        (State.RUNNING, 2, 3),
        (State.ANSWERED, 0, 0),
    ]


def test_a_scan_that_ends_in_between_makes_no_answer_of_two_scans(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_scan(store)
    tried = try_on_store

    def overtaken(*arguments: Any) -> Any:
        found = tried(*arguments)
        write_scan(store, generation="g2")
        return found

    monkeypatch.setattr(loop_module, "try_on_store", overtaken)
    assert "ended in between" in asked(store, question()).message


def test_a_question_with_which_a_process_ended_is_not_tried_again(store: Store) -> None:
    write_scan(store)
    one = question()
    WhatIfs(store).ask(one)
    WhatIfs(store).put(Answer(one, State.RUNNING))  # and here it was killed

    Operator(store).loop().turn(threading.Event())

    found = WhatIfs(store).of(one.id)
    assert found is not None
    assert (found.state, found.message) == (State.FAILED, "the operator ended while it worked on this question")
    assert WhatIfs(store).next() is None


def test_a_defect_ends_one_question_and_not_the_loop(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    write_scan(store)

    def broken(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(loop_module, "try_on_store", broken)
    found = asked(store, question(1))
    assert (found.state, "nobody expected" in found.message) == (State.FAILED, True)
    monkeypatch.undo()
    assert asked(store, question(2)).state is State.ANSWERED


def test_a_stopping_operator_ends_the_trial_at_once(store: Store) -> None:
    write_scan(store)
    WhatIfs(store).ask(question())
    stop = threading.Event()
    stop.set()
    Operator(store).loop().turn(stop)
    found = WhatIfs(store).of(question().id)
    assert found is not None
    assert found.message == "the operator stops"


def test_only_the_process_that_holds_the_lease_answers_and_a_store_that_is_away_ends_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_scan(store)
    WhatIfs(store).ask(question())
    monkeypatch.setattr(loop_module, "_TURN_SECONDS", 0.001)
    other = Operator(store, holds=False)
    run_for(other, 0.05)
    waiting = WhatIfs(store).of(question().id)
    assert waiting is not None
    assert waiting.state is State.WAITING

    def away(_desk: WhatIfs) -> Question | None:
        raise StoreUnavailable("the store does not answer")

    with monkeypatch.context() as patched:
        patched.setattr(WhatIfs, "next", away)
        run_for(Operator(store), 0.05)
    run_for(Operator(store), 0.5)
    answered = WhatIfs(store).of(question().id)
    assert answered is not None
    assert answered.state is State.ANSWERED


def run_for(operator: Operator, seconds: float) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=operator.loop().run, args=(stop,))
    thread.start()
    stop.wait(seconds)
    stop.set()
    thread.join(20)
    assert not thread.is_alive()


def test_the_longest_waiting_question_comes_first(store: Store) -> None:
    desk = WhatIfs(store)
    desk.ask(question(2, at=NOW.replace(hour=11)))
    desk.ask(question(1, at=NOW.replace(hour=10), by="bob"))
    first = desk.next()
    assert first is not None
    assert first.by == "bob"


def test_questions_at_once_are_bounded_for_a_person_for_all_and_in_size(store: Store) -> None:
    desk = WhatIfs(store)
    with pytest.raises(InvalidInput, match="too large"):
        desk.ask(question(spec={"x": "y" * LARGEST_QUESTION}))
    for number in range(MOST_OF_ONE):
        desk.ask(question(number))
    with pytest.raises(Refused, match="questions of yours"):
        desk.ask(question(99))
    for number in range(MOST_OF_ONE, PLACES):
        desk.ask(question(number, by=f"person-{number}"))
    with pytest.raises(Refused, match="wait for their answers"):
        desk.ask(question(99, by="late"))
    assert len(store.client.keys(f"{store.keys.prefix}web:what-if:*")) == PLACES
    for key in store.client.keys(f"{store.keys.prefix}web:what-if:*"):
        assert 0 < store.client.ttl(key) <= 300


def test_answers_end_and_no_more_than_a_number_of_them_is_kept(store: Store) -> None:
    desk = WhatIfs(store)
    for number in range(KEPT + 3):
        desk.put(Answer(question(number), State.FAILED, "no"))
    kept = [number for number in range(KEPT + 3) if desk.of(question(number).id) is not None]
    assert kept == list(range(3, KEPT + 3))
    assert 0 < store.client.ttl(WhatIfKeys(store.keys.prefix).answer(question(5).id)) <= 900


def hostile() -> Iterator[tuple[str, bytes]]:
    good = json.loads(
        b'{"id":"%032x","namespace":"team-a","policy":"all","by":"eve","at":"2026-03-10T12:00:00Z","spec":{}}' % 7
    )
    yield "no JSON", b"{"
    yield "no UTF-8", b"\xff\xfe"
    yield "nested deeply", b"[" * 50_000
    yield "too large", json.dumps({**good, "spec": {"x": "y" * LARGEST_QUESTION}}).encode()
    yield "an id that is a key of others", json.dumps({**good, "id": "../ledger"}).encode()
    yield "a name without end", json.dumps({**good, "by": "y" * 300}).encode()
    yield "a time without zone", json.dumps({**good, "at": "2026-03-10T12:00:00"}).encode()
    yield "another shape", json.dumps([good]).encode()


@pytest.mark.parametrize("planted", [one for _, one in hostile()], ids=[name for name, _ in hostile()])
def test_what_is_no_question_is_dropped_and_keeps_nobody_waiting(store: Store, planted: bytes) -> None:
    write_scan(store)
    store.client.set(WhatIfKeys(store.keys.prefix).question(0), planted)
    one = question()
    WhatIfs(store).ask(one) if planted != b"\xff\xfe" else store.client.set(
        WhatIfKeys(store.keys.prefix).question(1), asked_text(store, one)
    )
    Operator(store).loop().turn(threading.Event())

    assert not store.client.exists(WhatIfKeys(store.keys.prefix).question(0))
    found = WhatIfs(store).of(one.id)
    assert found is not None
    assert found.state is State.ANSWERED


def asked_text(store: Store, one: Question) -> str:
    """The stored form of a question."""
    free = Store(store.client, type(store.keys)(f"{store.keys.prefix}apart:"))
    WhatIfs(free).ask(one)
    return str(store.client.get(WhatIfKeys(free.keys.prefix).question(0)))


def test_a_question_of_another_type_is_dropped(store: Store) -> None:
    store.client.hset(WhatIfKeys(store.keys.prefix).question(3), "a", "b")
    assert WhatIfs(store).next() is None
    assert not store.client.exists(WhatIfKeys(store.keys.prefix).question(3))


def test_the_dashboard_learns_every_check_with_its_thresholds(store: Store) -> None:
    assert WhatIfs(store).checks() == ()
    Operator(store).loop().turn(threading.Event())

    found = {one.id: one for one in WhatIfs(store).checks()}

    assert found.keys() == plugins().checks.keys()
    for name, check in plugins().checks.items():
        assert [one.name for one in found[name].thresholds] == [one.name for one in check.parameters]
        assert [one.default for one in found[name].thresholds] == [one.default for one in check.parameters]


def test_an_act_that_aws_refused_at_the_scan_is_not_called_ready() -> None:
    stands = recommendation(
        1, status=Status.BLOCKED, blocked_by=(Block("RefusedByPreflight:Protected", "It is protected."),)
    )
    other = recommendation(2, status=Status.BLOCKED, blocked_by=(Block("NotAllowed", "The policy does not allow it."),))
    now = [replace(one, status=Status.ACTIONABLE, blocked_by=()) for one in (stands, other)]
    head = PolicyHead("g1", summary(), ())

    outcome = outcome_of(head, Trial(2, now), compare(now, [stands, other]), ())

    saved = StatusSum(Decimal("65.21"), 1)
    assert (outcome.now.actionable, outcome.now.blocked) == (saved, saved)
    assert outcome.before.blocked == saved + saved
