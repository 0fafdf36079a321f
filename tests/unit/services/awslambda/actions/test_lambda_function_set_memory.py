"""lambda_function_set_memory: what speaks against it, what it calls, what people are asked, and what leads back."""

from __future__ import annotations

from typing import Any, Final

import pytest
from tests.support.act_reading import CannedReader, granted
from tests.unit.services.awslambda.functions import FUNCTIONS, function, invoked, memory

from finops.domain.execution import Journal, Observation
from finops.domain.plan import Plan
from finops.domain.recommendation import ResourceRef
from finops.errors import AwsRejected, InvalidInput
from finops_operator.plugins.action import PolicyFacts, Target
from finops_operator.plugins.ownership import Owner
from finops_operator.plugins.watch_shape import PERMISSIONS
from finops_operator.services.awslambda.actions.lambda_function_set_memory import ACTION
from finops_operator.services.awslambda.checks.lambda_function_memory import CHECK

_ARN: Final = "arn:aws:lambda:us-east-1:111111111111:function:thumbnails"
_FUNCTION: Final = ResourceRef("lambda-function", "thumbnails", _ARN, "111111111111", "us-east-1")
_SMALL: Final[dict[str, Any]] = {"memoryMb": 256}
_CODE: Final = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
_DESCRIBED: Final[dict[str, Any]] = {
    "FunctionName": "thumbnails",
    "State": "Active",
    "LastUpdateStatus": "Successful",
    "MemorySize": 1024,
    "Timeout": 30,
    "RevisionId": "r-1",
    "CodeSha256": _CODE,
    "Architectures": ["arm64"],
    "Environment": {"Variables": {"PASSWORD": "hunter2"}},
}


def reader(
    tags: dict[str, str] | None = None, *, provisioned: bool = False, versions: int = 0, **described: Any
) -> CannedReader:
    listed = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
    published = [{"Version": str(number)} for number in range(1, versions + 1)]
    return CannedReader(
        {
            "lambda:GetFunctionConfiguration": _DESCRIBED | described,
            "lambda:ListProvisionedConcurrencyConfigs": {"ProvisionedConcurrencyConfigs": [{}] if provisioned else []},
            "lambda:ListVersionsByFunction": {"Versions": [{"Version": "$LATEST"}, *published]},
            "resourcegroupstaggingapi:GetResources": {
                "ResourceTagMappingList": [{"ResourceARN": _ARN, "Tags": listed}]
            },
        }
    )


def observed(tags: dict[str, str] | None = None, **described: Any) -> Observation:
    return ACTION.observe(reader(tags, **described), Target(_FUNCTION, _SMALL))


def changed(size: int = 256, update: str = "Successful", **described: Any) -> Observation:
    return observed(**{"MemorySize": size, "RevisionId": "r-2", "LastUpdateStatus": update, **described})


def codes(seen: Observation, facts: PolicyFacts | None = None, size: int = 256) -> list[str]:
    return [one.code for one in ACTION.preflight(seen, {"memoryMb": size}, facts or PolicyFacts())]


def test_nothing_speaks_against_an_active_function_with_more_memory() -> None:
    assert codes(observed({"team": "web"})) == []


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (Observation(exists=False), "NotFound"),
        (observed({"finops.dev/protected": "true"}), "Protected"),
        (observed({"services.k8s.aws/namespace": "shop"}), "OwnedByController"),
        (observed({"aws:cloudformation:stack-name": "shop"}), "OwnedByTemplate"),
        (observed({"terraform": "true"}), "OwnedByTemplate"),
        (observed(State="Inactive"), "NotActive"),
        (observed(State=None), "NotActive"),
        (observed(LastUpdateStatus="InProgress"), "UpdateNotComplete"),
        (observed(LastUpdateStatus="Failed"), "UpdateNotComplete"),
        (observed(MasterArn="arn:aws:lambda:us-east-1:111111111111:function:main:1"), "Replica"),
        (observed(CapacityProviderConfig={"LambdaManagedInstancesCapacityProviderConfig": {}}), "OwnCapacity"),
        (observed(provisioned=True), "ProvisionedConcurrency"),
        (observed(versions=1), "PublishedVersions"),
        (observed(MemorySize=None), "MemoryUnknown"),
        (observed(RevisionId=None), "MemoryUnknown"),
        (observed(Timeout=None), "TimeoutUnknown"),
        (observed(CodeSha256=None), "CreationUnknown"),
        (observed(MemorySize=256), "MemoryNotLower"),
        (observed(MemorySize=128), "MemoryNotLower"),
    ],
)
def test_every_reason_against_it_has_its_rule(seen: Observation, code: str) -> None:
    assert codes(seen) == [code]


def test_what_was_not_read_is_refused() -> None:
    partial = ACTION.observe(reader(), Target(_FUNCTION, _SMALL, full=False))
    assert codes(partial) == ["ProvisionedConcurrency", "PublishedVersions"]


