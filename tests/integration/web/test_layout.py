"""Pages in a real browser: no sideways scrolling at any width, no error in the console, keys, names and headings."""

from __future__ import annotations

import threading
import time
from array import array
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from importlib.resources import files
from typing import Any

import pytest
from tests.support.browser import Browser
from tests.support.budgets import budgets_on
from tests.support.facts import flat
from tests.support.scan_samples import recommendation, reference
from tests.support.web_estate import ACCOUNT, NOW, Site, StoredScan, priced, resource
from tests.support.web_server import served
from tests.support.what_ifs import OWN, SPEC, Operator, live_policy, question

from finops.domain.days import DayPoints
from finops.domain.recommendation import Recommendation
from finops.domain.report import ShardCost
from finops.domain.resource import Gap, Resource, Shard
from finops.domain.rings import Ring
from finops.domain.utilization import Utilization
from finops.k8s.connection import connect
from finops.k8s.kinds import scan_policies
from finops.store.connection import Store
from finops.store.cost_history import CostHistoryStore
from finops.store.utilization import UtilizationStore
from finops.store.what_if import KnownCheck, WhatIfs
from finops_operator.plugins.loaded import load_checks, load_kinds
from finops_web.columns import Column

WIDTHS = (390, 600, 601, 701, 860, 861, 1024, 1240, 1241, 1440, 1919, 2200, 2560)
PAGES = (
    *("/", "/optimizations", "/optimizations?open=rec1", "/resources", "/resources/ec2-instance/i-1", "/requests"),
    "/resources?" + "&".join(f"columns={one.value}" for one in Column),
    "/resources?kind=ec2-instance&columns=cost&columns=attributes.instance_type&columns=attributes.platform",
    *("/savings", "/nowhere", "/anomalies", "/budgets", "/policies", "/audit"),
    *("/policies/team-a/all", "/policies/team-a/all?check=ec2_instance_idle", f"/policies/team-a/all/what-if/{1:032x}"),
)
LONG = "a-name-without-any-place-to-break-it-" * 4
PROBLEMS = """
(() => {
  const found = [];
  const named = (one) => one.labels?.length || one.getAttribute("aria-label") || one.textContent.trim();
  for (const one of document.querySelectorAll("input:not([type=hidden]), select, textarea, button, a"))
    if (!named(one)) found.push("no name: " + one.outerHTML.slice(0, 120));
  for (const one of document.querySelectorAll("table"))
    if (!one.caption || !one.caption.textContent.trim()) found.push("no caption: " + one.outerHTML.slice(0, 120));
  for (const one of document.querySelectorAll("th")) if (!one.scope) found.push("no scope: " + one.outerHTML);
  for (const one of document.querySelectorAll("svg"))
    if (!one.getAttribute("aria-label") || !one.closest(".bars") && !one.closest(".card").querySelector("table"))
      found.push("a picture without name or table: " + one.outerHTML.slice(0, 120));
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  if (new Set(ids).size !== ids.length) found.push("an id stands twice: " + ids);
  if (document.querySelectorAll("h1").length !== 1) found.push("not one h1");
  let level = 1;
  for (const one of document.querySelectorAll("main h1, main h2, main h3, main h4")) {
    const next = Number(one.tagName[1]);
    if (next > level + 1) found.push("a heading is skipped before: " + one.textContent);
    level = next;
  }
  if (document.querySelectorAll("main").length !== 1 || !document.querySelector("nav[aria-label]"))
    found.push("landmarks");
  return found;
})()
"""

BROKEN_OUT = """
[...document.querySelectorAll("td, tbody th, dd")]
  .filter((one) => one.getClientRects().length && one.scrollWidth > one.clientWidth + 1)
  .map((one) => one.outerHTML.slice(0, 160))
"""
AXE = """
axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}).then((found) => ({
  checked: found.passes.length,
  violations: found.violations.map((one) => ({rule: one.id, impact: one.impact, at: one.nodes.map((n) => n.html)})),
}))
"""
SMALL_TARGETS = """
[...document.querySelectorAll("button, select, input:not([type=hidden]), summary, nav a")]
  .filter((one) => one.getClientRects().length)
  .map((one) => [one.closest("label") || one, one])
  .filter(([target]) => Math.min(target.getBoundingClientRect().width, target.getBoundingClientRect().height) < 24)
  .map(([, one]) => one.outerHTML.slice(0, 120))
"""


