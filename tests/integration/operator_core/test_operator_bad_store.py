"""A store that refuses a running operator stops nothing for good: it waits, says why, and goes on by itself."""

from __future__ import annotations

from pathlib import Path

from tests.support.operator_rig import eventually, running_rig


def test_an_operator_whose_password_was_changed_waits_and_goes_on_when_it_is_let_in(tmp_path: Path) -> None:
    with running_rig(tmp_path) as rig:
        case = rig.case()
        case.apply()
        case.proposed()
        rig.valkey.lock_out()
        case.scan_now("2026-01-01T00:00:00Z", wait=False)
        eventually(lambda: case.condition("StoreReachable").get("status") == "False", what=rig.tail())
        assert "password" in case.condition("StoreReachable")["message"]
        eventually(lambda: rig.lines("the ledger does not answer") or rig.lines("lease"), what=rig.tail())
        assert rig.http("/healthz")[0] == 200
        assert rig.http("/readyz")[0] == 503
        rig.valkey.let_in()
        eventually(lambda: rig.http("/readyz")[0] == 200, what=rig.tail())
        first, _ = case.proposed()
        case.vote(first)
        case.wait_state(first, "Succeeded")
        assert not rig.lines("loop ")
        assert rig.stop() == 0
        case.check(StopInstances=1)
