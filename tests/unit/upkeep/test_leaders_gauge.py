"""What a former leader found out is not shown any more once the lease is gone."""

from __future__ import annotations

import math

from finops_operator.telemetry import Telemetry
from finops_operator.upkeep.leaders_gauge import LeadersGauge


def shown(telemetry: Telemetry) -> float:
    found = telemetry.registry.get_sample_value("finops_ledger_locks_refused")
    assert found is not None
    return found


def test_a_refusal_is_shown_while_the_lease_is_held_and_unknown_once_it_is_gone() -> None:
    telemetry, held = Telemetry(), True
    gauge = LeadersGauge(lambda: held).shown_by(telemetry.ledger_locks_refused)
    assert math.isnan(shown(telemetry)), "nothing was tried"

    gauge.set(1)
    assert shown(telemetry) == 1

    held = False
    assert math.isnan(shown(telemetry)), "whoever took over says what is so now"


def test_a_turn_that_ends_after_the_lease_went_shows_nothing() -> None:
    telemetry, held = Telemetry(), True
    gauge = LeadersGauge(lambda: held).shown_by(telemetry.ledger_locks_refused)
    held = False

    gauge.set(1)

    assert math.isnan(shown(telemetry))
    held = True
    assert shown(telemetry) == 1, "this process is the leader again, and found nothing else since"