@pytest.fixture
def address(site: Site, store: Store) -> Iterator[str]:
    """A dashboard on a port of this machine, with something on every page."""
    gap = Gap(ACCOUNT, "eu-west-1", "ec2", "DescribeInstances", "UnauthorizedOperation", "the role may not " * 9, 3)
    rows = {
        str(number): (resource("ec2-instance", f"i-{number}", name=LONG, tags={"owner": LONG, LONG: LONG}), priced("2"))
        for number in range(3)
    }
    rows |= {kind: (resource(kind, f"one-{kind}-{LONG}"), priced("0.01")) for kind in load_kinds()}
    found = tuple(recommendation(number, summary=f"Idle for 14 days. {LONG}") for number in (1, 2, 3))
    StoredScan(store).write(rows, recommendations=(*found, *of_every_kind()), gaps=(gap,))
    measure(store, rows["1"][0])
    for month, saving in ((1, "70.00"), (2, "-20.00"), (3, "15.00")):
        act: dict[Any, Any] = {
            "namespace": "team-a",
            "action": "ec2_instance_stop",
            "resource": rows["1"][0].arn,
            "undoes": "",
            "before": "90.00",
            "after": "20.00",
            "saving": saving,
            "request": f"u{month}",
            "kind": "ec2-instance",
            "account": ACCOUNT,
            "region": "us-east-1",
            "time": f"2026-0{month}-02T10:00:00+00:00",
        }
        store.client.xadd(store.keys.realized, act)
    for ago in range(60):
        cost = ShardCost(Decimal(7300 + 73 * (ago % 2) + 5000 * (ago == 3)), 3, 0)
        CostHistoryStore(store).put(
            NOW.date() - timedelta(days=ago), {Shard(ACCOUNT, "us-east-1", "ec2-instance"): cost}
        )
    admin = connect(str(site.cluster.kubeconfig_for("admin")))
    policies = scan_policies(admin)
    policies.create(live_policy())
    WhatIfs(store).ask(question(spec={**SPEC, "regions": ["eu-west-1"], "customChecks": [{**OWN, "message": LONG}]}))
    Operator(store).loop().turn(threading.Event())
    with budgets_on(admin) as kept, served(site.client(store).app) as served_at:
        kept.budget(LONG[:63].rstrip("-"), "240", scope={"services": sorted(load_kinds()), "accounts": [ACCOUNT]})
        yield served_at
    policies.delete("team-a", "all")


