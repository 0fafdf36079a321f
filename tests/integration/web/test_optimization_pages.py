"""The list of optimizations shows a hundred of each status at once, and leads to the rest."""

from __future__ import annotations

import re
from decimal import Decimal

from tests.support.scan_samples import recommendation
from tests.support.web_estate import Site, StoredScan

from finops.store.connection import Store

ROWS = re.compile(r'class="open" href="/optimizations\?open=(rec[0-9]+)')


def shown(site: Site, store: Store, address: str) -> tuple[str, list[str]]:
    page = site.client(store).get(address, headers=site.bearer())
    assert page.status_code == 200
    return page.text, ROWS.findall(page.text)


def test_every_recommendation_of_a_long_group_is_reached_page_by_page(site: Site, store: Store) -> None:
    found = tuple(
        recommendation(number, monthly_savings=Decimal(1000 - number), summary="Idle.") for number in range(250)
    )
    StoredScan(store).write({}, recommendations=found)

    page, names = shown(site, store, "/optimizations")
    assert names == [f"rec{number}" for number in range(100)]
    assert "1 to 100 of 250" in page
    page, names = shown(site, store, "/optimizations?status=Actionable&page=2&find=idle")
    assert names[:1] == ["rec100"]
    assert "101 to 200 of 250" in page
    assert "status=Actionable&amp;find=idle&amp;page=3" in page
    assert "rec100&amp;status=Actionable&amp;find=idle&amp;page=2#open" in page
    page, names = shown(site, store, "/optimizations?status=Actionable&page=3")
    assert (len(names), names[-1]) == (50, "rec249")
    assert "Next Actionable" not in page
    assert "Nothing stands on this page" in shown(site, store, "/optimizations?page=4")[0]


def test_a_group_that_fits_has_one_page(site: Site, store: Store) -> None:
    StoredScan(store).write({}, recommendations=(recommendation(1),))
    page, names = shown(site, store, "/optimizations")
    assert names == ["rec1"]
    assert "onward" not in page
    assert site.client(store).get("/optimizations?page=0", headers=site.bearer()).status_code == 422
