"""How often the picture of the ledger is made again: seldom enough to write little, often enough for a quick start."""

from __future__ import annotations

from typing import cast

from finops.ledger.known_records import KnownRecords
from finops.ledger.pictures import Pictures
from finops.ledger.signing import Keyring, new_private_key
from finops.ports.sink import KeptSink, Place
from finops.store.ledger import Head

KEYS = Keyring.of(new_private_key())
MILLION = 1_000_000


class Whole:
    """A sink that holds all there is."""

    name = "file"
    place = Place()


class Counted:
    """A shelf that keeps the last picture."""

    content: bytes | None = None

    def read(self) -> bytes | None:
        return self.content

    def keep(self, picture: bytes) -> None:
        self.content = picture


def pictures() -> Pictures:
    return Pictures([cast("KeptSink", Whole())], KEYS, Counted())


def known(size: int) -> KnownRecords:
    return KnownRecords(head=Head(size, "", 1))


def test_up_to_a_million_records_few_pictures_are_made_and_a_start_reads_one_part_in_two_hundred() -> None:
    made = pictures()
    sizes = [size for size in range(100, MILLION + 1, 100) if made.due(known(size), at_once=False) is not None]
    assert sizes[:3] == [100, 200, 300]
    assert len(sizes) < 1_100, "ten thousand if one were made every hundred records"
    written = sum(sizes)  # a picture is as long as the ledger
    assert written < 250 * MILLION, (
        "what is written in all is some two hundred times the last one, however long it took"
    )
    unread = [after - before for before, after in zip(sizes, [*sizes[1:], MILLION], strict=True)]
    assert all(one <= max(100, after // 200 + 100) for one, after in zip(unread, [*sizes[1:], MILLION], strict=True))


def test_when_the_lease_is_given_up_a_picture_is_made_after_any_record_and_none_without_one() -> None:
    made = pictures()
    assert made.due(known(MILLION), at_once=False) is not None
    assert made.due(known(MILLION + 1), at_once=False) is None
    assert made.due(known(MILLION + 1), at_once=True) is not None
    assert made.due(known(MILLION + 1), at_once=True) is None
