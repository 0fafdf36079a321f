"""The card in every state, as golden JSON that passes Slack's limits."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.unit.slackbot.sample_requests import (
    STATUSES,
    delete_request,
    in_state,
    resize_request,
    vote,
    votes,
)

from finops.crds.action_request import Evidence
from finops.domain.decision import TERMINAL, State
from finops_operator.plugins.action import Action
from finops_operator.plugins.loaded import load_actions
from finops_sandbox.slack.blocks import MESSAGE_CHARACTERS_MAX, check_message, check_view, message_characters
from finops_slackbot.buttons import Buttons
from finops_slackbot.card_facts import CardFacts, card_facts
from finops_slackbot.text import escape
from finops_slackbot.views.approve_reason import approve_reason
from finops_slackbot.views.card import card, gone
from finops_slackbot.views.deny_reason import deny_reason
from finops_slackbot.views.details import details
from finops_slackbot.views.reason_modal import ModalOrigin, origin_of
from finops_slackbot.views.status import status
from finops_slackbot.views.thread import thread_blocks, thread_lines
from finops_slackbot.views.wording import seen, target

GOLDEN = Path(__file__).parent / "golden"
BUTTONS = Buttons(b"a key for tests")
ACTIONS = load_actions()
ORIGIN = ModalOrigin("1.x", "C0FINOPS01", "1.000001")
HOSTILE = (
    "<!channel> <@U0ALICE001> <https://evil.example|free money> *bold* `code` & && \u202egpj.exe \u200b\u200b"
    "\x00\x07\n\n:tada: " + "&" * 120 + "Z͓̝̞̱̲͔̎̐͒͊̃̾Ä"
)


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
def test_the_card_of_every_state_is_as_it_was_looked_at(state: State) -> None:
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
    assert "the snapshot stays" in text
    assert '"style": "danger"' in text


def test_dry_run_and_demo_are_said_on_the_card_and_in_the_notification() -> None:
    facts = facts_of(State.PENDING, dry_run=True, demo=True)
    shown = card(facts, BUTTONS)
    assert_passes(shown.blocks, shown.text)
    labels = next(block for block in shown.blocks if block["block_id"] == "labels")
    said = " ".join(element["text"] for element in labels["elements"])
    assert "Dry run" in said
    assert "Demo" in said
    assert shown.text.startswith("Demo: Dry run: ")
    confirm = shown.blocks[-1]["elements"][0]["confirm"]["text"]["text"]
    assert "changes nothing in AWS" in confirm


@pytest.mark.parametrize("state", list(State))
def test_hostile_names_stay_text_within_every_limit(state: State) -> None:
    request, cast = in_state(state, resource_name=HOSTILE[:256], values={"owner": HOSTILE[:200], "cpuMaximum": "9"})
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
        ids = [element["action_id"] for element in card(facts_of(state), BUTTONS).blocks[-1]["elements"]]
        expected = ["finops_approve", "finops_deny", "finops_details"] if state is State.PENDING else ["finops_details"]
        assert ids == expected, state


def test_buttons_carry_neither_the_act_nor_the_resource() -> None:
    value = card(facts_of(State.PENDING), BUTTONS).blocks[-1]["elements"][0]["value"]
    assert len(value) < 200
    assert "resize" not in value
    assert "i-0abc" not in value


def test_the_confirmation_names_resource_and_downtime() -> None:
    confirm = card(facts_of(State.PENDING), BUTTONS).blocks[-1]["elements"][0]["confirm"]
    assert "i-0abc1234def567890" in confirm["title"]["text"] + confirm["text"]["text"]
    assert "web-1" in confirm["text"]["text"]
    assert "down for some minutes" in confirm["text"]["text"]


def test_nothing_is_called_done_before_it_is_verified() -> None:
    for state in set(State) - {State.SUCCEEDED}:
        shown = json.dumps(card(facts_of(state), BUTTONS).blocks)
        assert "Done and verified" not in shown, state


def test_the_exact_error_is_on_the_card_with_what_is_there_now_and_what_comes_next() -> None:
    shown = json.dumps(card(facts_of(State.ROLLED_BACK), BUTTONS).blocks)
    assert "start failed: InsufficientInstanceCapacity. The instance is running with type t3.large. " in shown
    assert "it is proposed again after 7 days" in shown


@pytest.mark.parametrize("state", sorted({*TERMINAL, State.NEEDS_HUMAN}))
def test_every_end_is_told_on_card_and_thread_as_the_operator_tells_it(state: State) -> None:
    facts = facts_of(state)
    assert facts.ending
    assert facts.ending in status(facts)
    assert facts.ending in thread_lines(facts)[-1][1] or state is State.DENIED


@pytest.mark.parametrize("action", ACTIONS.values(), ids=lambda action: action.id)
def test_the_card_names_the_way_back_that_the_operator_names_afterwards(action: Action) -> None:
    request = resize_request()
    spec = request.spec.model_copy(update={"action": action.id, "rollback_possible": action.rollback_possible})
    shown = card(card_facts(request.model_copy(update={"spec": spec}), [], demo=False), BUTTONS)
    said = json.dumps(shown.blocks, ensure_ascii=False)
    assert f"*Way back*\\n{action.way_back}" in said
    assert "Undo" not in said


def test_a_verified_card_names_the_change_and_no_internals() -> None:
    request, cast = in_state(State.SUCCEEDED)
    assert request.status.outcome is not None
    assert set(request.status.outcome.after) == {"instanceType", "launchTime"}
    said = status(card_facts(request, cast, demo=False))
    assert "`t3.large → t3.small`" in said
    assert "launchTime" not in said


def test_a_stop_is_verified_by_the_state() -> None:
    outcome = {"before": {"state": "running"}, "after": {"state": "stopped"}, "monthlySavings": "49.94"}
    request = resize_request(status={**STATUSES[State.SUCCEEDED], "outcome": outcome})
    spec = request.spec.model_copy(update={"action": "ec2_instance_stop", "parameters": {}})
    facts = card_facts(request.model_copy(update={"spec": spec}), [], demo=False)
    assert status(facts).startswith("*Done and verified*: `running → stopped`.")


def test_metrics_that_were_silent_are_shown_as_the_proof_they_are() -> None:
    facts = card_facts(delete_request(), [], demo=False)
    assert seen(facts) == "no activity since <!date^1769650200^{date_short}|2026-01-29> (32 days, 100.0 % answered)"


@pytest.mark.parametrize("check", ["ebs_volume_unattached", "ebs_volume_gp2"])
def test_without_a_window_nothing_is_said_about_metrics(check: str) -> None:
    request = delete_request()
    evidence = Evidence(check=check, reason="as an older operator gave it", values={})
    request = request.model_copy(update={"spec": request.spec.model_copy(update={"evidence": evidence})})
    facts = card_facts(request, [], demo=False)
    assert "etrics" not in json.dumps([card(facts, BUTTONS).blocks, details(facts)])


def test_modals_pass_slacks_limits_and_carry_their_origin() -> None:
    for resource_name in ("web-1", HOSTILE[:256]):
        facts = facts_of(State.PENDING, resource_name=resource_name)
        for view in (deny_reason(facts, ORIGIN), approve_reason(facts, ORIGIN), details(facts)):
            assert check_view(json.loads(json.dumps(view))) == []
    assert origin_of(deny_reason(facts, ORIGIN)["private_metadata"]) == ORIGIN
    for foreign in ("", "[]", '{"a": 1}', "[1, 2, 3]", "not json"):
        assert origin_of(foreign) is None


def test_details_show_evidence_plan_price_and_the_command_without_slack() -> None:
    view = details(facts_of(State.PENDING))
    compare("details", view)
    said = json.dumps(view, ensure_ascii=False)
    for part in (
        "cpuP99_5Percent",
        "ec2:StopInstances",
        "2026-02-28",
        "kubectl finops approve",
        "<!subteam^S0SRE00001>",
    ):
        assert part in said


def test_details_of_very_much_evidence_still_fit() -> None:
    values: dict[str, int | str] = {f"value{number}": "&" * 190 for number in range(40)}
    view = details(facts_of(State.PENDING, values=values))
    assert check_view(json.loads(json.dumps(view))) == []
    assert "10 more" in json.dumps(view)


def test_the_reason_is_optional_only_where_the_policy_says_never() -> None:
    for rule, optional in (("Never", True), ("Deny", False), ("Always", False)):
        block = deny_reason(facts_of(State.PENDING, require_reason=rule), ORIGIN)["blocks"][1]
        assert block["optional"] is optional


def test_where_every_vote_needs_a_reason_the_modal_is_the_confirmation() -> None:
    approve = card(facts_of(State.PENDING, require_reason="Always"), BUTTONS).blocks[-1]["elements"][0]
    assert "confirm" not in approve


def test_a_request_deleted_from_the_cluster_loses_its_buttons() -> None:
    before = card(facts_of(State.PENDING), BUTTONS)
    after = gone(before.text, before.blocks)
    assert_passes(after.blocks, after.text)
    assert all(block["type"] != "actions" for block in after.blocks)
    assert "No longer in the cluster" in json.dumps(after.blocks)


def test_a_metric_that_was_not_measured_is_never_shown_as_zero() -> None:
    fields = card(facts_of(State.PENDING, values={}), BUTTONS).blocks
    said = json.dumps(fields, ensure_ascii=False)
    assert "*Memory*\\nnot measured" in said
    assert "*CPU*\\nnot measured" in said
    unknown = card(facts_of(State.PENDING, values={"memoryP99_5Percent": "unknown", "maximumCpuPercent": 3}), BUTTONS)
    assert "*Memory*\\nnot measured" in json.dumps(unknown.blocks)
    assert "*CPU*\\n3.0 % (maximum)" in json.dumps(unknown.blocks)


def test_a_threshold_is_never_taken_for_a_measurement() -> None:
    shown = card(facts_of(State.PENDING, values={"thresholdCpuMaximumPercent": 5, "neededMemoryP99": 1}), BUTTONS)
    assert json.dumps(shown.blocks).count("not measured") == 2


def test_warnings_of_the_operator_stand_on_the_card_as_inert_text() -> None:
    shown = card(
        facts_of(State.PENDING, values={"warning1": "Part of <!here> a group.", "warning2": "No AMI"}), BUTTONS
    )
    (block,) = [block for block in shown.blocks if block["block_id"] == "warnings"]
    assert block["text"]["text"] == "*Take care:* Part of &lt;!here&gt; a group.\n*Take care:* No AMI"


def test_warnings_stand_in_the_order_of_their_numbers() -> None:
    facts = facts_of(State.PENDING, values={f"warning{number}": f"number {number}" for number in (10, 2, 1)})
    assert facts.warnings == ("number 1", "number 2", "number 10")


def test_several_changes_are_named_with_units_and_the_one_that_matters_comes_first() -> None:
    request, _ = in_state(State.PENDING)
    spec = request.spec.model_copy(
        update={
            "action": "ebs_volume_modify",
            "parameters": {"iops": 3000, "throughput": 125, "volumeType": "gp3"},
            "fingerprint": {"iops": "300", "throughput": "125", "volumeType": '"gp2"'},
        }
    )
    facts = card_facts(request.model_copy(update={"spec": spec}), [], demo=False)
    assert target(facts) == "gp2 → gp3, 3000 IOPS, 125 MiB/s"
    assert target(facts, before=True) == "gp2 → gp3, 300 → 3000 IOPS, 125 MiB/s"
    heading = card(facts, BUTTONS).blocks[0]["text"]["text"]
    assert heading == "Modify web-1 (i-0abc1234def567890) gp2 → gp3, 3000 IOPS, 125 MiB/s: save $49.94 a month"


def test_an_act_nobody_wrote_words_for_still_reads_well() -> None:
    request, _ = in_state(State.PENDING)
    for restart, said in ((True, "it restarts on the way"), (False, "no restart is needed")):
        spec = request.spec.model_copy(update={"action": "rds_instance_reboot", "restart_needed": restart})
        facts = card_facts(request.model_copy(update={"spec": spec}), [], demo=False)
        shown = card(facts, BUTTONS)
        assert_passes(shown.blocks, shown.text)
        assert shown.blocks[0]["text"]["text"].startswith("Reboot web-1")
        assert said in json.dumps(shown.blocks)


def test_a_stopped_instance_is_resized_without_downtime() -> None:
    request, _ = in_state(State.PENDING)
    spec = request.spec.model_copy(update={"plan": request.spec.plan[2:3]})
    facts = card_facts(request.model_copy(update={"spec": spec}), [], demo=False)
    assert "none, it is not running" in json.dumps(card(facts, BUTTONS).blocks)


def test_steps_that_lead_back_are_said_to_lead_back() -> None:
    request, cast = in_state(State.EXECUTING)
    for step, said in (
        ("stop_again", "rolling back, stopping"),
        ("restore_type", "rolling back, setting"),
    ):
        execution = request.status.execution
        assert execution is not None
        status = request.status.model_copy(update={"execution": execution.model_copy(update={"step": step})})
        facts = card_facts(request.model_copy(update={"status": status}), cast, demo=False)
        assert said in json.dumps(card(facts, BUTTONS).blocks)


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
