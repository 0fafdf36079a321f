"""Beside what an account costs stands when it was scanned and how much of it could not be seen."""

from __future__ import annotations

import re

from tests.support.web_estate import ACCOUNT, NOW, Site, StoredScan, priced, resource

from finops.domain.resource import Gap
from finops.store.connection import Store

DENIED = Gap(ACCOUNT, "eu-west-1", "ec2", "DescribeInstances", "UnauthorizedOperation", "the role may not")


def account_card(page: str) -> str:
    """Return the words of the card, one space between them."""
    found = page.partition("<h2>By account</h2>")[2].partition("</section>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", found).split()).replace(" ,", ",")


def test_an_account_without_gaps_says_so_and_one_that_nobody_could_enter_is_named(site: Site, store: Store) -> None:
    closed = Gap("staging", "", "sts", "AssumeRole", "AccessDenied", "the role cannot be assumed")
    StoredScan(store).write({"a": (resource("ec2-instance", "i-1"), priced("0.10"))}, gaps=(closed,))
    client, headers = site.client(store), site.bearer()

    said = account_card(client.get("/", headers=headers).text)

    assert f"{ACCOUNT} 1 resource scanned just now, no gaps" in said
    assert "staging: nothing was seen scanned just now, 1 gap" in said
    accounts = client.get("/api/dashboard", headers=headers).json()["data"]["accounts"]
    assert accounts == [
        {"account": "staging", "scannedAt": NOW.isoformat(), "gaps": 1},
        {"account": ACCOUNT, "scannedAt": NOW.isoformat(), "gaps": 0},
    ]


def test_gaps_of_several_policies_are_counted_once_and_the_oldest_scan_is_said(site: Site, store: Store) -> None:
    rows = {"a": (resource("ec2-instance", "i-1"), priced("0.10"))}
    StoredScan(store).write(rows, gaps=(DENIED,))
    StoredScan(store, ("team-a", "more")).write(rows, gaps=(DENIED,))

    said = account_card(site.client(store).get("/", headers=site.bearer()).text)

    assert f"{ACCOUNT} 1 resource scanned just now, 1 gap" in said
