"""s3_bucket_set_lifecycle: what speaks against it, what it calls, what people are asked, and what leads back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from tests.support.act_reading import CannedReader, granted
from tests.support.facts import NOW
from tests.unit.services.s3.buckets import BUCKETS, bucket

from finops.audit_verify.plan import problem_of_undo
from finops.domain.execution import Journal, Observation
from finops.domain.plan import Plan
from finops.domain.recommendation import ResourceRef
from finops.errors import AwsRejected, InvalidInput
from finops_operator.plugins.action import PolicyFacts, Target
from finops_operator.plugins.ownership import Owner
from finops_operator.plugins.watched import LIST_ALARMS
from finops_operator.services.s3.actions.s3_bucket_set_lifecycle import ACTION
from finops_operator.services.s3.checks.s3_bucket_incomplete_uploads import CHECK

_ARN: Final = "arn:aws:s3:::media"
_BUCKET: Final = ResourceRef("s3-bucket", "media", _ARN, "111111111111", "us-east-1")
_OWNED: Final = {"Bucket": "media", "ExpectedBucketOwner": "111111111111"}
_7: Final[dict[str, Any]] = {"abortUploadsAfterDays": 7}
_LOGS: Final[dict[str, Any]] = {
    "ID": "logs",
    "Status": "Enabled",
    "Filter": {"Prefix": "logs/"},
    "Expiration": {"Days": 30},
}
_OURS: Final[dict[str, Any]] = {
    "ID": "finops-abort-incomplete-uploads",
    "Filter": {"Prefix": ""},
    "Status": "Enabled",
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
}


def aborts(days: int, **changes: Any) -> dict[str, Any]:
    return _OURS | {"ID": "others", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": days}} | changes


def reader(
    tags: dict[str, str] | None = None, rules: list[dict[str, Any]] | None = None, size: str = ""
) -> CannedReader:
    listed = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
    answer: Any = {"Rules": rules, **({"TransitionDefaultMinimumObjectSize": size} if size else {})}
    if rules is None:
        answer = AwsRejected("none", operation="s3:Get", code="NoSuchLifecycleConfiguration")
    return CannedReader(
        {
            "s3:GetBucketLifecycleConfiguration": answer,
            "resourcegroupstaggingapi:GetResources": {
                "ResourceTagMappingList": [{"ResourceARN": _ARN, "Tags": listed}]
            },
        }
    )


def observed(*rules: dict[str, Any], tags: dict[str, str] | None = None, size: str = "") -> Observation:
    return ACTION.observe(reader(tags, list(rules) or None, size), Target(_BUCKET, _7))


def codes(seen: Observation, facts: PolicyFacts | None = None, days: int = 7) -> list[str]:
    return [one.code for one in ACTION.preflight(seen, {"abortUploadsAfterDays": days}, facts or PolicyFacts())]


def test_nothing_speaks_against_a_bucket_whose_rules_leave_uploads_alone() -> None:
    assert codes(observed()) == []
    assert codes(observed(_LOGS, tags={"team": "web"})) == []
    # A rule for a part of the bucket, one that is off, and one that waits longer.
    assert codes(observed(aborts(3, Filter={"Prefix": "a/"}), aborts(3, Status="Disabled"), aborts(8))) == []


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (Observation(exists=False), "NotFound"),
        (observed(tags={"finops.dev/protected": "true"}), "Protected"),
        (observed(tags={"legal hold": ""}), "KeptByTag"),
        (observed(tags={"services.k8s.aws/namespace": "shop"}), "OwnedByController"),
        (observed(tags={"aws:cloudformation:stack-name": "shop"}), "OwnedByTemplate"),
        (observed(tags={"terraform": "true"}), "OwnedByTemplate"),
        (observed(aborts(7)), "AlreadyAborted"),
        (observed(aborts(1)), "AlreadyAborted"),
        (observed(aborts(7, Filter={})), "AlreadyAborted"),
        (observed(_OURS), "AlreadyAborted"),
        (observed(_OURS | {"Status": "Disabled"}), "RuleNameTaken"),
        (observed(*[_LOGS | {"ID": str(number)} for number in range(1000)]), "TooManyRules"),
        (observed(*[_LOGS | {"ID": str(number)} for number in range(50)]), "RulesTooLong"),
    ],
)
def test_every_reason_against_it_has_its_rule(seen: Observation, code: str) -> None:
    assert codes(seen) == [code]


def test_what_the_policy_protects_is_refused() -> None:
    assert codes(observed(tags={"env": "prod"}), PolicyFacts({"env": ("prod",)})) == ["Protected"]


@pytest.mark.parametrize("days", [None, 0, 366, "7", True])
def test_only_a_number_of_days_makes_a_plan(days: Any) -> None:
    with pytest.raises(InvalidInput):
        ACTION.plan(_BUCKET, {"abortUploadsAfterDays": days}, observed().fingerprint)


def test_a_bucket_that_s3_knows_no_more_does_not_exist_and_other_refusals_are_no_absence() -> None:
    def answered(code: str) -> CannedReader:
        return CannedReader({"s3:GetBucketLifecycleConfiguration": AwsRejected("no", operation="s3:Get", code=code)})

    assert not ACTION.observe(answered("NoSuchBucket"), Target(_BUCKET, _7)).exists
    # So S3 answers when the name belongs to another account.
    with pytest.raises(AwsRejected):
        ACTION.observe(answered("AccessDenied"), Target(_BUCKET, _7))


@pytest.mark.parametrize(
    "other",
    [
        observed(),
        observed(_LOGS | {"Status": "Disabled"}),
        observed(_LOGS, size="varies"),
        observed(_LOGS, tags={"a": "b"}),
    ],
    ids=["no rules", "another rule", "another size", "tags"],
)
def test_the_fingerprint_shows_every_change_that_matters(other: Observation) -> None:
    assert other.fingerprint != observed(_LOGS).fingerprint


def test_the_rule_is_added_to_those_that_are_there_and_a_turned_act_sets_exactly_those_again() -> None:
    size = "varies_by_storage_class"
    dated = _LOGS | {"ID": "dated", "Expiration": {"Date": datetime(2027, 1, 1, tzinfo=UTC)}}
    plan = ACTION.plan(_BUCKET, _7, observed(_LOGS, dated, size=size).fingerprint)
    kept = [_LOGS, dated | {"Expiration": {"Date": "2027-01-01T00:00:00+00:00"}}]
    (call, _), (back, _) = plan.steps, ACTION.procedure.compensation(plan)
    common = {**_OWNED, "TransitionDefaultMinimumObjectSize": size}
    assert call.inverse == back.id
    for step, rules in ((call, [*kept, _OURS]), (back, kept)):
        assert step.operation == "s3:PutBucketLifecycleConfiguration"
        assert step.parameters == {**common, "LifecycleConfiguration": {"Rules": rules}}


def test_a_bucket_without_rules_has_none_again_after_a_turned_act() -> None:
    plan = ACTION.plan(_BUCKET, _7, observed().fingerprint)
    (call, _), (back, _) = plan.steps, ACTION.procedure.compensation(plan)
    assert call.parameters == {**_OWNED, "LifecycleConfiguration": {"Rules": [_OURS]}}
    assert (back.operation, back.parameters) == ("s3:DeleteBucketLifecycle", _OWNED)


def test_beside_rules_of_the_older_form_the_new_one_has_it_too() -> None:
    older = {"ID": "logs", "Prefix": "logs/", "Status": "Enabled", "Expiration": {"Days": 30}}
    plan = ACTION.plan(_BUCKET, _7, observed(older).fingerprint)
    configuration: Any = plan.steps[0].parameters["LifecycleConfiguration"]
    added = configuration["Rules"][-1]
    assert (added["Prefix"], "Filter" in added) == ("", False)


def test_each_session_may_change_this_buckets_rules_alone_and_reads_are_those_declared() -> None:
    for seen in (observed(), observed(_LOGS)):
        found = list(granted(ACTION, ACTION.plan(_BUCKET, _7, seen.fingerprint)))
        assert {(permission, arn) for _, permission, arn in found} == {("s3:PutLifecycleConfiguration", _ARN)}
    assert ACTION.permissions == ("s3:PutLifecycleConfiguration",)
    asked = reader()
    ACTION.observe(asked, Target(_BUCKET, _7))
    names = {
        "resourcegroupstaggingapi:GetResources": "tag:GetResources",
        "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    }
    assert {names[one] for one in asked.operations} == set(ACTION.read_permissions) - {LIST_ALARMS}
    assert asked.asked[0][1] == _OWNED


def test_it_is_done_once_s3_shows_the_rules_in_whatever_order() -> None:
    plan = ACTION.plan(_BUCKET, _7, observed(_LOGS).fingerprint)
    rules = ACTION.procedure
    for seen in (observed(_LOGS, _OURS), observed(_OURS, _LOGS), observed(_LOGS, _OURS | {"Filter": {}})):
        assert rules.verified(plan, seen)
        assert not rules.restored(plan, seen)
    assert not rules.verified(plan, observed(_OURS))
    assert rules.restored(plan, observed(_LOGS))
    assert rules.steps["set_rules"].expected(plan, observed(_LOGS))
    assert rules.steps["wait_set"].failed(plan, Observation(exists=False))
    # It may be about to show.
    assert not rules.steps["wait_set"].failed(plan, observed(_LOGS))


@pytest.mark.parametrize("step", ["set_rules", "restore"])
@pytest.mark.parametrize(
    ("seen", "clause"),
    [
        (observed(_LOGS), ""),
        (observed(_LOGS, _OURS), ""),
        (observed(), "somebody set other lifecycle rules meanwhile"),
        (observed(_LOGS, _OURS, aborts(3)), "somebody set other lifecycle rules meanwhile"),
        (Observation(exists=False), ""),
    ],
    ids=["old rules", "new rules", "no rules", "one more", "gone"],
)
def test_rules_that_somebody_else_set_are_theirs(seen: Observation, clause: str, step: str) -> None:
    plan = ACTION.plan(_BUCKET, _7, observed(_LOGS).fingerprint)
    assert ACTION.procedure.steps[step].taken(plan, Journal(), seen, 0.0) == clause


@pytest.mark.parametrize(
    ("rules", "change", "back"),
    [
        ([], "Lifecycle rules: none → 1 rule, the new one for unfinished uploads", "Remove the rules again"),
        ([_LOGS], "Lifecycle rules: 1 rule → 2 rules, the new one for unfinished uploads", "Set the old rules again"),
    ],
)
def test_the_card_says_what_is_added_and_that_parts_are_lost(rules: list[Any], change: str, back: str) -> None:
    seen = observed(*rules)
    words = ACTION.words(seen, _7, ACTION.plan(_BUCKET, _7, seen.fingerprint))
    assert (words.target, words.change, words.steps["restore"]) == ("7 days for unfinished uploads", change, back)
    assert "cannot be recovered" in words.undo
    assert ACTION.warnings(seen, _7)[0] == (
        "Uploads that began more than 7 days ago are ended. Their parts cannot be recovered."
    )
    assert ACTION.warnings(seen, _7)[-1] == "A rule that somebody sets in the same minute may be lost."


@pytest.mark.parametrize(
    ("seen", "sentence"),
    [
        (observed(), "The bucket has 0 rules; unfinished uploads are kept."),
        (observed(_LOGS, aborts(1)), "The bucket has 2 rules; unfinished uploads end after 1 day."),
        (Observation(exists=False), "The bucket does not exist any more."),
    ],
)
def test_the_end_of_the_act_says_what_is_there(seen: Observation, sentence: str) -> None:
    assert ACTION.procedure.found(ACTION.plan(_BUCKET, _7, observed().fingerprint), seen) == sentence


@pytest.mark.parametrize(
    ("system", "patch"),
    [
        ("CloudFormation", "LifecycleConfiguration: Rules: AbortIncompleteMultipartUpload: DaysAfterInitiation: 7"),
        ("Terraform", "abort_incomplete_multipart_upload { days_after_initiation = 7 }"),
        ("Crossplane", "Wanted: unfinished uploads end after 7 days"),
    ],
)
def test_an_owner_gets_the_change_in_its_own_words(system: str, patch: str) -> None:
    assert ACTION.at_owner.patch(Owner(system, "", "Change it there."), bucket(), _7) == patch


def test_the_check_proposes_the_days_that_aws_recommends() -> None:
    begun = (NOW - timedelta(days=30)).isoformat()
    found = BUCKETS.found(CHECK, bucket(incomplete_uploads=3, oldest_upload=begun))
    assert (found.action, found.parameters, found.target) == (ACTION.id, _7, "7 days for unfinished uploads")
    ACTION.plan(_BUCKET, found.parameters, observed().fingerprint)


_SIZE: Final = "all_storage_classes_128K"


def undo_of(*before: dict[str, Any], size: str = "") -> tuple[Plan, Plan]:
    """Return an act on a bucket with these rules, and its undo."""
    assert ACTION.undo is not None
    act = ACTION.plan(_BUCKET, _7, observed(*before, size=size).fingerprint)
    left = observed(*before, _OURS, size=size or _SIZE)
    return act, ACTION.plan(_BUCKET, ACTION.undo.parameters(act, {}), left.fingerprint)


@pytest.mark.parametrize(("before", "size"), [([], ""), ([_LOGS], _SIZE), ([_LOGS, aborts(30)], "")])
def test_an_undo_sets_exactly_the_rules_that_were_there_before(before: list[dict[str, Any]], size: str) -> None:
    act, undo = undo_of(*before, size=size)
    back, leads_back = undo.steps[0], ACTION.procedure.compensation(act)[0]
    rules = ACTION.procedure

    assert (back.operation, back.parameters) == (leads_back.operation, leads_back.parameters)
    assert problem_of_undo(act.to_json(), undo.to_json()) == ""
    assert (
        ACTION.plan(_BUCKET, undo.parameters, observed(*before, _OURS, size=size or _SIZE).fingerprint).hash
        == undo.hash
    )
    assert rules.steps["set_rules"].expected(undo, observed(*before, _OURS))
    assert not rules.verified(undo, observed(*before, _OURS))
    assert rules.verified(undo, observed(*before, size=size))
    again = rules.compensation(undo)[0]
    assert again.operation == "s3:PutBucketLifecycleConfiguration"
    assert again.parameters["LifecycleConfiguration"] == {"Rules": [*before, _OURS]}
    words = ACTION.words(observed(*before, _OURS), undo.parameters, undo)
    assert "without the one for unfinished uploads" in words.change
    assert "cannot be recovered" in ACTION.warnings(observed(*before, _OURS), undo.parameters)[0]


@pytest.mark.parametrize(
    ("left", "same"),
    [
        (observed(_LOGS, _OURS, size=_SIZE), True),
        (observed(_OURS, _LOGS, size=_SIZE), True),
        (observed(_LOGS, size=_SIZE), False),
        (observed(_LOGS, _OURS, aborts(30), size=_SIZE), False),
        (observed(_LOGS | {"Expiration": {"Days": 31}}, _OURS, size=_SIZE), False),
        (observed(_LOGS, _OURS, size="varies_by_storage_class"), False),
        (observed(), False),
    ],
)
def test_rules_that_somebody_changed_since_the_act_are_left_alone(left: Observation, same: bool) -> None:
    assert ACTION.undo is not None
    act, _ = undo_of(_LOGS, size=_SIZE)
    said = ACTION.undo.changed(act, left)
    assert said == ("" if same else "After the act somebody changed the bucket's lifecycle rules.")


def test_what_protects_objects_does_not_forbid_the_undo() -> None:
    _, undo = undo_of(_LOGS)
    marked = observed(_LOGS, _OURS, tags={"finops.dev/protected": "true", "terraform": "true"})
    assert ACTION.preflight(marked, undo.parameters, PolicyFacts()) == ()
    gone = ACTION.preflight(Observation(exists=False), undo.parameters, PolicyFacts())
    assert [one.code for one in gone] == ["NotFound"]


@pytest.mark.parametrize("left", [observed(), observed(_LOGS), observed(_LOGS, _OURS | {"Status": "Disabled"})])
def test_no_undo_is_planned_where_the_rule_of_the_act_is_not(left: Observation) -> None:
    _, undo = undo_of(_LOGS)
    with pytest.raises(InvalidInput):
        ACTION.plan(_BUCKET, undo.parameters, left.fingerprint)


def test_rules_that_s3_shows_in_another_order_are_put_back_all_the_same() -> None:
    act, undo = undo_of(_LOGS, aborts(30))
    left = observed(_OURS, aborts(30), _LOGS).fingerprint
    shuffled = ACTION.plan(_BUCKET, undo.parameters, left)
    assert shuffled.hash != undo.hash
    assert problem_of_undo(act.to_json(), shuffled.to_json()) == ""


def test_the_verifier_refuses_an_undo_that_removes_rules_of_before() -> None:
    act, undo = undo_of(_LOGS)
    forged = ACTION.plan(_BUCKET, undo.parameters, observed(_OURS).fingerprint)
    assert problem_of_undo(act.to_json(), forged.to_json()) != ""
