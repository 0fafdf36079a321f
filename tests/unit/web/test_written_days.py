"""Days and times of the API are written as text: a number is a count of seconds to nobody who sends one."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from finops_web.api.action_requests import Ballot
from finops_web.api.anomalies import ExpectedChange
from finops_web.api.saving_claims import ClaimedSaving

CHANGE = {
    "account": "111122223333",
    "region": "us-east-1",
    "service": "ec2-instance",
    "way": "More",
    "until": "2026-03-20",
    "reason": "a load test",
    "extraPerDay": "12.50",
}
CLAIM = {"resource_id": "i-7", "money_saved": 66.82, "date": "2026-03-01"}
SNOOZE = {"decision": "Snooze", "until": "2026-06-01T00:00:00Z"}
BODIES: tuple[tuple[type[BaseModel], dict[str, Any], str], ...] = (
    (ClaimedSaving, CLAIM, "date"),
    (ExpectedChange, CHANGE, "until"),
    (Ballot, SNOOZE, "until"),
)


@pytest.mark.parametrize(("shape", "body", "field"), BODIES)
@pytest.mark.parametrize("written", [20260301, 1772323200.0, True, "20260301", "1772323200", "", ["2026-03-01"]])
def test_a_day_that_is_not_written_as_one_is_refused(
    shape: type[BaseModel], body: dict[str, Any], field: str, written: Any
) -> None:
    assert getattr(shape.model_validate(body), field) is not None

    with pytest.raises(ValidationError) as refused:
        shape.model_validate({**body, field: written})

    assert [(one["loc"], one["type"]) for one in refused.value.errors()] == [((field,), "written_day")]
