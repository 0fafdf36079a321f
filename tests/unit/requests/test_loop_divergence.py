"""One act that finds the ledger's sinks telling different stories stops all acts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

from tests.unit.requests.test_loop_threads import act, looping, soon

from finops.errors import LedgerDiverged


@dataclass
class Switch:
    """Keeps what it is told."""

    reasons: list[str] = field(default_factory=list)

    def freeze(self, reason: str) -> None:
        self.reasons.append(reason)


def test_a_divergence_that_only_an_act_has_met_freezes_everything() -> None:
    switch = Switch()

    def run(*_: Any) -> Any:
        raise LedgerDiverged("record 7 differs")

    with looping(run) as going:
        going.loop._parts.runner.freeze = cast("Any", switch)
        going.keep(act(1), begun=True)
        soon(lambda: switch.reasons == ["record 7 differs"])
        assert act(1).uid in going.loop._parts.under_way._unfinished
