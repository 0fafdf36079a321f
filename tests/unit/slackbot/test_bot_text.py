"""Foreign text made harmless, buttons that cannot be forged, answers that say what to do."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.sample_requests import STATUSES, UID, in_state, resize_request, vote

from finops.domain.decision import Choice, State
from finops_slackbot.buttons import Buttons, ButtonValue, revision_of
from finops_slackbot.card_facts import card_facts
from finops_slackbot.text import code, fit, neutral, plain, quote, stored_length
from finops_slackbot.views import answers


@given(st.text(max_size=200), st.integers(5, 120))
def test_plain_text_never_hides_anything_and_never_exceeds_its_budget(text: str, limit: int) -> None:
    shown = plain(text, limit)
    assert stored_length(shown) <= limit
    assert all(unicodedata.category(sign) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for sign in shown)


@given(st.text(max_size=200))
def test_code_is_one_span_without_syntax(text: str) -> None:
    shown = code(text)
    if shown != "–":
        assert shown[0] == shown[-1] == "`"
        assert "`" not in shown[1:-1]
    assert "<" not in shown
    assert ">" not in shown


@given(st.text(max_size=300))
def test_neutral_text_stays_neutral(text: str) -> None:
    assert neutral(neutral(text)) == neutral(text)


@given(st.text(max_size=300))
def test_quotes_hold_no_mention_and_no_link(text: str) -> None:
    shown = quote(text)
    assert not set("<>`*~") & set(shown)


def test_cutting_never_splits_an_entity() -> None:
    assert fit("a" * 8 + "&amp;" * 3, 12) == "a" * 8 + "…"
    assert fit("short", 12) == "short"


def test_a_button_is_read_back_only_with_the_key_that_made_it() -> None:
    ours, theirs = Buttons(b"ours"), Buttons(b"theirs")
    value = ours.value(UID, "0123456789ab")
    assert ours.read(value) == ButtonValue(UID, "0123456789ab")
    assert theirs.read(value) is None


@pytest.mark.parametrize("change", ["", "2", ".", "x" * 3000, '{"action":"ec2_instance_terminate"}', "1.a.b.c"])
def test_a_value_that_was_changed_is_not_read(change: str) -> None:
    buttons = Buttons(b"ours")
    assert buttons.read(change) is None
    assert buttons.read(buttons.value(UID, "0123456789ab") + change + "0") is None
    assert buttons.read(buttons.value(UID, "0123456789ab").replace("0123456789ab", "0123456789ac")) is None


def test_the_revision_is_the_start_of_the_plans_hash() -> None:
    assert revision_of("abcdef0123456789" * 4) == "abcdef012345"


@pytest.mark.parametrize("state", [state for state in State if state is not State.PENDING])
def test_a_closed_request_says_that_nothing_was_recorded(state: State) -> None:
    request, votes = in_state(state)
    text = answers.closed(card_facts(request, votes, demo=False), "https://slack.example/p1")
    assert text.startswith("Not recorded: ")
    if state is State.SUPERSEDED:
        assert "<https://slack.example/p1|Go to the newer card.>" in text


def test_who_is_not_eligible_learns_who_is() -> None:
    request = resize_request(status=STATUSES[State.PENDING])
    refused = vote(request, result="Refused", answer_reason="NotEligible", message="no")
    text = answers.verdict(refused, card_facts(request, [], demo=False))
    assert "not an approver" in text
    assert "<!subteam^S0SRE00001>" in text


def test_other_refusals_are_shown_in_the_operators_words_made_inert() -> None:
    request = resize_request(status=STATUSES[State.PENDING])
    refused = vote(request, result="Refused", answer_reason="WrongPlan", message="Another <!channel> plan.")
    text = answers.verdict(refused, card_facts(request, [], demo=False))
    assert "&lt;!channel&gt;" in text


def test_a_denial_closes_the_request() -> None:
    request = resize_request(status=STATUSES[State.DENIED])
    denial = vote(request, choice=Choice.DENY, reason="no")
    assert "nothing will be done" in answers.verdict(denial, None)
