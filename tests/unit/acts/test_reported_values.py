"""What a status shows of what an act changed: as much as the API server takes, whatever the ledger holds."""

from __future__ import annotations

from tests.support.sample_requests import delete_request

from finops.domain.decision import State
from finops.ports.act import ActProgress
from finops_operator.acts.report import with_progress


def test_a_configuration_that_is_too_long_for_a_status_is_cut_and_the_act_ends() -> None:
    progress = ActProgress(state=State.SUCCEEDED, before={"listeners": "x" * 4000, "state": "active"})
    shown = with_progress(delete_request(), progress, 1)["outcome"]["before"]
    assert shown == {"listeners": "x" * 511 + "…", "state": "active"}