def measure(store: Store, machine: Resource) -> None:
    """Keep hours of CPU and days of network of a machine, and say what checks there are."""
    kept, first = UtilizationStore(store), int(NOW.timestamp()) // 3600 - 14 * 24
    percent = array("f", [2 + (hour % 24) / 12 for hour in range(14 * 24)])
    kept.put_rings(machine.shard, {(machine.id, "cpuPercent"): Ring(first, (percent, percent))})
    amount = array("f", [60_000.0 * (day % 7 + 3) for day in range(14)])
    points = DayPoints(int(NOW.timestamp()), first // 24, (amount, amount))
    kept.days.put(machine.shard, {(machine.id, "networkInBytes"): points})
    figures = {"cpuPercent": replace(flat(3.9), total=None), "networkInBytes": flat(5134.76)}
    kept.put_summaries(machine.shard, {machine.id: Utilization(machine.id, figures)})
    checks = load_checks().values()
    WhatIfs(store).publish_checks(KnownCheck(one.id, one.title, one.kinds, one.parameters) for one in checks)


def of_every_kind() -> tuple[Recommendation, ...]:
    """Return advice about one resource of each kind: the filters offer them all."""
    return tuple(
        recommendation(number, action="", resource=replace(reference(number), kind=kind), group=f"of {kind}")
        for number, kind in enumerate(sorted(load_kinds()), start=100)
    )


@pytest.fixture
def browser(site: Site, address: str) -> Iterator[Browser]:
    """A window of alice, signed in."""
    with Browser(width=1440, height=900) as window:
        window.goto(f"{address}/sign-in")
        window.evaluate(f"document.querySelector('textarea').value = {site.token()!r}")
        window.evaluate("document.querySelector('form').submit()")
        window.wait_for("document.querySelector('nav') !== null")
        yield window


def test_pages_fit_every_width_have_names_and_headings_and_log_nothing(
    site: Site, address: str, browser: Browser
) -> None:
    with site.requests(recommendation(1)):
        for path in PAGES:
            browser.resize(1440, 900)
            browser.goto(address + path)
            assert browser.evaluate(PROBLEMS) == [], path
            for width in WIDTHS:
                browser.resize(width, 900)
                wide = browser.evaluate("document.documentElement.scrollWidth")
                assert wide <= width, f"{path} is {wide} wide at {width}"
                assert browser.evaluate(BROKEN_OUT) == [], f"{path} at {width}"
    # The browser itself notes the status of the page that is not there.
    assert [one for one in browser.console if f"{address}/nowhere" not in one] == []


def test_on_a_phone_every_column_is_there_with_its_name(site: Site, address: str, browser: Browser) -> None:
    browser.resize(390, 844)
    with site.requests(recommendation(1), recommendation(2)):
        for path in ("/", "/resources", "/optimizations", "/anomalies", "/budgets", "/savings", "/requests"):
            browser.goto(f"{address}{path}")
            # The first cell of a row may be its heading, which says by itself what it is.
            tables = browser.evaluate(
                "[...document.querySelectorAll('table.stack')].map((one) => ["
                "  [...one.querySelectorAll('thead th')].slice(1).map((th) => th.textContent),"
                "  [...one.querySelectorAll('tbody tr')].sort((a, b) => b.cells.length - a.cells.length)"
                "    .slice(0, 1).flatMap((tr) => [...tr.cells]).map((td) => td.getBoundingClientRect().width > 0"
                "      ? td.dataset.label || '' : 'hidden')])"
            )

            assert tables, path
            for heads, labels in tables:
                assert "hidden" not in labels, path
                assert set(heads) <= set(labels), path


def test_no_page_has_a_column_that_a_window_hides(site: Site, address: str, browser: Browser) -> None:
    hidden = "[...document.querySelectorAll('main td')].filter((td) => getComputedStyle(td).display === 'none')"
    with site.requests(recommendation(1)):
        for path in PAGES:
            browser.goto(f"{address}{path}")
            for width in (390, 601, 768, 1024, 1440):
                browser.resize(width, 844)
                assert browser.evaluate(f"{hidden}.length") == 0, (path, width)


def test_a_browser_that_shows_data_finds_the_icon(address: str, browser: Browser) -> None:
    browser.goto(f"{address}/dashboard.json")
    browser.goto(f"{address}/favicon.ico")

    assert browser.evaluate("document.contentType") == "image/svg+xml"
    assert browser.console == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_page_has_a_barrier_that_axe_knows(site: Site, address: str, browser: Browser, dark: bool) -> None:
    """WCAG 2.1 A and AA by axe-core, and no target smaller than the 24 pixels of WCAG 2.2."""
    browser.set_theme(dark=dark)
    # The page's own policy keeps foreign scripts out, axe too.
    browser.command("Page.setBypassCSP", enabled=True)
    script = (files("axe_core_python") / "axe.min.js").read_text("utf-8")
    with site.requests(recommendation(1)):
        for path in PAGES:
            browser.goto(address + path)
            browser.evaluate(f"{script}; true")
            answer = browser.evaluate(AXE)
            assert answer["checked"] > 10, path
            assert answer["violations"] == [], path
            assert browser.evaluate(SMALL_TARGETS) == [], path


def test_axe_finds_what_is_wrong(address: str, browser: Browser) -> None:
    browser.command("Page.setBypassCSP", enabled=True)
    browser.goto(address)
    browser.evaluate((files("axe_core_python") / "axe.min.js").read_text("utf-8") + "; true")
    browser.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=\"/static/x.png\">')")
    found = [one["rule"] for one in browser.evaluate(AXE)["violations"]]
    assert found == ["image-alt"]


