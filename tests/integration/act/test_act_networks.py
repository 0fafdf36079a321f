"""Acts on what stands in a network: what somebody did after the vote, and what AWS lets go that is still in use."""

from __future__ import annotations

from typing import Any

import pytest
from tests.integration.act.act_checker import check, effects, records
from tests.integration.act.act_story import at, prepare, run_to_end, run_until
from tests.support.act_cases import find
from tests.support.act_world import ACCOUNT, REGION, World

from finops.domain.decision import State
from finops_sandbox.aws.double import AwsDouble


def change(aws: AwsDouble, name: str, **changes: Any) -> None:
    aws.control.change(ACCOUNT, REGION, find(name).id, changes)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"instance": find("web").id}, "It is associated"),
        ({"reverseName": "mail.example.com."}, "A reverse DNS name is set for it"),
        ({"offeredTo": "222222222222"}, "It is offered to 222222222222."),
        ({"tags": {"finops.dev/protected": "true"}}, "tags"),
        ({"delete": True}, "it does not exist any more. Nothing was called."),
    ],
)
def test_an_address_that_somebody_uses_names_offers_protects_or_releases_after_the_vote_is_left_alone(
    changes: dict[str, Any], why: str, world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world, "elastic_ip_release")
    change(aws, "left-over", **changes)
    result = run_to_end(world, request, ledger)
    assert result.state is State.STALE, result
    assert why in result.message or "The resource changed since it was proposed" in result.message
    assert effects(aws.calls) == {}
    check(aws.calls, world.ledger_path, session=request.name)


def test_the_ledger_keeps_which_address_was_released(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, "elastic_ip_release")
    address = aws.control.resource(ACCOUNT, REGION, find("left-over").id)["publicIp"]
    result = run_to_end(world, request, ledger)
    assert result.message.startswith(f"The address {address} is released. To undo it: allocate the same address again")
    (started,) = [one for one in records(world.ledger_path) if "plan" in one["detail"]]
    assert started["detail"]["plan"]["fingerprint"]["publicIp"] == address


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"route": True}, "Route tables send traffic to it: rtb-"),
        ({"traffic": "normal"}, "It had connections or packets within the last 7 days."),
        ({"tags": {"finops.dev/protected": "true"}}, "The resource changed since it was proposed"),
        ({"delete": True}, "it does not exist any more. Nothing was called."),
    ],
)
def test_a_gateway_that_somebody_uses_protects_or_deletes_after_the_vote_is_left_alone(
    changes: dict[str, Any], why: str, world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world, "nat_gateway_delete")
    change(aws, "unused", **changes)
    result = run_to_end(world, request, ledger)
    assert result.state is State.STALE, result
    assert why in result.message
    assert effects(aws.calls) == {}
    check(aws.calls, world.ledger_path, session=request.name)


def test_a_gateway_whose_figures_are_missing_is_not_deleted(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, "nat_gateway_delete")
    aws.control.inject({"kind": "partial_metrics", "service": "monitoring", "fraction": 1.0})
    result = run_to_end(world, request, ledger)
    assert result.state is State.STALE
    assert "CloudWatch does not show for all of the last 7 days that it carried nothing." in result.message
    assert effects(aws.calls) == {}


def test_the_address_of_a_deleted_gateway_stays_on_nothing_and_the_end_says_so(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, "nat_gateway_delete")
    result = run_to_end(world, request, ledger)
    assert result.state is State.SUCCEEDED, result
    assert aws.control.resource(ACCOUNT, REGION, find("unused").id)["state"] == "deleted"
    allocation = str(request.plan.fingerprint["addresses"])
    assert f"its addresses ({allocation}) stay and are billed." in result.message
    assert aws.control.resource(ACCOUNT, REGION, allocation)["instance"] == ""


def test_a_deletion_that_aws_does_not_finish_calls_a_person_and_is_seen_to_its_end(
    world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world, "nat_gateway_delete")
    world.passage = at("outcome.after", lambda: change(aws, "unused", state="deleting"))
    result = run_until(world, request, ledger, lambda one: one.state is State.NEEDS_HUMAN)
    assert "was carried out, but the end state did not read back in time" in result.message
    change(aws, "unused", delete=True)
    assert run_to_end(world, request, ledger).state is State.SUCCEEDED
    assert effects(aws.calls) == {"DeleteNatGateway": 1}
    check(aws.calls, world.ledger_path, session=request.name)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"further": {"protected": True}}, "The resource changed since it was proposed"),
        ({"further": {"targets": ["healthy"]}}, "Targets behind it are healthy or on their way: 1."),
        ({"delete": True}, "it does not exist any more. Nothing was called."),
    ],
)
def test_a_load_balancer_that_somebody_protects_uses_or_deletes_after_the_vote_is_left_alone(
    changes: dict[str, Any], why: str, world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world, "load_balancer_delete")
    aws.control.change(ACCOUNT, REGION, "held:load-balancer/left-behind", changes)
    result = run_to_end(world, request, ledger)
    assert result.state is State.STALE, result
    assert why in result.message
    assert effects(aws.calls) == {}
    check(aws.calls, world.ledger_path, session=request.name)


def test_the_ledger_keeps_what_a_deleted_load_balancer_was_made_from(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, "load_balancer_delete")
    result = run_to_end(world, request, ledger)
    assert result.state is State.SUCCEEDED, result
    (started,) = [one for one in records(world.ledger_path) if "plan" in one["detail"]]
    kept = started["detail"]["plan"]["fingerprint"]
    assert "certificate/further" in kept["listeners"]
    assert "/api/*" in kept["rules"]
    assert kept["tagList"] == '{"team":"web"}'


def test_a_protection_set_after_the_last_reading_is_kept_by_aws_and_nothing_is_deleted(
    world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world, "load_balancer_delete")
    world.passage = at("intent.after", lambda: _protect(aws))
    result = run_to_end(world, request, ledger)
    assert result.message == "The resource changed since it was proposed: its attributes changed. Nothing was changed."
    refused = [one for one in aws.calls if one.action == "DeleteLoadBalancer"]
    assert [one.result for one in refused] == ["OperationNotPermitted"]
    assert effects(aws.calls) == {}
    check(aws.calls, world.ledger_path, session=request.name)


def _protect(aws: AwsDouble) -> None:
    aws.control.change(ACCOUNT, REGION, "held:load-balancer/left-behind", {"further": {"protected": True}})
