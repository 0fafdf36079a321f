"""`finops requests -o wide` says which approvals a request lacks."""

from __future__ import annotations

from tests.support.sample_requests import CREATED, delete_request, votes

from finops_operator.cli.commands.requests import columns


def test_the_wide_listing_says_which_approvals_are_missing_as_far_as_the_request_shows_it() -> None:
    (needs,) = (one for one in columns(CREATED) if one.name == "needs")
    request = delete_request(status={"state": "Pending", "votes": votes(1, required=2)})
    terms = request.spec.approval.model_copy(update={"step_up": True})
    stepped = request.model_copy(update={"spec": request.spec.model_copy(update={"approval": terms})})
    denied = delete_request(status={"state": "Denied", "votes": votes(1, 1, required=2)})

    assert [needs.value(one.to_object()) for one in (request, stepped, denied)] == [
        "1 more approval",
        "1 more approval; one must be given outside Slack",
        "",
    ]