def test_what_decides_for_many_stays_in_view_and_counts_what_is_ticked(
    site: Site, address: str, browser: Browser
) -> None:
    with site.requests(recommendation(1), recommendation(2)):
        for width, height in ((1280, 800), (390, 844)):
            browser.resize(width, height)
            browser.goto(f"{address}/optimizations")
            browser.click("[name=chosen]")
            browser.evaluate("scrollTo(0, 0)")
            place = browser.evaluate("document.querySelector('.many [value=Approve]').getBoundingClientRect().toJSON()")
            assert 0 < place["top"] < place["bottom"] <= height, (width, place)
            counter = "getComputedStyle(document.querySelector('.many .count'), '::before').content"
            assert "counter(chosen)" in browser.evaluate(counter)
            assert browser.evaluate("document.getElementById('said').textContent") == "1 selected"


def test_on_a_phone_every_page_of_the_navigation_is_in_view(address: str, browser: Browser) -> None:
    for width in (390, 601, 860):
        browser.resize(width, 844)
        browser.goto(address)
        ends = browser.evaluate(
            "[...document.querySelectorAll('nav a')].map((one) => one.getBoundingClientRect().right)"
        )
        assert len(ends) == 9
        assert max(ends) <= width


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_without_a_chosen_theme_the_button_offers_the_other_one(address: str, browser: Browser, dark: bool) -> None:
    browser.set_theme(dark=dark)
    browser.goto(address)
    assert browser.text(".who").split()[1:] == ["Light" if dark else "Dark", "Sign", "out"]


def press(browser: Browser, key: str) -> None:
    for kind in ("keyDown", "keyUp"):
        browser.command("Input.dispatchKeyEvent", type=kind, key=key, text=key if kind == "keyDown" else "")


def focused(browser: Browser) -> str:
    return str(browser.evaluate("document.activeElement.textContent.trim() || document.activeElement.name"))


def test_keys_find_move_select_and_reach_the_decision_without_sending_it(
    site: Site, address: str, browser: Browser
) -> None:
    with site.requests(recommendation(1)):
        browser.goto(f"{address}/optimizations?open=rec1")
        press(browser, "/")
        assert browser.evaluate("document.activeElement.name") == "find"
        browser.command("Input.dispatchKeyEvent", type="keyDown", key="Escape")
        press(browser, "j")
        first = focused(browser)
        press(browser, "x")
        assert browser.evaluate("document.querySelectorAll('[name=chosen]:checked').length") == 1
        press(browser, "j")
        assert browser.evaluate("document.activeElement.closest('tr').rowIndex") > 1
        press(browser, "k")
        assert focused(browser) == first
        press(browser, "a")
        assert browser.evaluate("document.activeElement.value") == "Approve"
        press(browser, "d")
        assert browser.evaluate("document.activeElement.value") == "Deny"
        assert site.approvals("team-a") == []
        press(browser, "?")
        assert browser.evaluate("document.getElementById('keys').open") is True
        press(browser, "g")
        press(browser, "r")
        browser.wait_for("location.pathname === '/requests'")


def test_single_keys_can_be_turned_off(address: str, browser: Browser) -> None:
    browser.goto(f"{address}/resources")
    browser.evaluate("document.getElementById('keys').open = true")
    browser.evaluate("document.getElementById('keys-off').click()")
    browser.goto(f"{address}/resources")
    press(browser, "/")

    assert browser.evaluate("document.activeElement.tagName") == "BODY"


def test_an_open_page_of_requests_follows_what_happens_in_the_cluster(
    site: Site, address: str, browser: Browser
) -> None:
    browser.goto(f"{address}/requests")
    browser.wait_for("performance.getEntriesByType('resource').length > 0")
    time.sleep(1)
    with site.requests(recommendation(3)):
        browser.wait_for("document.querySelector('#live').textContent.includes('r-rec3')")
    browser.goto("about:blank")
