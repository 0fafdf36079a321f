"""The page in a real browser: people click, fill in, switch; hostile text stays text."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from slack_bolt import Ack, App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from tests.integration.sandbox_slack.conftest import close_socket_client
from tests.integration.sandbox_slack.sample_cards import card, decided_card, deny_view
from tests.support.browser import Browser
from tests.support.slack_workspace import workspace_of_a_larger_app

from finops_sandbox.slack import SlackControl, SlackDouble

FINOPS = "C0FINOPS01"
ALICE, BOB, DAVE = "U0ALICE001", "U0BOB00001", "U0DAVE0001"
HOSTILE = "<img src=x onerror=\"document.title='owned'\">'\"><script>document.title='owned'</script>"


@pytest.fixture(scope="module")
def window() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


@pytest.fixture
def browser(window: Browser) -> Iterator[Browser]:
    window.resize(1280, 900)
    window.set_theme(dark=False)
    window.console.clear()
    yield window
    window.goto("about:blank")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlackDouble]:
    workspace = workspace_of_a_larger_app(tmp_path_factory.mktemp("workspace"))
    with SlackDouble(limits="off", workspace=workspace) as double:
        yield double


@pytest.fixture
def slack(shared: SlackDouble) -> SlackDouble:
    shared.control.workspace.reset()
    return shared


@pytest.fixture(scope="module")
def bot(shared: SlackDouble) -> Iterator[App]:
    control = shared.control
    app = App(client=WebClient(token="xoxb-sandbox-finops", base_url=shared.api_url))

    @app.action("approve")
    def approve(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        blocks = decided_card("reports-3", f":white_check_mark: Approved by <@{body['user']['id']}>")
        client.chat_update(channel=FINOPS, ts=body["message"]["ts"], text="approved", blocks=blocks)

    @app.action("deny")
    def deny(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=deny_view())

    @app.view("deny")
    def denied(ack: Ack, view: dict[str, Any], client: WebClient, body: dict[str, Any]) -> None:
        reason = view["state"]["values"]["reason"]["reason"]["value"]
        if len(reason) < 10:
            ack(response_action="errors", errors={"reason": "Please write at least ten characters."})
            return
        ack()
        client.chat_postMessage(channel=FINOPS, text=f"Denied by <@{body['user']['id']}>: {reason}")

    @app.view_closed("deny")
    def closed(ack: Ack) -> None:
        ack()

    @app.command("/finops")
    def command(ack: Ack, body: dict[str, Any]) -> None:
        ack(f"You said {body['text']}")

    handler = SocketModeHandler(app, "xapp-sandbox-finops")
    handler.connect()  # type: ignore[no-untyped-call] # slack_bolt leaves it untyped
    control.wait_for(lambda: control.observed.health()["connections"] == 1)
    yield app
    close_socket_client(handler.client, control)


def post(client: WebClient, name: str = "reports-3") -> str:
    return str(client.chat_postMessage(channel=FINOPS, text="card", blocks=card(name))["ts"])


def test_an_empty_channel_says_so_and_a_message_appears_by_itself(
    browser: Browser, slack: SlackDouble, client: WebClient
) -> None:
    browser.goto(slack.url)
    browser.wait_text("Nothing in # finops yet")
    post(client)
    browser.wait_text("Resize reports-3: save $210.24 a month")
    assert "Sandbox" in browser.evaluate("document.querySelector('.banner').textContent")
    assert browser.console == []


def test_a_person_approves_over_the_confirmation(
    browser: Browser, slack: SlackDouble, client: WebClient, bot: App
) -> None:
    browser.goto(f"{slack.url}/?user={BOB}")
    post(client)
    browser.click("button.primary", "Approve")
    browser.wait_text("stops for about two minutes", "dialog[open]")
    browser.click("dialog[open] button", "Not now")
    browser.wait_for("!document.querySelector('dialog[open]')")
    assert "Approved by" not in browser.text("main")
    browser.click("button.primary", "Approve")
    browser.click("dialog[open] button", "Approve the resize")
    browser.wait_text("Approved by @bob")
    assert browser.evaluate("![...document.querySelectorAll('main button')].some(b => b.innerText === 'Approve')")


def test_a_button_under_a_finger_stays_when_another_message_arrives(
    browser: Browser, slack: SlackDouble, client: WebClient, bot: App
) -> None:
    browser.goto(f"{slack.url}/?user={BOB}")
    post(client)
    browser.wait_text("Resize reports-3")
    box = browser.evaluate("document.querySelector('button.primary').getBoundingClientRect().toJSON()")
    place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2, "button": "left", "clickCount": 1}
    browser.command("Input.dispatchMouseEvent", type="mousePressed", **place)
    client.chat_postMessage(channel=FINOPS, text="another message")
    time.sleep(0.5)
    browser.command("Input.dispatchMouseEvent", type="mouseReleased", **place)
    browser.wait_text("stops for about two minutes", "dialog.confirm[open]")
    browser.click("dialog[open] button", "Not now")
    browser.wait_text("another message")


def test_a_person_denies_with_a_reason_after_an_error(
    browser: Browser, slack: SlackDouble, client: WebClient, bot: App
) -> None:
    browser.goto(f"{slack.url}/?user={ALICE}")
    post(client)
    browser.click("button", "Deny…")
    browser.wait_text("Deny the resize", "dialog.modal[open]")
    browser.click("dialog.modal footer button", "Deny")
    browser.wait_text("Please complete this required field.", "dialog.modal")
    browser.choose("dialog.modal select", "soon")
    browser.type("dialog.modal textarea", "short")
    browser.click("dialog.modal footer button", "Deny")
    browser.wait_text("Please write at least ten characters.", "dialog.modal")
    assert browser.evaluate("document.querySelector('dialog textarea').value") == "short"
    assert browser.evaluate("document.activeElement.getAttribute('aria-invalid')") == "true"
    browser.type("dialog.modal textarea", ", but enough now")
    browser.click("dialog.modal footer button", "Deny")
    browser.wait_text("Denied by @alice")
    browser.wait_for("!document.querySelector('dialog.modal')")


def test_escape_closes_a_modal_and_the_app_is_notified(
    browser: Browser, slack: SlackDouble, client: WebClient, control: SlackControl, bot: App
) -> None:
    browser.goto(f"{slack.url}/?user={ALICE}")
    post(client)
    browser.click("button", "Deny…")
    browser.wait_for("!!document.querySelector('dialog.modal[open]')")
    browser.press("Escape")
    browser.wait_for("!document.querySelector('dialog.modal')")
    closed = [e for e in control.observed.envelopes()["envelopes"] if e["payload"].get("type") == "view_closed"]
    assert [envelope["acked"] for envelope in closed] == [True]


def test_a_command_answers_only_the_person(browser: Browser, slack: SlackDouble, client: WebClient, bot: App) -> None:
    browser.goto(f"{slack.url}/?user={ALICE}")
    post(client)
    assert "/finops help" in browser.evaluate("document.querySelector('#text').placeholder")
    browser.type("#text", "/finops whoami")
    browser.press("Enter")
    browser.wait_text("You said whoami", ".ephemeral")
    browser.choose("#user", BOB)
    browser.wait_for("location.search.includes('BOB')")
    browser.wait_text("Resize reports-3")
    assert "You said" not in browser.text("main")


def test_a_thread_opens_below_its_message_grows_and_closes(
    browser: Browser, slack: SlackDouble, client: WebClient, bot: App
) -> None:
    ts = post(client)
    client.chat_postMessage(channel=FINOPS, thread_ts=ts, text="<@U0ALICE001> approved")
    browser.goto(f"{slack.url}/?user={DAVE}")
    browser.click("a.thread-link", "1 reply")
    browser.wait_text("@alice approved", "#thread")
    client.chat_postMessage(channel=FINOPS, thread_ts=ts, text="and it ended")
    browser.wait_text("and it ended", "#thread")
    browser.click("a.thread-link", "Close the thread")
    browser.wait_text("2 replies")
    assert "and it ended" not in browser.text("main")


def test_each_person_has_the_channels_they_are_in(browser: Browser, slack: SlackDouble) -> None:
    browser.goto(f"{slack.url}/?user={DAVE}")
    assert "finance-private" in browser.text("#sidebar")
    browser.goto(f"{slack.url}/?user={ALICE}")
    assert "finance-private" not in browser.text("#sidebar")


def test_what_is_typed_stays_when_a_message_arrives(
    browser: Browser, slack: SlackDouble, client: WebClient, bot: App
) -> None:
    browser.goto(f"{slack.url}/?user={ALICE}")
    post(client)
    browser.type("#text", "half a sentence")
    client.chat_postMessage(channel=FINOPS, text="another message")
    browser.wait_text("another message")
    assert browser.evaluate("document.querySelector('#text').value") == "half a sentence"
    browser.click("button", "Deny…")
    browser.wait_text("Deny the resize", "dialog.modal[open]")
    browser.type("dialog.modal textarea", "half a reason")
    client.chat_postMessage(channel=FINOPS, text="one more message")
    browser.wait_text("one more message")
    assert browser.evaluate("document.querySelector('dialog.modal textarea').value") == "half a reason"


def test_an_app_without_commands_is_not_offered_with_one(browser: Browser) -> None:
    with SlackDouble(limits="off") as plain:
        browser.goto(f"{plain.url}/?user={ALICE}")
        browser.wait_text("Nothing in # finops yet")
        assert browser.evaluate("document.querySelector('#text').placeholder") == "Message"
        browser.type("#text", "/finops help")
        browser.press("Enter")
        browser.wait_text("No app in this workspace knows that command.", "#toast")


def test_a_click_nobody_takes_is_said(browser: Browser) -> None:
    with SlackDouble() as lonely:
        post(WebClient(token="xoxb-sandbox-finops", base_url=lonely.api_url))
        browser.goto(lonely.url)
        browser.click("button", "Details")
        browser.wait_text("The app is not connected", "#toast")
        browser.goto("about:blank")


def test_hostile_text_stays_text_everywhere(
    browser: Browser, slack: SlackDouble, client: WebClient, control: SlackControl
) -> None:
    name = HOSTILE[:60]
    post(client, name)
    client.chat_postMessage(channel=FINOPS, text=HOSTILE + " <!channel> <javascript:alert(1)|click>")
    control.people.say(user=BOB, text=HOSTILE)
    client.chat_postEphemeral(channel=FINOPS, user=ALICE, text=HOSTILE)
    browser.goto(f"{slack.url}/?user={ALICE}&channel={HOSTILE[:20].replace(' ', '%20')}&thread=%22%3E%3Cscript%3E")
    browser.wait_text("<script>document.title='owned'</script>")
    browser.wait_text("<javascript:alert(1)|click>")
    assert browser.evaluate("document.title") != "owned"
    assert browser.evaluate("document.querySelectorAll('main img, main script, a[href^=javascript]').length") == 0
    assert browser.console == []


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (390, False), (390, True)])
def test_the_page_fits_and_is_named_at_every_size(
    browser: Browser, slack: SlackDouble, client: WebClient, tmp_path: Path, width: int, dark: bool
) -> None:
    post(client)
    browser.resize(width, 844)
    browser.set_theme(dark=dark)
    browser.goto(slack.url)
    browser.wait_text("Resize reports-3")
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    unnamed = (
        "[...document.querySelectorAll('button, select, input, textarea, a[href]')]"
        ".filter(e => !(e.textContent.trim() || e.getAttribute('aria-label') || (e.labels && e.labels.length)"
        " || e.closest('dialog:not([open])'))).map(e => e.outerHTML)"
    )
    assert browser.evaluate(unnamed) == []
    # WCAG AA: 4.5 to 1 for the text of the card, its notes and its buttons.
    for selector in (".message .text", ".context", ".by time", ".button.primary", ".button.danger", ".banner"):
        assert browser.evaluate(CONTRAST % json.dumps(selector)) >= 4.5, selector
    picture = tmp_path / "page.png"
    browser.screenshot(picture)
    assert picture.read_bytes().startswith(b"\x89PNG")


CONTRAST = """(() => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const linear = (v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const light = (c) => [0.2126, 0.7152, 0.0722].reduce((sum, w, i) => sum + w * linear(c[i] / 255), 0);
  const element = document.querySelector(%s);
  let back = element;
  while (back && (rgb(getComputedStyle(back).backgroundColor)[3] ?? 1) === 0) back = back.parentElement;
  const one = light(rgb(getComputedStyle(element).color));
  const two = light(rgb(getComputedStyle(back || document.body).backgroundColor));
  return (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
})()"""


def test_the_page_takes_no_posts_from_other_sites(slack: SlackDouble) -> None:
    address = f"{slack.url}/_page/act/say"
    body = json.dumps({"user": ALICE, "channel": FINOPS, "text": "x"}).encode()
    for headers in (
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json", "Origin": "https://elsewhere.example"},
    ):
        request = urllib.request.Request(address, data=body, headers=headers)
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request, timeout=5)
        caught.value.close()
        assert caught.value.code == 403


def test_a_permalink_opens_the_message(browser: Browser, slack: SlackDouble, client: WebClient) -> None:
    ts = post(client)
    link = client.chat_getPermalink(channel=FINOPS, message_ts=ts)["permalink"]
    browser.goto(link)
    browser.wait_for(f"location.hash === '#m-{ts.replace('.', '-')}'")
    browser.wait_text("Resize reports-3")
