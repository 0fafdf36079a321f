"""What a person does in the dashboard with the keyboard alone, and what every page promises whoever opens it.

Used on the demo and on the cluster: what stands here knows neither.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from tests.support.browser import Browser

PAGES: Final = (
    *("/", "/optimizations", "/resources", "/requests", "/savings", "/anomalies", "/budgets", "/policies", "/audit"),
)
_AXE: Final = """
axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]})
  .then((found) => ({checked: found.passes.length,
    violations: found.violations.map((one) => one.id + ": " + one.nodes.map((n) => n.html).join(" "))}))
"""
_FOCUSED: Final = "(document.activeElement.innerText || document.activeElement.value || '').trim()"
_MOST_TABS: Final = 60


def press(browser: Browser, *keys: str) -> None:
    """Press keys one after the other: letters and signs, Enter, Tab, Escape."""
    for key in keys:
        if len(key) > 1:
            browser.press(key)
            continue
        for kind in ("keyDown", "keyUp"):
            more = {"text": key} if kind == "keyDown" else {}
            browser.command("Input.dispatchKeyEvent", type=kind, key=key, **more)


def tab_to(browser: Browser, text: str) -> None:
    """Press Tab until what has the focus shows `text`. Fails when it is not reached."""
    passed = []
    for _ in range(_MOST_TABS):
        press(browser, "Tab")
        passed.append(str(browser.evaluate(_FOCUSED)))
        if passed[-1] == text:
            return
    raise AssertionError(f"Tab does not reach {text}: {passed}")


def assert_no_barriers(browser: Browser, base: str, paths: Iterable[str]) -> None:
    """Open each page in light and dark: axe finds nothing, and nothing was logged or thrown."""
    browser.command("Page.setBypassCSP", enabled=True)  # the page's own policy keeps foreign scripts out, axe too
    script = (files("axe_core_python") / "axe.min.js").read_text("utf-8")
    for path in paths:
        for dark in (False, True):
            browser.set_theme(dark=dark)
            browser.goto(base + path)
            browser.evaluate(f"{script}; true")
            found = browser.evaluate(_AXE)
            assert found["checked"] > 10, path
            assert found["violations"] == [], (path, dark)
    browser.set_theme(dark=False)
    assert browser.console == []


@dataclass(frozen=True, slots=True)
class Approved:
    """What was approved: the resource's name and id, and its saving a month as pages write it."""

    name: str
    id: str
    saving: str


def approve_dearest(browser: Browser, check: str) -> Approved:
    """Find what a check found with the largest saving, read why, and approve it, from any page and by keys alone."""
    # A page that shows its first lines does not know its keys yet.
    browser.wait_for("document.readyState === 'complete'")
    press(browser, "g", "o")
    browser.wait_for("location.pathname === '/optimizations' && document.readyState === 'complete'")
    press(browser, "/")
    browser.wait_for("document.activeElement.name === 'find'")
    browser.command("Input.insertText", text=check)
    press(browser, "Enter")
    browser.wait_for(f"location.search.includes('find={check}') && document.readyState === 'complete'")
    cells = "document.querySelector('table.rows tbody').querySelectorAll('td.n')"
    sums = browser.evaluate(f"[...{cells}].map((one) => one.innerText)")
    assert sums, browser.text("main")
    press(browser, "j", "Enter")
    browser.wait_for("location.hash === '#open' && document.readyState === 'complete'")
    _assert_says_why(browser)
    link = "#open section a[href^='/resources/']"
    name = browser.text(link)
    resource = str(browser.evaluate(f"document.querySelector({json.dumps(link)}).pathname.split('/').at(-1)"))
    saving = browser.text("#open .gain").removeprefix("$").removesuffix(" a month")
    amounts = [float(one.replace(",", "")) for one in sums]
    assert float(saving.replace(",", "")) == max(amounts), (saving, sums)
    press(browser, "a")
    browser.wait_for("document.activeElement.value === 'Approve'")
    press(browser, "Enter")
    browser.wait_text("Your vote", "[role=status]")
    # A page that shows its first lines does not know its keys yet.
    browser.wait_for("document.readyState === 'complete'")
    return Approved(name, resource, saving)


def _assert_says_why(browser: Browser) -> None:
    heads = browser.evaluate("[...document.querySelectorAll('#open h3')].map((one) => one.innerText)")
    assert {"Decide", "Why", "Risk"} <= set(heads)
    facts = int(browser.evaluate("document.querySelectorAll('#open section:not(#decide) dl.facts dt').length"))
    assert facts > 3, browser.text("#open")


def watch_it_succeed(browser: Browser, one: Approved) -> None:
    """Open Requests and see the act come to its end there, without opening the page again."""
    press(browser, "g", "r")
    browser.wait_for("location.pathname === '/requests' && document.readyState === 'complete'")
    browser.evaluate("window.neverLeft = true")
    row = f"[...document.querySelectorAll('#live tr')].find((row) => row.innerText.includes({json.dumps(one.name)}))"
    browser.wait_for(f"({row})?.innerText.includes('Succeeded')")
    assert browser.evaluate("window.neverLeft") is True


def see_its_saving(browser: Browser, one: Approved) -> None:
    """Go to Savings by Tab: the act stands there with what it saves."""
    tab_to(browser, "Savings")
    press(browser, "Enter")
    browser.wait_for("location.pathname === '/savings' && document.readyState === 'complete'")
    row = f"[...document.querySelectorAll('tr')].find((row) => row.innerText.includes({json.dumps(one.id)}))"
    assert one.saving in str(browser.evaluate(f"({row})?.innerText")), browser.text("main")


def verify_the_ledger(browser: Browser) -> None:
    """Go to Audit and have the whole ledger checked."""
    press(browser, "g", "a")
    browser.wait_for("location.pathname === '/audit' && document.readyState === 'complete'")
    button = browser.text(".verdict button")
    tab_to(browser, button)
    press(browser, "Enter")
    browser.wait_for("location.search.includes('checked') && document.readyState === 'complete'")
    browser.wait_text("The ledger is intact", ".verdict")


def ask_what_if(browser: Browser, base: str, policy: str, check: str, threshold: str, value: str) -> str:
    """Ask on a policy's page what it would find with another threshold; return what the answer says."""
    browser.goto(f"{base}/policies/{policy}?check={check}#what-if")
    index = f"[...document.querySelectorAll('input[name=parameter]')].findIndex((one) => one.value === '{threshold}')"
    field = f"document.querySelectorAll('input[name=value]')[{index}]"
    browser.evaluate(f"(() => {{ {field}.focus(); {field}.select(); }})()")
    browser.command("Input.insertText", text=value)
    browser.click("form.thresholds button", "What would it find?")
    browser.wait_text("Judged on the scan that ended")
    assert browser.evaluate("document.getElementById('answer').dataset.poll") is None
    return browser.text("main")
