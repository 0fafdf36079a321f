"""The demo's dashboard and Slack page in a real browser: what a person who starts the demo does first.

With FINOPS_WRITE_PICTURES=1 the pictures of the dashboard are written into docs/images, otherwise next to the test's
other files.
"""

from __future__ import annotations

import json
import os
import re
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.demo.demo_process import DemoProcess, running_demo, shell
from tests.support import dashboard_journey as journey
from tests.support.browser import Browser

from finops_sandbox.slack import SlackControl

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
CARDS = ".message:not(.ephemeral) button[aria-label^=Details]"
"""Every card has one, also when it is decided."""
ALICE, BOB = "U0ALICE001", "U0BOB00001"
IMAGES = Path(__file__).parents[3] / "docs" / "images"


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoProcess]:
    with running_demo() as running:
        running.wait_for("Ctrl-C stops everything")
        yield running
        running.end()


@pytest.fixture
def browser() -> Iterator[Browser]:
    # Cards come one a second, as Slack allows, and an act takes as long as AWS takes.
    with Browser(width=1100, height=900, timeout_seconds=90) as browser:
        yield browser


def open_page(browser: Browser, demo: DemoProcess, person: str) -> int:
    """Open the printed address as `person`, with the thread that holds most cards; return the number of requests."""
    page = re.findall(r"Slack +(http\S+)", demo.text)[0]
    address = urllib.parse.urlsplit(page)
    assert dict(urllib.parse.parse_qsl(address.query))["channel"] == "C0FINOPS01"
    slack = SlackControl(demo.slack_page)
    listing = slack.wait_for(lambda: next((one["ts"] for one in slack.observed.messages() if _lists(one)), ""), 60)
    browser.goto(page.replace(ALICE, person))
    browser.wait_for("!!document.querySelector('a.thread-link')")
    browser.goto(f"{page.replace(ALICE, person)}&thread={listing}")
    # Only when no card comes any more: new ones at the end move what a pointer is aimed at.
    expected = len(json.loads(shell(demo, "finops requests -o json").stdout))
    browser.wait_for(f"document.querySelectorAll('{CARDS}').length >= {expected}")
    return expected


def _lists(message: dict[str, Any]) -> bool:
    return " new requests" in str(message.get("text"))


def approve(browser: Browser, resource: str) -> str:
    """Press Approve on the card of a resource and confirm; return a selector of the card."""
    button = f"button[data-dialog][aria-label^={json.dumps(f'Approve: {resource} (')}]"
    browser.wait_for(f"!!document.querySelector({json.dumps(button)})")
    card = str(browser.evaluate(f"document.querySelector({json.dumps(button)}).closest('.message').id"))
    browser.click(button)
    browser.wait_for("!!document.querySelector('dialog.confirm[open]')")
    browser.click("dialog.confirm[open] button[data-confirm]", "Approve")
    browser.wait_for("!document.querySelector('dialog.confirm[open]')")
    return f"#{card}"


def pictures(browser: Browser, otherwise: Path, name: str) -> None:
    """Take pictures in both themes: those of the docs when they are asked for, else into the test's folder."""
    folder = IMAGES if os.environ.get("FINOPS_WRITE_PICTURES") else otherwise
    for theme in ("dark", "light"):
        browser.set_theme(dark=theme == "dark")
        # Buttons change their colour within a moment.
        browser.wait_for("document.getAnimations().length === 0")
        browser.screenshot(folder / f"{name}-{theme}.png")
        assert (IMAGES / f"{name}-{theme}.png").is_file(), "write it with FINOPS_WRITE_PICTURES=1"


def request(demo: DemoProcess, action: str, resource: str) -> dict[str, Any]:
    done = shell(demo, "finops requests -o json")
    assert done.returncode == 0, done.stderr
    (found,) = [
        one
        for one in json.loads(done.stdout)
        if one["spec"]["action"] == action and one["spec"]["resource"]["name"] == resource
    ]
    whole: dict[str, Any] = found
    return whole


def test_the_dashboard_opens_with_one_address_and_the_docs_have_its_picture(
    demo: DemoProcess, browser: Browser, tmp_path: Path
) -> None:
    (address,) = re.findall(r"Dashboard +(http\S+)", demo.text)
    browser.resize(1280, 860)
    browser.goto(address)
    browser.wait_text("Cost a month")
    assert browser.evaluate("location.search") == ""
    pictures(browser, tmp_path, "dashboard")
    assert browser.console == []


@pytest.fixture
def signed_in(demo: DemoProcess, browser: Browser) -> str:
    """Alice's window on the dashboard; the address is what its paths begin with."""
    (address,) = re.findall(r"Dashboard +(http\S+)", demo.text)
    browser.resize(1280, 860)
    browser.goto(address)
    browser.wait_text("Cost a month")
    return str(browser.evaluate("location.origin"))