def test_what_the_policy_protects_is_refused() -> None:
    assert codes(observed({"env": "prod"}), PolicyFacts({"env": ("prod",)})) == ["Protected"]


@pytest.mark.parametrize("size", [None, 127, 10241, "256", True, 256.0])
def test_only_a_size_that_aws_takes_makes_a_plan(size: Any) -> None:
    with pytest.raises(InvalidInput):
        ACTION.plan(_FUNCTION, {"memoryMb": size}, observed().fingerprint)


def test_a_function_that_aws_knows_no_more_does_not_exist_and_other_refusals_are_no_absence() -> None:
    def answered(operation: str, code: str) -> CannedReader:
        return CannedReader({**reader().answers, operation: AwsRejected("no", operation=operation, code=code)})

    target = Target(_FUNCTION, _SMALL)
    for operation in ("lambda:GetFunctionConfiguration", "lambda:ListVersionsByFunction"):
        assert not ACTION.observe(answered(operation, "ResourceNotFoundException"), target).exists
        with pytest.raises(AwsRejected):
            ACTION.observe(answered(operation, "InvalidParameterValueException"), target)
    assert not ACTION.observe(CannedReader(), target).exists


def test_what_a_function_keeps_in_its_environment_is_not_observed() -> None:
    assert "hunter2" not in repr(observed())


@pytest.mark.parametrize(
    "other",
    [
        observed(MemorySize=512),
        observed(Timeout=3),
        observed(RevisionId="r-2"),
        observed(CodeSha256="other"),
        observed({"team": "web"}),
    ],
    ids=["memory", "timeout", "revision", "code", "tags"],
)
def test_the_fingerprint_shows_every_change_that_matters(other: Observation) -> None:
    assert other.fingerprint != observed().fingerprint


def test_it_changes_the_revision_that_people_saw_and_a_turned_act_sets_the_old_size_again() -> None:
    plan = ACTION.plan(_FUNCTION, _SMALL, observed().fingerprint)
    (call, _), (back, _) = plan.steps, ACTION.procedure.compensation(plan)
    assert (call.operation, call.parameters) == (
        "lambda:UpdateFunctionConfiguration",
        {"FunctionName": "thumbnails", "MemorySize": 256, "RevisionId": "r-1"},
    )
    assert call.inverse == back.id
    assert (back.operation, back.parameters) == (
        "lambda:UpdateFunctionConfiguration",
        {"FunctionName": "thumbnails", "MemorySize": 1024},
    )


def test_each_session_may_change_this_function_alone_and_reads_are_those_declared() -> None:
    found = list(granted(ACTION, ACTION.plan(_FUNCTION, _SMALL, observed().fingerprint)))
    assert {(permission, arn) for _, permission, arn in found} == {("lambda:UpdateFunctionConfiguration", _ARN)}
    assert {permission for _, permission, _ in found} == set(ACTION.permissions)
    asked = reader()
    ACTION.observe(asked, Target(_FUNCTION, _SMALL))
    names = {"resourcegroupstaggingapi:GetResources": "tag:GetResources"}
    # What its watch reads besides: see test_watches_of_settings.
    assert {names.get(one, one) for one in asked.operations} == set(ACTION.read_permissions) - {*PERMISSIONS}


def test_it_is_done_once_aws_has_applied_the_change_and_a_failed_one_turns_back() -> None:
    plan = ACTION.plan(_FUNCTION, _SMALL, observed().fingerprint)
    rules = ACTION.procedure
    waiting = rules.steps["wait_updated"]
    assert rules.steps["set_memory"].reached(plan, changed(update="InProgress"))
    assert not waiting.reached(plan, changed(update="InProgress"))
    assert not waiting.failed(plan, changed(update="InProgress"))
    assert waiting.failed(plan, changed(update="Failed"))
    assert waiting.failed(plan, changed(CodeSha256="other"))
    # It may be about to show.
    assert not waiting.failed(plan, observed())
    assert rules.verified(plan, changed())
    assert not rules.restored(plan, changed())
    assert not rules.steps["restore"].expected(plan, changed(update="InProgress"))
    assert rules.steps["restore"].expected(plan, changed(update="Failed"))
    assert not rules.restored(plan, changed(1024, update="InProgress"))
    assert rules.restored(plan, changed(1024))


@pytest.mark.parametrize(
    ("seen", "forward", "back"),
    [
        (observed(), "", ""),
        (changed(), "", ""),
        (changed(1024), "somebody changed the function meanwhile", ""),
        (changed(512), "somebody changed the function meanwhile", ""),
        (changed(CodeSha256="other"), *["somebody deployed other code meanwhile"] * 2),
        (Observation(exists=False), "", ""),
    ],
    ids=["unchanged", "ours", "old size, other revision", "another size", "deployed", "gone"],
)
def test_what_somebody_else_made_of_it_is_theirs(seen: Observation, forward: str, back: str) -> None:
    plan = ACTION.plan(_FUNCTION, _SMALL, observed().fingerprint)
    steps = ACTION.procedure.steps
    assert steps["set_memory"].taken(plan, Journal(), seen, 0.0) == forward
    assert steps["restore"].taken(plan, Journal(), seen, 0.0) == back


