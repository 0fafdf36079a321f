"""The pictures in the docs: a whole card as it waits for a decision, on a desk and on a phone in light and dark, and
what the card says first in each state.

The statuses are written by the operator's own functions, the cards made by the bot's own views and posted through
Slack's own client; the page is the sandbox's. With FINOPS_WRITE_PICTURES=1 the pictures are written into docs/images,
otherwise next to the test's other files.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from slack_sdk import WebClient
from tests.support.browser import Browser
from tests.support.sample_requests import delete_request, in_state, vote, votes

from finops.domain.decision import State
from finops_sandbox.slack import SlackDouble
from finops_slackbot.buttons import Buttons
from finops_slackbot.card_facts import card_facts
from finops_slackbot.views.card import card
from finops_slackbot.views.thread import thread_blocks, thread_lines

CHANNEL = "C0FINOPS01"
IMAGES = Path(__file__).parents[3] / "docs" / "images"
# Of each card the heading and the status, in three columns: what stays the same below is in the other picture. The
# page's own styles draw them, its frame and its scrolling are left out.
SIDE_BY_SIDE = """(() => {
  const cards = [...document.querySelectorAll('#scroll .message article')];
  const grid = document.createElement('div');
  grid.style.cssText = 'columns:3; column-gap:16px; padding:16px; background:Canvas';
  for (const card of cards) {
    card.querySelectorAll('dialog').forEach(one => one.remove());
    for (const block of [...card.children].slice(3)) block.remove();
    const box = document.createElement('div');
    box.style.cssText = 'break-inside:avoid; margin-bottom:16px; padding:12px 14px; overflow:hidden;'
      + 'border:1px solid #8884; border-radius:8px';
    box.append(card);
    grid.append(box);
  }
  document.body.replaceChildren(grid);
  for (const one of [document.documentElement, document.body])
    one.style.cssText = 'display:block; height:auto; overflow:visible; margin:0';
})()"""
PHONE = (390, 844)
"""Width and height of a common phone in CSS pixels; Slack's own bars take about 150 of the height."""
FIRST_SCREEN = PHONE[1] - 150
LOWEST_BUTTON = (
    "Math.max(...[...document.querySelectorAll('.message button')].map(one => one.getBoundingClientRect().bottom))"
)
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return IMAGES if os.environ.get("FINOPS_WRITE_PICTURES") else tmp_path


def test_on_a_phone_the_buttons_are_on_the_first_screen_in_light_and_dark(folder: Path) -> None:
    with SlackDouble(limits="off") as slack, Browser(width=PHONE[0], height=PHONE[1]) as browser:
        client = WebClient(token="xoxb-sandbox-finops", base_url=slack.api_url)
        request, votes = in_state(State.PENDING)
        shown = card(card_facts(request, votes, demo=False), Buttons(b"a key for pictures"))
        client.chat_postMessage(channel=CHANNEL, text=shown.text, blocks=list(shown.blocks))
        for theme in ("light", "dark"):
            browser.set_theme(dark=theme == "dark")
            browser.goto(slack.url)
            browser.wait_text("Approve")
            browser.evaluate("document.querySelector('.message').scrollIntoView()")
            top = browser.evaluate("document.querySelector('.message').getBoundingClientRect().top")
            bottom = browser.evaluate(LOWEST_BUTTON)
            assert bottom - top <= FIRST_SCREEN
            assert browser.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
            browser.screenshot(folder / f"slack-phone-{theme}.png")
    for theme in ("light", "dark"):
        assert (folder / f"slack-phone-{theme}.png").read_bytes().startswith(PNG)
        assert (IMAGES / f"slack-phone-{theme}.png").is_file(), "write it with FINOPS_WRITE_PICTURES=1"


def test_the_page_shows_a_card_in_each_state_and_the_docs_have_its_picture(folder: Path) -> None:
    with SlackDouble(limits="off") as slack, Browser(width=900, height=1000) as browser:
        client = WebClient(token="xoxb-sandbox-finops", base_url=slack.api_url)
        for state in State:
            request, votes = in_state(state)
            facts = card_facts(request, votes, demo=False)
            shown = card(facts, Buttons(b"a key for pictures"))
            posted = client.chat_postMessage(channel=CHANNEL, text=shown.text, blocks=list(shown.blocks))
            for _, line in thread_lines(facts):
                client.chat_postMessage(channel=CHANNEL, text=line, thread_ts=posted["ts"])
            assert thread_blocks(thread_lines(facts)) is not None
        browser.goto(slack.url)
        browser.wait_text("1 of 1 approval")
        browser.evaluate("document.querySelector('.message').scrollIntoView()")
        browser.resize(900, 760)
        browser.screenshot(folder / "slack-card.png")
        browser.resize(1300, 1000)
        browser.evaluate(SIDE_BY_SIDE)
        browser.resize(1300, int(browser.evaluate("document.body.scrollHeight")))
        browser.screenshot(folder / "slack-states.png")
    for name in ("slack-states.png", "slack-card.png"):
        assert (folder / name).read_bytes().startswith(PNG)
        assert (IMAGES / name).is_file(), f"docs/images/{name}: write it with FINOPS_WRITE_PICTURES=1"


def test_a_deletion_that_lacks_an_approval_outside_slack_says_so_on_the_first_screen_and_has_its_picture(
    folder: Path,
) -> None:
    request = delete_request(status={"state": "Pending", "votes": votes(1, required=2)})
    terms = request.spec.approval.model_copy(update={"step_up": True})
    request = request.model_copy(update={"spec": request.spec.model_copy(update={"approval": terms})})
    shown = card(card_facts(request, [vote(request)], demo=False), Buttons(b"a key for pictures"))
    with SlackDouble(limits="off") as slack, Browser(width=PHONE[0], height=PHONE[1]) as browser:
        client = WebClient(token="xoxb-sandbox-finops", base_url=slack.api_url)
        client.chat_postMessage(channel=CHANNEL, text=shown.text, blocks=list(shown.blocks))
        browser.goto(slack.url)
        browser.wait_text("1 more approval outside Slack")
        browser.evaluate("document.querySelector('.message').scrollIntoView()")
        browser.screenshot(folder / "slack-step-up.png")
    assert (folder / "slack-step-up.png").read_bytes().startswith(PNG)
    assert (IMAGES / "slack-step-up.png").is_file(), "write it with FINOPS_WRITE_PICTURES=1"
