"""When a volume reported: while it was attached to an instance that ran, also once it is detached."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from finops_sandbox.aws.facts import VolumeFacts

START = datetime(2026, 3, 1, tzinfo=UTC)


def hour(number: float) -> datetime:
    return START + timedelta(hours=number)


def test_a_detached_volume_has_reported_until_then() -> None:
    facts = VolumeFacts(attached=[(hour(0), None)])

    facts.detach(hour(5), [])

    assert facts.attached == [(hour(0), hour(5))]


def test_while_its_instance_stood_still_it_has_not_reported() -> None:
    facts = VolumeFacts(attached=[(hour(0), None)])

    facts.detach(hour(9), [(hour(2), hour(3)), (hour(6), None)])

    assert facts.attached == [(hour(0), hour(2)), (hour(3), hour(6))]


def test_attached_to_a_stopped_instance_it_never_reported() -> None:
    facts = VolumeFacts(attached=[(hour(4), None)])

    facts.detach(hour(5), [(hour(2), None)])

    assert facts.attached == []


def test_what_stopped_before_the_attachment_takes_nothing_from_it() -> None:
    facts = VolumeFacts(attached=[(hour(4), None)])

    facts.detach(hour(9), [(hour(1), hour(2)), (hour(6), hour(7))])

    assert facts.attached == [(hour(4), hour(6)), (hour(7), hour(9))]


def test_a_volume_that_is_detached_already_stays_as_it_was() -> None:
    facts = VolumeFacts(attached=[(hour(0), hour(1))])

    facts.detach(hour(5), [])

    assert facts.attached == [(hour(0), hour(1))]
