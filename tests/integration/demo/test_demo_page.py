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
from tests.support.browser import Browser

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
CARDS = "document.querySelectorAll('.message:not(.ephemeral)').length"
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


def look(browser: Browser, demo: DemoProcess, person: str) -> None:
    """Open the printed address as `person`."""
    (page,) = re.findall(r"Slack +(http\S+)", demo.text)
    address = urllib.parse.urlsplit(page)
    assert dict(urllib.parse.parse_qsl(address.query))["channel"] == "C0FINOPS01"
    browser.goto(page.replace(ALICE, person))
    # Only when no card comes any more: new ones at the end move what a pointer is aimed at.
    expected = len(json.loads(shell(demo, "finops requests -o json").stdout))
    browser.wait_for(f"{CARDS} >= {expected}")


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
    folder = IMAGES if os.environ.get("FINOPS_WRITE_PICTURES") else tmp_path
    (address,) = re.findall(r"Dashboard +(http\S+)", demo.text)
    browser.resize(1280, 860)
    for theme in ("light", "dark"):
        browser.set_theme(dark=theme == "dark")
        browser.goto(address)
        browser.wait_text("Cost a month")
        assert browser.evaluate("location.search") == ""
        browser.screenshot(folder / f"dashboard-{theme}.png")
        assert (IMAGES / f"dashboard-{theme}.png").is_file(), "write it with FINOPS_WRITE_PICTURES=1"
    assert browser.console == []


def test_alice_approves_a_resize_on_the_page_and_sees_it_verified(demo: DemoProcess, browser: Browser) -> None:
    look(browser, demo, ALICE)
    card = approve(browser, "eu-api-oversized")
    browser.wait_text("Done and verified", card)
    assert browser.evaluate(f"document.querySelectorAll('{card} button[data-dialog]').length") == 0
    assert request(demo, "ec2_instance_resize", "eu-api-oversized")["status"]["state"] == "Succeeded"
    assert browser.console == []


def test_a_volume_is_deleted_only_after_two_people_have_approved_on_the_page(
    demo: DemoProcess, browser: Browser
) -> None:
    look(browser, demo, ALICE)
    card = approve(browser, "eu-forgotten")
    browser.wait_text("1 of 2 approvals", card)
    assert request(demo, "ebs_volume_delete", "eu-forgotten")["status"]["state"] == "Pending"
    look(browser, demo, BOB)
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
    look(browser, demo, BOB)
    assert browser.evaluate(CARDS) == len(listed)
