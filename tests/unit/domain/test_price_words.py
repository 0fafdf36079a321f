"""What has no price, in words."""

from __future__ import annotations

from finops.domain.price import missing_in_words


def test_a_billed_part_is_named_as_people_read_it_and_its_reason_stays() -> None:
    missing = ("instance_hour: no price for m5_x in us-east-1: none", "storage_gb_month: its size is not known")

    assert missing_in_words(missing) == (
        "instance hour: no price for m5_x in us-east-1: none; storage gb month: its size is not known"
    )
    assert missing_in_words(()) == ""
    assert missing_in_words(["nothing lists it"]) == "nothing lists it"
