"""The offline verifier compares a request with what was proposed under its name, and its terms with those before."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.ledger_keys import PUBLIC_KEYS
from tests.support.ledger_lines import (
    WHAT,
    created,
    decided,
    entry,
    intended,
    intent,
    lines,
    outcome,
    proposed,
    started,
    verified,
    vote,
)

from finops.audit_verify import VerifyReport, verify
from finops.domain.audit import Entry, RecordKind
from finops.domain.canonical import Json

_ACT = (started(), intent(), outcome(), verified())
_VOTES = (vote("slack.U1"), vote("k8s.alice"))


def report(*story: Entry) -> VerifyReport:
    return verify(lines(story), keys=PUBLIC_KEYS)


def found(*story: Entry) -> list[tuple[str, str]]:
    return [(one.code, one.message) for one in report(*story).problems]


def named(spec: str, name: str = "savings-1", *, dry: bool = False, number: int = 1) -> Entry:
    """The record before the object, under the request's name."""
    detail: dict[str, Json] = {
        "specHash": spec * 64,
        "action": WHAT.action,
        "resource": WHAT.resource.arn,
        "dryRun": dry,
    }
    one = replace(intended(), request=f"team-a/{name}/", detail=detail)
    return replace(one, operation_id=f"propose:team-a/{name}:{spec}:{number}")


def made(spec: str, number: int = 1) -> Entry:
    return replace(created(), operation_id=f"proposed:u1:{number}", detail={"specHash": spec * 64})


def tried() -> Entry:
    detail: dict[str, Json] = {"operation": "ec2:StopInstances", "code": "DryRunOperation"}
    return entry("dry-run:stop", RecordKind.OUTCOME, step="stop", result="dry-run", detail=detail)


def as_request(name: str, uid: str, *story: Entry) -> tuple[Entry, ...]:
    """Return a story as that of another request."""
    moved = (replace(one, operation_id=one.operation_id.replace("u1:", f"{uid}:")) for one in story)
    return tuple(replace(one, request=f"team-a/{name}/{uid}") for one in moved)


def test_a_request_of_a_spec_that_was_proposed_under_its_name_verifies() -> None:
    assert found(named("a"), made("a"), *_VOTES, decided(), *_ACT) == []
    assert found(named("b"), named("a"), made("a"), *_VOTES, decided(), *_ACT) == []


@pytest.mark.parametrize("under_name", [(), (named("b"),), (named("a", "savings-2"),)])
def test_a_request_of_another_spec_than_was_proposed_under_its_name_is_found(under_name: tuple[Entry, ...]) -> None:
    assert found(*under_name, made("a"), *_VOTES, decided(), *_ACT) == [
        ("Proposal", "a request of a spec that was not proposed before under its name")
    ]


@pytest.mark.parametrize(
    "detail", [{}, {"specHash": None}, {"specHash": ["a" * 64]}, {"specHash": ""}, {"dryRun": False}]
)
def test_a_proposal_that_does_not_say_of_which_spec_it_is_is_found(detail: dict[str, Json]) -> None:
    """Every release wrote it down: without it a request was never compared with what was proposed under its name."""
    wrong = ("Proposal", "a proposal that does not say of which spec it is")
    assert wrong in found(named("a"), replace(made("a"), detail=detail), *_VOTES, decided(), *_ACT)
    assert wrong in found(replace(named("a"), detail=detail), made("a"), *_VOTES, decided(), *_ACT)
    assert found(replace(made("a"), detail=detail), *_VOTES, decided(), *_ACT) == [wrong]


def test_a_spec_that_is_proposed_under_its_name_after_the_request_was_made_is_found() -> None:
    assert [code for code, _ in found(made("a"), named("a"), *_VOTES, decided(), *_ACT)] == ["Proposal"]


def test_a_request_that_is_proposed_again_with_another_spec_is_found() -> None:
    twice = (named("a"), named("b"), made("a"), made("b", 2))
    assert found(*twice, *_VOTES, decided(), *_ACT) == [("Proposal", "a request was proposed again with another spec")]
    assert found(named("a"), made("a"), made("a", 2), *_VOTES, decided(), *_ACT) == []


@pytest.mark.parametrize("first", [True, False])
def test_a_spec_is_an_act_or_a_dry_run_and_never_both(*, first: bool) -> None:
    begun = (named("a", dry=first), made("a"), *_VOTES, decided())
    again = named("a", dry=not first, number=2)
    both = ("Proposal", "a spec was proposed both as an act and as a dry run")
    assert found(*begun, again) == [both]
    assert both in found(*begun, *_ACT, again)


def test_a_dry_run_that_is_recorded_after_the_act_is_found() -> None:
    begun = (named("a"), made("a"), *_VOTES, decided())
    assert found(*begun, *_ACT, tried()) == [("Plan", "a dry run of what had started as an act")]
    assert found(*begun, tried(), *_ACT) == [("Plan", "what was tried as a dry run started as an act")]


def test_an_honest_dry_run_verifies_with_and_without_the_record_that_it_starts() -> None:
    ended = entry("ended", RecordKind.OUTCOME, result="Succeeded")
    begun = (named("a", dry=True), made("a"), *_VOTES, decided())
    dry = replace(started(), detail={**started().detail, "dryRun": True})
    assert found(*begun, tried(), ended) == []
    assert found(*begun, dry, tried(), ended) == []


def test_a_request_is_not_approved_on_easier_terms_with_another_plan_either() -> None:
    """Its terms never change, whatever it calls."""
    other = "c" * 64
    votes = [
        replace(vote(person, plan=other), operation_id=f"u1:again:{person}") for person in ("slack.U1", "k8s.alice")
    ]
    second = replace(decided(1, plan=other), operation_id="u1:decided again")
    story = (*proposed(), *_VOTES, decided(), replace(created(other), operation_id="u1:proposed again"), *votes, second)
    assert found(*story) == [("Approval", "a plan was approved again on easier terms than before")]


def second_request(required: int, **more: Json) -> list[str]:
    """Return what is doubted of a request approved by two people, and one of the same act under another name."""
    decision = replace(decided(required), detail={**decided(required).detail, **more})
    step_up = replace(decided(), detail={**decided().detail, **({"stepUp": True} if "stepUp" in more else {})})
    first = (named("a"), made("a"), *_VOTES, step_up, entry("ended", RecordKind.DECIDED, result="Superseded"))
    again = as_request("savings-2", "u2", made("b"), *_VOTES, decision)
    story = (*first, named("b", "savings-2"), *(replace(one, operation_id=f"2{one.operation_id}") for one in again))
    result = report(*story)
    assert result.ok, result.problems
    assert {one.code for one in result.warnings} <= {"Terms"}
    return [one.message for one in result.warnings]


def test_the_same_act_approved_on_easier_terms_under_a_new_name_is_a_warning() -> None:
    """A policy may honestly ask for fewer people than before: the ledger does not say who changed it."""
    (said,) = second_request(1)
    assert said == (
        "record 11 approves ec2_instance_stop of arn:aws:ec2:eu-central-1:111122223333:instance/i-1 on easier terms "
        "than record 5 did under another name: check who made the terms easier"
    )
    (said,) = second_request(2, stepUp=False)
    assert "on easier terms" in said


def test_the_same_act_approved_on_the_same_terms_under_a_new_name_is_no_warning() -> None:
    assert second_request(2) == []


def test_a_request_whose_proposal_names_no_act_is_not_compared() -> None:
    """As older releases may have recorded it."""
    story = (*proposed(), *_VOTES, decided(), *_ACT)
    assert report(*story).warnings == ()
