"""The card in every state, as golden JSON that passes Slack's limits."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.support.hostile_text import HOSTILE
from tests.support.sample_requests import (
    STATUSES,
    delete_request,
    in_state,
    resize_request,
    retention_request,
    vote,
    votes,
)

from finops.audit_verify import is_noted
from finops.crds.presentation import PresentedFact
from finops.domain.decision import TERMINAL, Choice, State
from finops_sandbox.slack.blocks import MESSAGE_CHARACTERS_MAX, check_message, check_view, message_characters
from finops_slackbot.buttons import Buttons
from finops_slackbot.card_facts import CardFacts, card_facts
from finops_slackbot.text import escape
from finops_slackbot.views.approve_reason import approve_reason
from finops_slackbot.views.card import Card, card, gone
from finops_slackbot.views.deny_reason import deny_reason
from finops_slackbot.views.details import details
from finops_slackbot.views.digest import digest
from finops_slackbot.views.ending_reason import resume_reason, wake_reason
from finops_slackbot.views.reason_modal import ModalOrigin, origin_of
from finops_slackbot.views.snooze_date import snooze_date
from finops_slackbot.views.status import status
from finops_slackbot.views.thread import thread_blocks, thread_lines

GOLDEN = Path(__file__).parent / "golden"
BUTTONS = Buttons(b"a key for tests")
ORIGIN = ModalOrigin("1.x", "C0FINOPS01", "1.000001")


def facts_of(state: State, **changes: Any) -> CardFacts:
    demo = changes.pop("demo", False)
    request, cast = in_state(state, **changes)
    return card_facts(request, cast, demo=demo)


def assert_passes(blocks: Any, text: str) -> None:
    blocks = json.loads(json.dumps(blocks))
    assert check_message(blocks) == []
    assert check_message(blocks, update=True) == []
    assert message_characters(blocks) <= MESSAGE_CHARACTERS_MAX
    assert len(escape(text)) <= 4000


def compare(name: str, found: Any) -> None:
    path = GOLDEN / f"{name}.json"
    text = json.dumps(found, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    if os.environ.get("FINOPS_UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"{path.name} differs; FINOPS_UPDATE_GOLDEN=1 writes it anew"


@pytest.mark.parametrize("state", list(State))
def test_the_card_of_every_state_is_as_it_was_reviewed(state: State) -> None:
    facts = facts_of(state)
    shown = card(facts, BUTTONS)
    assert_passes(shown.blocks, shown.text)
    lines = thread_lines(facts)
    assert_passes(thread_blocks(lines) or [{"type": "divider"}], "\n".join(text for _, text in lines))
    compare(state.value, {"text": shown.text, "blocks": shown.blocks, "thread": lines})


def test_every_state_has_a_sample() -> None:
    assert set(STATUSES) == set(State)


def test_a_volume_deletion_asks_for_two_people_and_says_what_is_lost() -> None:
    request = delete_request(status={"state": "Pending", "votes": votes(1, required=2)})
    facts = card_facts(request, [vote(request)], demo=False)
    shown = card(facts, BUTTONS)
    assert_passes(shown.blocks, shown.text)
    compare("volume-deletion", {"text": shown.text, "blocks": shown.blocks})
    text = json.dumps(shown.blocks)
    assert "1 of 2 approvals: <@U0BOB00001>" in text
    assert "Both are kept." in text
    assert '"style": "danger"' in text


def test_a_deletion_with_step_up_says_that_one_approval_comes_from_outside_slack() -> None:
    request = delete_request(status={"state": "Pending", "votes": votes(1, required=2)})
    terms = request.spec.approval.model_copy(update={"step_up": True})
    request = request.model_copy(update={"spec": request.spec.model_copy(update={"approval": terms})})
    facts = card_facts(request, [vote(request)], demo=False)

    shown = card(facts, BUTTONS)

    assert_passes(shown.blocks, shown.text)
    said = "2 people must approve, one of them by kubectl or in the dashboard."
    assert said in json.dumps(shown.blocks)
    assert "*Waiting for 1 more approval outside Slack* from other people." in json.dumps(shown.blocks)
    by_kubectl = card_facts(request, [vote(request, username="alice")], demo=False)
    assert "*Waiting for 1 more approval* from other people." in json.dumps(card(by_kubectl, BUTTONS).blocks)
    assert "one of them by kubectl or in the dashboard" in json.dumps(details(facts))


def test_a_retention_asks_for_two_people_and_says_that_events_are_deleted_permanently() -> None:
    request = retention_request(status={"state": "Pending", "votes": votes(1, required=2)})
    facts = card_facts(request, [vote(request)], demo=False)
    shown = card(facts, BUTTONS)
    assert_passes(shown.blocks, shown.text)
    compare("log-retention", {"text": shown.text, "blocks": shown.blocks})
    text = json.dumps(shown.blocks, ensure_ascii=False)
    assert "1 of 2 approvals: <@U0BOB00001>" in text
    assert "Retention: for ever → 90 days" in text
    assert "They cannot be recovered." in text
    assert '"style": "danger"' in text


def test_what_aws_undoes_by_itself_is_shown_as_saved_once_and_never_by_the_year() -> None:
    def once(state: State) -> CardFacts:
        return replace(facts_of(state), lasts_days=7, monthly_savings=Decimal("28.73"), realized_monthly_savings=None)

    pending, done = card(once(State.PENDING), BUTTONS), card(once(State.SUCCEEDED), BUTTONS)
    assert "save $28.73 once (7 days)" in json.dumps(pending.blocks)
    assert "saves $28.73 once (7 days)" in pending.text
    assert "Saves $28.73 once: AWS undoes it after 7 days." in json.dumps(done.blocks)
    shown = json.dumps(details(once(State.PENDING)))
    assert "in the month of the act: saves $28.73 once, in at most 7 days." in shown
    assert "a year" not in shown
    assert "save $28.73 once." in digest([once(State.PENDING)]).text
    lasting = replace(facts_of(State.PENDING), monthly_savings=Decimal("10.00"))
    assert "2 new requests: save $10.00 a month and $28.73 once." in digest([lasting, once(State.PENDING)]).text
    for text in (pending.text, json.dumps(pending.blocks), json.dumps(done.blocks)):
        assert "$28.73 a month" not in text


def test_dry_run_and_demo_are_said_on_the_card_and_in_the_notification() -> None:
    facts = facts_of(State.PENDING, dry_run=True, demo=True)
    shown = card(facts, BUTTONS)
    assert_passes(shown.blocks, shown.text)
    labels = next(block for block in shown.blocks if block["block_id"] == "labels")
    said = " ".join(element["text"] for element in labels["elements"])
    assert "Dry run" in said
    assert "Demo" in said
    assert shown.text.startswith("Demo: Dry run: ")
    confirm = elements(shown)[0]["confirm"]["text"]["text"]
    assert "changes nothing in AWS" in confirm


@pytest.mark.parametrize("state", list(State))
def test_hostile_names_stay_text_within_every_limit(state: State) -> None:
    request, cast = in_state(state, resource_name=HOSTILE[:256])
    assert request.spec.presentation is not None
    hostile = request.spec.presentation.model_copy(update={"owner": HOSTILE[:200]})
    request = request.model_copy(update={"spec": request.spec.model_copy(update={"presentation": hostile})})
    cast = tuple(one.model_copy(update={"spec": one.spec.model_copy(update={"reason": HOSTILE})}) for one in cast)
    status = request.status
    if status.outcome is not None:
        outcome = status.outcome.model_copy(update={"error": HOSTILE * 10, "after": {"name": HOSTILE}})
        request = request.model_copy(update={"status": status.model_copy(update={"outcome": outcome})})
    facts = card_facts(request, cast, demo=True)
    shown = card(facts, BUTTONS)
    lines = thread_lines(facts)
    for blocks, text in ((shown.blocks, shown.text), (thread_blocks(lines), "")):
        if blocks:
            assert_passes(blocks, text)
    said = json.dumps([shown.blocks, shown.text, lines], ensure_ascii=False)
    for poison in ("<!channel>", "<@U0ALICE001>", "<https://evil", "\u202e", "\u200b", "\\u0000"):
        assert poison not in said
    formatted = json.dumps([item["text"] for item in _texts(shown.blocks) if item["type"] == "mrkdwn"])
    assert "`code`" not in formatted
    assert all(not element.get("emoji", False) for element in _texts(shown.blocks))


def test_only_a_request_that_waits_has_buttons_to_decide() -> None:
    for state in State:
        ids = [element["action_id"] for element in elements(card(facts_of(state), BUTTONS))]
        voting = ["finops_approve", "finops_deny", "finops_snooze"] if state is State.PENDING else []
        ending = ["finops_wake"] if state is State.SNOOZED else []
        expected = [*voting, *ending, "finops_details"]
        assert ids == expected, state


@pytest.mark.parametrize("state", [State.ROLLED_BACK, State.NEEDS_HUMAN, State.APPROVED])
def test_a_card_offers_to_resume_as_long_as_acts_of_its_kind_wait(state: State) -> None:
    why = "ec2_instance_resize of policy production is paused: r-1 was rolled back: no capacity."
    shown = card(replace(facts_of(state), paused=why), BUTTONS)
    assert_passes(shown.blocks, shown.text)
    assert [element["action_id"] for element in elements(shown)] == ["finops_resume", "finops_details"]
    said = [block for block in shown.blocks if block["block_id"] == "paused"]
    # What an approved act waits for stands in its status.
    assert bool(said) == (state is not State.APPROVED)
    assert "finops_resume" not in json.dumps(card(facts_of(state), BUTTONS).blocks)


def test_a_snooze_that_was_ended_offers_no_second_end() -> None:
    request, cast = in_state(State.SNOOZED)
    woken = vote(request, choice=Choice.WAKE, username="alice", reason="we need it")
    shown = card(card_facts(request, (*cast, woken), demo=False), BUTTONS)
    assert [element["action_id"] for element in elements(shown)] == ["finops_details"]


def test_buttons_carry_neither_the_act_nor_the_resource() -> None:
    value = elements(card(facts_of(State.PENDING), BUTTONS))[0]["value"]
    assert len(value) < 200
    assert "resize" not in value
    assert "i-0abc" not in value


def test_nothing_is_called_done_before_it_is_verified() -> None:
    for state in set(State) - {State.SUCCEEDED}:
        shown = json.dumps(card(facts_of(state), BUTTONS).blocks)
        assert "Done and verified" not in shown, state


@pytest.mark.parametrize("state", sorted({*TERMINAL, State.NEEDS_HUMAN}))
def test_every_end_is_shown_on_card_and_thread_as_the_operator_puts_it(state: State) -> None:
    facts = facts_of(state)
    assert facts.ending
    assert facts.ending in status(facts)
    assert facts.ending in thread_lines(facts)[-1][1] or state is State.DENIED


def test_the_thread_names_the_record_that_ended_the_act_and_nothing_before_the_end() -> None:
    """Slack keeps what whoever owns the ledger cannot change: an anchor of its own in the thread of each act."""
    digest = "3f" * 32
    facts = replace(facts_of(State.SUCCEEDED), ledger_sequence=12345, ledger_hash=digest)
    key, text = thread_lines(facts)[-1]
    assert key == "recorded"
    assert f"number 12,345: `{digest}`" in text
    assert "finops audit verify --expected-head" in text
    assert_passes(thread_blocks(thread_lines(facts)), text)
    for state in set(State) - TERMINAL:
        running = replace(facts_of(state), ledger_hash=digest)
        assert "recorded" not in dict(thread_lines(running))
    hostile = replace(facts, ledger_hash="`<!channel>`")
    assert "<!channel>" not in thread_lines(hostile)[-1][1]


def test_a_thread_ends_in_a_checkpoint_that_the_verifier_takes_as_it_stands() -> None:
    root = "a7" * 32
    ended = replace(facts_of(State.SUCCEEDED), ledger_hash="3f" * 32, checkpoint_size=4211, checkpoint_root=root)
    key, text = thread_lines(ended)[-1]
    assert (key, text) == ("checkpoint", f"`Ledger checkpoint 4,211 · sha256:{root}`")
    assert is_noted(text)
    assert is_noted(text.strip("`"))
    assert_passes(thread_blocks(thread_lines(ended)), text)
    for state in set(State) - TERMINAL:
        assert "checkpoint" not in dict(thread_lines(replace(ended, state=state)))
    assert "checkpoint" not in dict(thread_lines(replace(ended, checkpoint_root="")))
    assert "<!channel>" not in thread_lines(replace(ended, checkpoint_root="`<!channel>`"))[-1][1]


def test_modals_pass_slacks_limits_and_carry_their_origin() -> None:
    for resource_name in ("web-1", HOSTILE[:256]):
        facts = facts_of(State.PENDING, resource_name=resource_name)
        asking = (deny_reason, approve_reason, snooze_date, resume_reason, wake_reason)
        for view in (*(make(replace(facts, paused=HOSTILE[:900]), ORIGIN) for make in asking), details(facts)):
            assert check_view(json.loads(json.dumps(view))) == []
    assert origin_of(deny_reason(facts, ORIGIN)["private_metadata"]) == ORIGIN
    for foreign in ("", "[]", '{"a": 1}', "[1, 2, 3]", "not json"):
        assert origin_of(foreign) is None


def test_details_show_evidence_plan_price_and_the_command_without_slack() -> None:
    view = details(facts_of(State.PENDING))
    compare("details", view)
    said = json.dumps(view, ensure_ascii=False)
    for part in (
        "CPU, highest 5 minutes: 61 % (3 of 4,032)",
        "Stop the instance: `ec2:StopInstances`",
        "2026-02-28",
        "kubectl finops approve",
        "<!subteam^S0SRE00001>",
    ):
        assert part in said


def test_the_reason_is_optional_only_where_the_policy_says_never() -> None:
    for rule, optional in (("Never", True), ("Deny", False), ("Always", False)):
        block = deny_reason(facts_of(State.PENDING, require_reason=rule), ORIGIN)["blocks"][1]
        assert block["optional"] is optional


def test_where_every_vote_needs_a_reason_the_modal_is_the_confirmation() -> None:
    approve = elements(card(facts_of(State.PENDING, require_reason="Always"), BUTTONS))[0]
    assert "confirm" not in approve


def test_a_request_deleted_from_the_cluster_loses_its_buttons() -> None:
    before = card(facts_of(State.PENDING), BUTTONS)
    after = gone(before.text, before.blocks)
    assert_passes(after.blocks, after.text)
    assert all(block["type"] != "actions" for block in after.blocks)
    assert "No longer in the cluster" in json.dumps(after.blocks)


def test_lines_of_the_thread_have_keys_that_do_not_change() -> None:
    first = [key for key, _ in thread_lines(facts_of(State.EXECUTING))]
    later = [key for key, _ in thread_lines(facts_of(State.SUCCEEDED))]
    assert first[0] == later[0]
    assert first[0].startswith("vote:apv-")
    assert "approved" in first
    assert "approved" in later


def test_votes_the_operator_refused_or_has_not_judged_are_not_shown() -> None:
    request = resize_request(status=STATUSES[State.PENDING])
    refused = vote(request, slack_user="U0DAVE0001", result="Refused", answer_reason="NotEligible")
    open_vote = vote(request, slack_user="U0CAROL001", result=None)
    assert card_facts(request, [refused, open_vote], demo=False).approvals == ()


def test_a_vote_by_kubectl_is_shown_as_such() -> None:
    request = resize_request(status=STATUSES[State.APPROVED])
    facts = card_facts(request, [vote(request, username="alice")], demo=False)
    assert "`alice` (kubectl)" in json.dumps(card(facts, BUTTONS).blocks)


def presented(**changes: Any) -> CardFacts:
    """A request that waits, with another presentation."""
    request, _ = in_state(State.PENDING)
    assert request.spec.presentation is not None
    shown = request.spec.presentation.model_copy(update=changes)
    spec = request.spec.model_copy(update={"presentation": shown})
    return card_facts(request.model_copy(update={"spec": spec}), [], demo=False)


def test_the_first_screen_says_what_it_saves_why_and_what_it_risks_before_the_buttons() -> None:
    blocks = card(facts_of(State.PENDING), BUTTONS).blocks
    ids = [block["block_id"] for block in blocks]
    assert ids[:3] == ["header", "why", "status"]
    assert ids[3].startswith("act.")
    assert blocks[0]["text"]["text"] == "Resize web-1 → t3.small: save $49.94 a month"
    said = blocks[1]["text"]["text"].splitlines()
    assert said[0] == ("*t3.large → t3.small: 2 vCPU, 8 → 2 GiB.* Expected CPU about 4 %, memory about 48 %.")
    assert said[1].startswith("*Why:* 99.5 % of the time CPU stayed below 4.3 %; the highest 5 minutes reached 61 %")
    assert said[2].startswith("*Risk:* performance risk low, downtime: a few minutes. It is stopped, changed")
    assert said[3].startswith("*Note:* Data in memory is lost. ")
    # A 390-pixel page holds about 45 characters a line and 25 lines above the fold.
    assert sum(len(block["text"]["text"]) // 45 + 1 for block in blocks[:3]) < 22


def test_warnings_that_do_not_fit_are_counted_and_stand_in_details() -> None:
    warnings = tuple(f"Warning {number} is <!here> and {'long ' * 20}." for number in range(6))
    facts = presented(warnings=warnings)
    note = card(facts, BUTTONS).blocks[1]["text"]["text"].splitlines()[-1]
    assert note.startswith("*Note:* Warning 0 is &lt;!here&gt; and")
    assert note.endswith("5 more in Details.")
    assert all(f"Warning {number}" in json.dumps(details(facts)) for number in range(6))


def test_a_presentation_of_the_greatest_size_passes_every_limit() -> None:
    facts = presented(
        change="&" * 300,
        expectation="<" * 300,
        consequence=">" * 300,
        undo="&" * 400,
        target="<" * 80,
        verb="v" * 32,
        owner="&" * 200,
        console_url="https://" + "a&" * 500,
        warnings=("&" * 300,) * 16,
        evidence=tuple(PresentedFact(label="&" * 80, value="<" * 200) for _ in range(30)),
        rollback=(),
    )
    shown = card(facts, BUTTONS)
    assert_passes(shown.blocks, shown.text)
    assert check_view(json.loads(json.dumps(details(facts)))) == []


def test_the_console_link_is_on_card_and_details_and_cannot_be_broken_out_of() -> None:
    address = "https://eu-west-1.console.aws.amazon.com/ec2/home?region=eu-west-1&x=1#InstanceDetails:instanceId=i-1"
    for shown in (card(presented(console_url=address), BUTTONS).blocks, details(presented(console_url=address))):
        assert f"<{address.replace('&', '&amp;')}|" in json.dumps(shown)
    for hostile in ("https://x|y>", "https://x <!channel>", "https://"):
        assert hostile not in json.dumps(card(presented(console_url=hostile), BUTTONS).blocks)


def test_the_bot_shows_whatever_kind_and_act_the_operator_presents() -> None:
    facts = presented(
        verb="Move",
        kind="Toaster",
        target="cold storage",
        change="warm → cold storage",
        downtime="None",
        consequence="It is moved.",
        undo="Move it back.",
        performance_risk="",
        warnings=(),
        expectation="",
    )
    shown = card(facts, BUTTONS)
    assert shown.blocks[0]["text"]["text"] == "Move web-1 → cold storage: save $49.94 a month"
    assert "Toaster" in json.dumps(shown.blocks)
    assert "*Risk:* downtime: none. It is moved." in shown.blocks[1]["text"]["text"]
    assert "Move it back." in json.dumps(details(facts))


def test_an_act_without_words_is_shown_by_its_ids() -> None:
    request, _ = in_state(State.PENDING)
    spec = request.spec.model_copy(update={"action": "rds_instance_reboot", "presentation": None})
    facts = card_facts(request.model_copy(update={"spec": spec}), [], demo=False)
    shown = card(facts, BUTTONS)
    assert_passes(shown.blocks, shown.text)
    assert shown.blocks[0]["text"]["text"].startswith("Reboot web-1")
    assert "instanceType t3.small" in shown.blocks[1]["text"]["text"]
    assert check_view(json.loads(json.dumps(details(facts)))) == []


def test_steps_that_undo_a_failed_act_are_said_to_roll_back() -> None:
    request, cast = in_state(State.EXECUTING)
    for step, said in (
        ("modify_type", "Change the type (attempt 2)"),
        ("stop_again", "Rolling back: Stop the instance again"),
        ("restore_type", "Rolling back: Change the type back"),
        ("unheard_of", "unheard of"),
    ):
        execution = request.status.execution
        assert execution is not None
        status = request.status.model_copy(update={"execution": execution.model_copy(update={"step": step})})
        facts = card_facts(request.model_copy(update={"status": status}), cast, demo=False)
        assert said in json.dumps(card(facts, BUTTONS).blocks)


def test_the_confirmation_names_resource_and_downtime() -> None:
    confirm = elements(card(facts_of(State.PENDING), BUTTONS))[0]["confirm"]
    assert confirm["title"]["text"] == "Resize i-0abc1234def567890 to t3.small?"
    assert "web-1" in confirm["text"]["text"]
    assert "Downtime: a few minutes." in confirm["text"]["text"]


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_an_ended_card_says_what_was_saved_or_that_nothing_was(state: State) -> None:
    said = status(facts_of(state))
    if state is State.SUCCEEDED:
        assert "Saves $49.94 a month." in said
    elif state is State.SUPERSEDED:
        assert "saved" not in said  # the newer proposal asks for the same saving
    else:
        assert "Nothing was saved: it still costs $66.58 a month." in said


def test_a_verified_card_names_the_change_and_no_internals() -> None:
    said = status(facts_of(State.SUCCEEDED))
    assert said.startswith("*Done and verified: t3.large → t3.small: 2 vCPU, 8 → 2 GiB.* Saves")
    assert "launchTime" not in said


def test_the_exact_error_is_on_the_card_with_what_is_there_now_and_what_comes_next() -> None:
    shown = json.dumps(card(facts_of(State.ROLLED_BACK), BUTTONS).blocks)
    assert "The instance is running with type t3.large. " in shown
    assert "7 days" in shown


def elements(shown: Card) -> list[dict[str, Any]]:
    (actions,) = [block for block in shown.blocks if block["type"] == "actions"]
    found: list[dict[str, Any]] = actions["elements"]
    return found


def _texts(blocks: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    todo = list(blocks)
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            if item.get("type") in {"plain_text", "mrkdwn"}:
                found.append(item)
            todo += item.values()
        elif isinstance(item, (list, tuple)):
            todo += item
    return found
