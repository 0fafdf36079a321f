"""An undo whose request somebody deleted: it may be asked for again, and what has begun goes on."""

from __future__ import annotations

import pytest
from tests.integration.operator_core.test_operator_pictures import intent
from tests.integration.operator_core.test_operator_tallies import act_of
from tests.integration.operator_core.test_operator_undo_standing import (
    Following,
    approved,
    ask,
    granted,
    proposals,
    succeeded,
    undo_request,
    wish,
)
from tests.support.operator_parts import NAMESPACE, Parts

from finops.crds.action_request import ActionRequest
from finops.domain.execution import StopKind
from finops_slackbot.card_facts import card_facts

__all__ = ["granted"]


def unseen(parts: Parts, request: ActionRequest) -> None:
    """Let the watch show a request no more."""
    parts.cache.requests.drop((NAMESPACE, request.metadata.name), request.metadata.uid)


def removed(parts: Parts, request: ActionRequest) -> None:
    """Let somebody delete a request, and the watch say so."""
    parts.requests.api.delete(NAMESPACE, request.metadata.name)
    unseen(parts, request)


@pytest.mark.parametrize("voted", [False, True], ids=["waiting", "approved"])
def test_an_open_undo_whose_request_was_deleted_can_be_asked_for_again(parts: Parts, voted: bool) -> None:
    act, following = succeeded(parts), Following(parts)
    ask(parts, act)
    undo = undo_request(parts, act, 2)
    following.made.append(undo)
    following.follow(act)
    if voted:
        undo = approved(parts, undo)
    assert following.shown(act)[:2] == (undo.metadata.name, None)

    removed(parts, undo)
    following.follow(act)

    shown = following.shown(act)
    assert shown == (undo.metadata.name, "Withdrawn", f"Not undone: request {undo.metadata.name} was deleted.")
    assert card_facts(parts.requests.fresh(act), (), demo=False).can_be_undone
    stop = parts.gate.still_allowed(act_of(undo))
    assert stop is not None
    assert (stop.kind, stop.code) == (StopKind.WITHDRAWN, "RequestGone")

    ask(parts, act)
    following.made.append(undo_request(parts, act, 3))
    parts.clock.sleep(11)
    following.follow(act)
    assert following.shown(act)[:2] == (following.made[-1].metadata.name, None)


def test_an_undo_that_has_begun_stays_open_though_its_request_was_deleted(parts: Parts) -> None:
    act, following = succeeded(parts), Following(parts)
    undo = proposals(parts).make(act, wish(parts, act))
    following.made.append(undo)
    following.follow(act)
    intent(parts, approved(parts, undo))

    removed(parts, undo)
    following.follow(act)

    assert following.shown(act)[:2] == (undo.metadata.name, None)


def test_an_undo_that_the_watch_does_not_show_yet_is_not_taken_for_deleted(parts: Parts) -> None:
    act, following = succeeded(parts), Following(parts)
    ask(parts, act)
    undo = undo_request(parts, act, 2)
    following.made.append(undo)
    following.follow(act)

    unseen(parts, undo)
    following.follow(act)

    assert following.shown(act)[:2] == (undo.metadata.name, None)