def test_the_docs_have_the_picture_of_the_list_and_one_optimization_beside_it(
    browser: Browser, signed_in: str, tmp_path: Path
) -> None:
    browser.goto(f"{signed_in}/optimizations?find=ec2_instance_idle")
    browser.wait_for("!!document.querySelector('#open')")
    browser.resize(1440, 940)
    pictures(browser, tmp_path, "optimizations")
    assert browser.console == []


def test_every_page_of_the_dashboard_has_no_barrier_in_light_and_dark(browser: Browser, signed_in: str) -> None:
    (policy, resource) = ("/policies/default/staging?check=ec2_instance_idle", "")
    browser.goto(f"{signed_in}/optimizations?find=ec2_instance_idle")
    resource = str(browser.evaluate("document.querySelector('#open a[href^=\"/resources/\"]').getAttribute('href')"))
    journey.assert_no_barriers(browser, signed_in, (*journey.PAGES, policy, resource))


def test_the_dearest_idle_instance_is_found_approved_watched_and_verified_by_keys_alone(
    browser: Browser, signed_in: str
) -> None:
    approved = journey.approve_dearest(browser, "ec2_instance_idle")
    journey.watch_it_succeed(browser, approved)
    journey.see_its_saving(browser, approved)
    journey.verify_the_ledger(browser)
    assert browser.console == []


def test_a_lower_threshold_is_asked_about_and_what_would_go_is_named(
    browser: Browser, signed_in: str, tmp_path: Path
) -> None:
    said = journey.ask_what_if(
        browser, signed_in, "default/production", "ec2_instance_idle", "maximumCpuPercent", "0.5"
    )
    assert "Would no longer be found" in said
    assert "Stop windows-idle" in said
    assert "−$" in said
    browser.evaluate("document.getElementById('answer').scrollIntoView()")
    pictures(browser, tmp_path, "what-if")
    journey.assert_no_barriers(browser, str(browser.evaluate("location.href")), ("",))


def test_alice_approves_a_resize_on_the_page_and_sees_it_verified(demo: DemoProcess, browser: Browser) -> None:
    open_page(browser, demo, ALICE)
    card = approve(browser, "eu-api-oversized")
    browser.wait_text("Done and verified", card)
    buttons = f"[...document.querySelectorAll('{card} button[data-dialog]')].map(one => one.textContent.trim())"
    assert browser.evaluate(buttons) == ["Undo…"]
    assert request(demo, "ec2_instance_resize", "eu-api-oversized")["status"]["state"] == "Succeeded"
    assert browser.console == []


def test_a_volume_is_deleted_only_after_two_people_have_approved_on_the_page(
    demo: DemoProcess, browser: Browser
) -> None:
    open_page(browser, demo, ALICE)
    card = approve(browser, "eu-forgotten")
    browser.wait_text("1 of 2 approvals", card)
    assert request(demo, "ebs_volume_delete", "eu-forgotten")["status"]["state"] == "Pending"
    open_page(browser, demo, BOB)
    assert approve(browser, "eu-forgotten") == card
    browser.wait_text("Done and verified", card)
    ended = request(demo, "ebs_volume_delete", "eu-forgotten")
    assert ended["status"]["state"] == "Succeeded"
    votes = shell(demo, f"finops audit list -o json --request {ended['metadata']['name']}")
    voted = [one["actor"] for one in json.loads(votes.stdout) if one["kind"] == "voted"]
    assert voted == [f"slack.{ALICE}", f"slack.{BOB}"]


def test_every_kind_of_act_can_be_decided_on_the_page(demo: DemoProcess, browser: Browser) -> None:
    listed = json.loads(shell(demo, "finops requests -o json").stdout)
    actions = {one["spec"]["action"] for one in listed}
    assert actions == {"ec2_instance_stop", "ec2_instance_resize", "ebs_volume_modify", "ebs_volume_delete"}
    expected = open_page(browser, demo, BOB)
    assert browser.evaluate(f"document.querySelectorAll('{CARDS}').length") == expected


def test_on_a_phone_no_short_code_is_broken(demo: DemoProcess) -> None:
    with Browser(width=390, height=844, timeout_seconds=90) as phone:
        open_page(phone, demo, ALICE)
        # A tag's value may be longer than a line; ids, regions and names are not.
        short = "[...document.querySelectorAll('code')].filter(one => one.textContent.length <= 30)"
        assert phone.evaluate(f"{short}.length") > 20
        assert (
            phone.evaluate(f"{short}.filter(one => one.getClientRects().length > 1 || one.offsetHeight > 30).length")
            == 0
        )
        assert phone.evaluate("document.documentElement.scrollWidth") <= 390
        phone.click(
            "button[aria-label^='Details of eu-api-oversized'], button[aria-label^='Details of staging-idle-1']"
        )
        phone.wait_for("!!document.querySelector('#modal dialog[open]')")
        body = "document.querySelector('.modal-body')"
        assert phone.evaluate(f"{body}.scrollWidth <= {body}.clientWidth")
        # A modal is the person's, not the window's: it would cover the page of the next test.
        phone.click("#modal dialog button", "Close")
        phone.wait_for("!document.querySelector('#modal dialog[open]')")
