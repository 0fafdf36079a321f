"""What-if in a real browser: choose a check, change a threshold, and see the answer come, with script and without."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.browser import Browser
from tests.support.web_estate import Site
from tests.support.web_server import served
from tests.support.what_ifs import OWN, Operator, live_policy, write_scan

from finops.k8s.connection import connect
from finops.k8s.kinds import scan_policies
from finops.store.connection import Store

HERE = "/policies/team-a/all"
SPEC = f"""\
customChecks:
- id: our_rule
  kind: ec2-instance
  when: {OWN["when"]}
  message: It breaks our rule.
"""


@pytest.fixture
def address(site: Site, store: Store) -> Iterator[str]:
    """A dashboard on a port of this machine, in front of one scanned policy."""
    api = scan_policies(connect(str(site.cluster.kubeconfig_for("admin"))))
    api.create(live_policy())
    write_scan(store)
    turn(store)
    with served(site.client(store).app) as served_at:
        yield served_at
    api.delete("team-a", "all")


@pytest.fixture
def browser(site: Site, address: str) -> Iterator[Browser]:
    """A window of alice, signed in."""
    with Browser(width=1280, height=900) as window:
        window.goto(f"{address}/sign-in")
        window.evaluate(f"document.querySelector('textarea').value = {site.token()!r}")
        window.evaluate("document.querySelector('form').submit()")
        window.wait_for("document.querySelector('nav') !== null")
        yield window


def turn(store: Store) -> None:
    Operator(store).loop().turn(threading.Event())


def replace_text(browser: Browser, selector: str, text: str) -> None:
    browser.wait_for(f"!!document.querySelector({selector!r})")
    browser.evaluate(f"(() => {{ const e = document.querySelector({selector!r}); e.focus(); e.select(); }})()")
    browser.command("Input.insertText", text=text)


def pictures(browser: Browser, folder: Path, name: str) -> None:
    """Take pictures in both themes, wide and as on a phone, where nothing may be wider than the window."""
    for width, height in ((390, 844), (1280, 900)):
        browser.resize(width, height)
        assert browser.evaluate("document.documentElement.scrollWidth") <= width
        for dark in (True, False):
            browser.set_theme(dark=dark)
            browser.screenshot(folder / f"{name}-{width}-{'dark' if dark else 'light'}.png")


def test_a_threshold_is_changed_and_the_answer_comes_by_itself(
    store: Store, address: str, browser: Browser, tmp_path: Path
) -> None:
    browser.goto(f"{address}/policies")
    browser.click("main h2 a", "team-a/all")
    browser.wait_text("What would it find with another spec?")
    browser.choose("select[name=check]", "ec2_instance_idle")
    browser.click("form.choose button", "Show its thresholds")
    browser.wait_for("!!document.querySelector('input[name=value]')")
    pictures(browser, tmp_path, "form")
    replace_text(browser, "input[name=value]", "2.5")
    browser.click("form.thresholds button", "What would it find?")
    browser.wait_text("Waiting for the operator")

    turn(store)

    browser.wait_text("Would no longer be found")
    browser.wait_for("document.getElementById('said').textContent === 'The answer is here.'")
    assert browser.evaluate("document.getElementById('answer').dataset.poll") is None
    assert "+    maximumCpuPercent: 2.5" in browser.text("pre")
    assert "−$65.21" in browser.text("dl.three")
    pictures(browser, tmp_path, "answer")
    assert browser.console == []


def test_a_spec_is_asked_about_without_script_and_the_answer_is_read_by_asking_again(
    store: Store, address: str, browser: Browser
) -> None:
    browser.command("Emulation.setScriptExecutionDisabled", value=True)
    browser.goto(f"{address}{HERE}")
    browser.click("summary", "A whole spec, as YAML")
    replace_text(browser, "textarea[name=text]", SPEC)
    browser.click("details form.thresholds button", "What would it find?")
    browser.wait_text("Waiting for the operator")
    turn(store)
    browser.click("a.button", "Show whether the answer is there")
    browser.wait_text("It breaks our rule.")
    browser.wait_text("unknown")


def test_an_error_stands_beside_what_was_written(address: str, browser: Browser) -> None:
    browser.goto(f"{address}{HERE}")
    browser.click("summary", "A whole spec, as YAML")
    replace_text(browser, "textarea[name=text]", "regions: [eu-west-1]\ncadence: daily\n")
    browser.click("details form.thresholds button", "What would it find?")
    browser.wait_text("spec.cadence (line 2)", "[role=alert]")
    assert "cadence: daily" in browser.evaluate("document.querySelector('textarea').value")
    assert browser.evaluate("document.querySelector('details.in').open") is True
