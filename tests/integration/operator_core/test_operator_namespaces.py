"""A watched namespace that cannot be read holds back what is its own, and nothing of the others."""

from __future__ import annotations

from typing import Any

import pytest
from tests.integration.operator_core.test_operator_pictures import restarted
from tests.integration.operator_core.test_operator_tallies import TWO
from tests.support.operator_parts import NAMESPACE, Parts

from finops.domain.decision import State
from finops.errors import Refused


def test_a_namespace_that_cannot_be_read_holds_back_its_own_requests_only(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made = parts.propose(1, approval=TWO)
    parts.vote(made)
    after = restarted(parts)
    after.cache.watches([NAMESPACE, "team-b"])
    readable = after.approvals.api.list

    def refused(where: str | None) -> Any:
        if where == "team-b":
            raise Refused("it is forbidden", code="Forbidden")
        return readable(where)

    with monkeypatch.context() as patched, caplog.at_level("WARNING"):
        patched.setattr(after.approvals.api, "list", refused)
        assert after.decider.see_all() == after.decider.see_all() == {"team-b"}
        assert after.decider.advance(made).status.state is State.APPROVED
        elsewhere = made.model_copy(update={"metadata": made.metadata.model_copy(update={"namespace": "team-b"})})
        with pytest.raises(Refused):
            after.decider.judge_votes(elsewhere)

    assert [record.message for record in caplog.records if "team-b" in record.message] == [
        "Approval objects cannot be read in namespace team-b, what leans on them waits: it is forbidden"
    ]
    assert after.decider.see_all() == frozenset()


def test_requests_of_a_namespace_that_cannot_be_read_are_taken_as_last_seen(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = parts.propose(1)
    elsewhere = here.model_copy(update={"metadata": here.metadata.model_copy(update={"namespace": "team-b"})})
    parts.cache.requests.put(elsewhere)
    readable = parts.requests.api.list

    def refused(where: str | None) -> Any:
        if where != NAMESPACE:
            raise Refused("it is forbidden", code="Forbidden")
        return readable(where)

    monkeypatch.setattr(parts.requests.api, "list", refused)
    with pytest.raises(Refused):
        parts.requests.found()

    parts.cache.watches([NAMESPACE, "team-b"])
    assert [one.metadata.namespace for one in parts.requests.found()] == [NAMESPACE, "team-b"]
