"""The page of savings says of which account and region the resource of an act is."""

from __future__ import annotations

from typing import Any

from tests.support.web_estate import ACCOUNT, NOW, Site, StoredScan

from finops.domain.lasting import UNPRICED, Lasting
from finops.store.connection import Store
from finops.store.realized import StoredSavings


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


def test_a_saving_that_cannot_be_measured_says_why_and_what_acts_cost_more_stands_beside_what_others_save(
    site: Site, store: Store
) -> None:
    StoredScan(store).write({})
    act = {"namespace": "team-a", "time": NOW.isoformat(), "kind": "rds-instance", "undoes": "", "currency": "USD"}
    window = {
        **act,
        "action": "rds_instance_resize",
        "request": "u1",
        "resource": "arn:a",
        "before": "90",
        "after": "50",
    }
    stop = {**act, "action": "ec2_instance_stop", "request": "u2", "resource": "arn:b", "before": "70", "after": "0"}
    start = {**act, "action": "ec2_instance_start", "request": "u3", "resource": "arn:c", "before": "5", "after": "25"}
    for entry, saving in ((window, "40.00"), (stop, "70.00"), (start, "-20.00")):
        fields: dict[Any, Any] = {**entry, "saving": saving}
        store.client.xadd(store.keys.realized, fields)
    over = Lasting(NOW, share=None, unknown=90_000, waiting=True, measurable_until=NOW)
    StoredSavings(store).note_seen({"u1": over})

    client, headers = site.client(store), site.bearer()
    page = client.get("/savings", headers=headers).text
    assert f"Cannot be measured: {UNPRICED}" in page
    assert "still to come" not in page
    assert "$50.00 a month realised: 70.00 saved, less 20.00 that others cost more, and 1 act without a figure" in page
    months = page.partition("Savings by month")[2].partition("</table>")[0]
    assert '50.00<span class="sub">70.00 saved, less 20.00 that others cost more</span>' in months
    front = client.get("/", headers=headers).text
    assert "Saved by 3 acts that ended well, less $20.00 that others cost more; 1 act without a figure." in front
    figures = client.get("/api/dashboard", headers=headers).json()["data"]
    assert (figures["realisedMonthlySavings"], figures["realisedMonthlyRises"]) == (50.0, 20.0)
    rows = {row["resource_arn"]: row for row in client.get("/api/savings", headers=headers).json()["data"]}
    assert (rows["arn:a"]["to_come"], rows["arn:a"]["unmeasured"], rows["arn:a"]["saved_so_far"]) == (
        False,
        UNPRICED,
        None,
    )
