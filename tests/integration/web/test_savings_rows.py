"""The page of savings says of which account and region the resource of an act is."""

from __future__ import annotations

from typing import Any

from tests.support.web_estate import ACCOUNT, NOW, Site, StoredScan

from finops.store.connection import Store


def test_a_row_names_the_resource_and_its_account_and_region(site: Site, store: Store) -> None:
    StoredScan(store).write({})
    act: dict[Any, Any] = {
        "namespace": "team-a",
        "action": "s3_bucket_lifecycle",
        "time": NOW.isoformat(),
        "request": "u1",
        "resource": "arn:aws:s3:::reports",
        "before": "70.00",
        "after": "0.00",
        "saving": "70.00",
    }
    place = {"account": ACCOUNT, "region": "eu-west-1", "kind": "s3-bucket", "id": "reports"}
    for entry in ({**act, **place}, {**act, "resource": "arn:aws:s3:::of-an-old-entry"}):
        store.client.xadd(store.keys.realized, entry)

    page = site.client(store).get("/savings", headers=site.bearer()).text
    first, second = page.partition("Savings by act")[2].partition("</table>")[0].split("<tr>")[2:]

    assert "of-an-old-entry" in first
    assert ACCOUNT not in first
    assert "arn:aws:s3:::reports" in second
    assert f'<span class="sub">s3-bucket in <span class="unbroken">eu-west-1</span> · {ACCOUNT}</span>' in second