def test_a_refusal_for_another_revision_is_said_in_words() -> None:
    plan = ACTION.plan(_FUNCTION, _SMALL, observed().fingerprint)
    said = ACTION.procedure.refused(plan, observed(), "set_memory", "PreconditionFailedException")
    assert said == "Somebody changed the function after people approved the act."
    assert ACTION.procedure.refused(plan, observed(), "set_memory", "AccessDeniedException") == ""


def test_the_card_names_both_sizes_and_what_may_become_slower() -> None:
    seen = observed()
    words = ACTION.words(seen, _SMALL, ACTION.plan(_FUNCTION, _SMALL, seen.fingerprint))
    assert words.change == "Memory: 1024 MB → 256 MB"
    assert words.undo == "On a failure it gets 1024 MB back by itself. Later: set its memory back."
    assert [(fact.label, fact.value) for fact in words.facts] == [("Processor", "arm64")]
    assert "a function that computes runs longer" in ACTION.warnings(seen, _SMALL)[0]
    assert all(len(one) <= 250 for one in ACTION.warnings(seen, _SMALL))


@pytest.mark.parametrize(
    ("seen", "sentence"),
    [
        (observed(), "The function has 1024 MB of memory."),
        (changed(update="Failed"), "The function has 256 MB of memory; its last change is Failed."),
        (Observation(exists=False), "The function does not exist any more."),
    ],
)
def test_the_end_of_the_act_says_what_is_there(seen: Observation, sentence: str) -> None:
    assert ACTION.procedure.found(ACTION.plan(_FUNCTION, _SMALL, observed().fingerprint), seen) == sentence


def test_every_change_has_two_minutes_to_show() -> None:
    assert min(rules.settle_seconds for rules in ACTION.procedure.steps.values()) >= 120


@pytest.mark.parametrize(
    ("system", "patch"),
    [
        ("CloudFormation", "Properties: MemorySize: 256"),
        ("Terraform", "memory_size = 256"),
        ("Crossplane", "Wanted: 256 MB of memory"),
    ],
)
def test_an_owner_gets_the_change_in_its_own_words(system: str, patch: str) -> None:
    assert ACTION.at_owner.patch(Owner(system, "", "Change it there."), function(), _SMALL) == patch


def test_the_check_proposes_it_with_parameters_that_make_a_plan() -> None:
    found = FUNCTIONS.found(CHECK, function(), invoked(100_000, memory=memory(10, peak=20)))
    assert (found.action, found.parameters) == (ACTION.id, _SMALL)
    ACTION.plan(_FUNCTION, found.parameters, observed().fingerprint)


def undo_of(left: Observation) -> Plan:
    assert ACTION.undo is not None
    parameters = ACTION.undo.parameters(ACTION.plan(_FUNCTION, _SMALL, observed().fingerprint), {})
    return ACTION.plan(_FUNCTION, parameters, left.fingerprint)


def test_an_undo_gives_the_old_size_back_to_the_revision_that_people_saw() -> None:
    undo = undo_of(changed())
    (back, _) = ACTION.procedure.compensation(undo)

    assert undo.steps[0].parameters == {"FunctionName": "thumbnails", "MemorySize": 1024, "RevisionId": "r-2"}
    assert back.parameters == {"FunctionName": "thumbnails", "MemorySize": 256}
    assert ACTION.procedure.verified(undo, changed(1024, RevisionId="r-3"))
    assert not ACTION.procedure.verified(undo, changed())
    words = ACTION.words(changed(), undo.parameters, undo)
    assert words.change == "Memory: 256 MB → 1024 MB"
    (warning,) = ACTION.warnings(changed(), undo.parameters)
    assert "keep the size they were published with" in warning


@pytest.mark.parametrize(
    ("left", "found"),
    [
        (changed(), []),
        (changed(tags={"finops.dev/protected": "true", "terraform": "true"}), []),
        (changed(versions=2, provisioned=True), []),
        (changed(update="InProgress"), ["UpdateNotComplete"]),
        (changed(MasterArn="arn"), ["Replica"]),
        (changed(1024), ["NotBack"]),
        (Observation(exists=False), ["NotFound"]),
    ],
)
def test_what_forbids_less_memory_does_not_forbid_the_undo(left: Observation, found: list[str]) -> None:
    parameters = undo_of(changed()).parameters
    assert [one.code for one in ACTION.preflight(left, parameters, PolicyFacts())] == found


def test_a_function_with_other_code_than_the_act_left_is_not_undone() -> None:
    assert ACTION.undo is not None
    act = ACTION.plan(_FUNCTION, _SMALL, observed().fingerprint)

    assert ACTION.undo.changed(act, changed()) == ""
    assert ACTION.undo.changed(act, changed(CodeSha256="other")) == "After the act somebody deployed other code."
