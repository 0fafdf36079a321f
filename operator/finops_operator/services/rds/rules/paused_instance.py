"""Database instances as RDS stops and starts them; shared by the two acts."""

from __future__ import annotations

from typing import Final

from finops_operator.plugins.action import CallRules
from finops_operator.services.rds.rules.database_observation import (
    INSTANCE,
    MAINTENANCE,
    NO_CAPACITY,
    NOT_IN_THIS_STATE,
    READ,
    found_database,
    observe_database,
    start_refused,
    still_billed,
)
from finops_operator.services.rds.rules.pause_acts import PausedKind, PauseRefusals, PauseWords
from finops_operator.services.rds.rules.stop_refusals import (
    first_start_refusals,
    start_refusals,
    stop_refusals,
    stop_warnings,
)

PAUSED: Final = PausedKind(
    kind="rds-instance",
    of=INSTANCE,
    reads=(READ, MAINTENANCE),
    observe=observe_database,
    found=found_database,
    refused=start_refused,
    calls=CallRules(not_done=frozenset({NO_CAPACITY}), repeated=frozenset({NOT_IN_THIS_STATE})),
    refusals=PauseRefusals(stop_refusals, start_refusals, first_start_refusals),
    words=PauseWords(stop_warnings, still_billed, "its hours"),
    sample={"class": "db.m5.large", "resourceId": "db-EXAMPLE"},
)
