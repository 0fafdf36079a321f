"""The policy evaluator: AWS's logic on single cases, and as properties over arbitrary policies."""

import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops_sandbox.aws.policy_evaluator import (
    AccessRequest,
    MalformedPolicyError,
    Policy,
    arn_like,
    authorize,
    evaluate,
    like,
    parse_policy,
)

INSTANCE = "arn:aws:ec2:us-east-1:111111111111:instance/i-1"


def policy(**statement: Any) -> Policy:
    complete = {"Effect": "Allow", "Action": "ec2:StopInstances", "Resource": "*", **statement}
    return parse_policy({"Version": "2012-10-17", "Statement": [complete]})


def stop(resource: str = INSTANCE, **context: tuple[str, ...]) -> AccessRequest:
    return AccessRequest("ec2:StopInstances", resource, {key.replace("__", "/"): val for key, val in context.items()})


def tagged(key: str, value: str) -> AccessRequest:
    return AccessRequest("ec2:StopInstances", INSTANCE, {f"aws:resourcetag/{key}": (value,)})


def test_nothing_is_allowed_without_a_statement_that_says_so() -> None:
    decision = evaluate([], stop())
    assert not decision.allowed
    assert not decision.explicit_deny


def test_an_action_wildcard_covers_the_action_whatever_its_case() -> None:
    assert evaluate([policy(Action="EC2:stop*")], stop()).allowed
    assert not evaluate([policy(Action="ec2:Start*")], stop()).allowed


def test_a_resource_wildcard_does_not_cross_into_another_account() -> None:
    mine = policy(Resource="arn:aws:ec2:*:111111111111:instance/*")
    assert evaluate([mine], stop()).allowed
    assert not evaluate([mine], stop("arn:aws:ec2:us-east-1:222222222222:instance/i-1")).allowed
    assert not arn_like("arn:aws:ec2:*:instance/*", INSTANCE)


def test_a_call_without_resources_is_granted_by_the_star_alone() -> None:
    request = AccessRequest("ec2:DescribeInstances", "*")
    assert evaluate([policy(Action="ec2:Describe*")], request).allowed
    assert not evaluate([policy(Action="ec2:Describe*", Resource="arn:aws:ec2:*:*:instance/*")], request).allowed


def test_an_explicit_deny_wins_over_every_allow() -> None:
    decision = evaluate([policy(), policy(Effect="Deny", Action="ec2:*")], stop())
    assert not decision.allowed
    assert decision.explicit_deny


def test_not_action_and_not_resource_match_everything_else() -> None:
    rest = parse_policy({"Statement": {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}})
    assert evaluate([rest], stop()).allowed
    others = parse_policy({"Statement": {"Effect": "Allow", "Action": "ec2:*", "NotResource": INSTANCE}})
    assert not evaluate([others], stop()).allowed


def test_a_session_policy_can_only_take_rights_away() -> None:
    role, narrow = policy(Action="ec2:StopInstances"), policy(Action="*", Resource=INSTANCE)
    assert authorize([role], narrow, stop()).allowed
    refused = authorize([role], narrow, stop("arn:aws:ec2:us-east-1:111111111111:instance/i-2"))
    assert not refused.allowed
    assert refused.reason == "because no session policy allows the ec2:StopInstances action"
    start = AccessRequest("ec2:StartInstances", INSTANCE)
    assert authorize([role], narrow, start).reason.startswith("because no identity-based policy")


@pytest.mark.parametrize(
    ("operator", "wanted", "value", "holds"),
    [
        ("StringEquals", "prod", "prod", True),
        ("StringEquals", "prod", "Prod", False),
        ("StringEqualsIgnoreCase", "prod", "Prod", True),
        ("StringNotEquals", "prod", "test", True),
        ("StringLike", "pr*", "production", True),
        ("StringLike", "pr?", "production", False),
        ("StringNotLike", "pr*", "production", False),
        ("ArnLike", "arn:aws:iam::*:role/a*", "arn:aws:iam::1:role/abc", True),
        ("ArnLike", "arn:aws:iam::*", "arn:aws:iam::1:role/abc", False),
        ("Bool", "true", "True", True),
        ("Bool", "false", "true", False),
        ("ForAnyValue:StringEquals", "prod", "prod", True),
        ("StringEqualsIfExists", "prod", "test", False),
    ],
)
def test_condition_operators_compare_as_in_iam(operator: str, wanted: str, value: str, *, holds: bool) -> None:
    conditional = policy(Condition={operator: {"aws:ResourceTag/env": wanted}})
    assert evaluate([conditional], tagged("env", value)).allowed is holds


@pytest.mark.parametrize(
    ("operator", "holds"),
    [("StringEquals", False), ("StringNotEquals", True), ("StringEqualsIfExists", True), ("Bool", False)],
)
def test_a_missing_key_fails_plain_operators_and_passes_the_negated_ones(operator: str, *, holds: bool) -> None:
    assert evaluate([policy(Condition={operator: {"aws:ResourceTag/env": "x"}})], stop()).allowed is holds


def test_null_says_whether_the_key_is_there() -> None:
    must_be_there = policy(Condition={"Null": {"aws:ResourceTag/finops.dev/managed": "false"}})
    assert evaluate([must_be_there], tagged("finops.dev/managed", "")).allowed
    assert not evaluate([must_be_there], stop()).allowed


def test_all_conditions_and_any_value_of_a_condition_must_hold() -> None:
    both = policy(Condition={"StringEquals": {"aws:ResourceTag/env": ["prod", "test"], "aws:RequestedRegion": "x"}})
    context = {"aws:resourcetag/env": ("test",), "aws:requestedregion": ("x",)}
    assert evaluate([both], AccessRequest("ec2:StopInstances", INSTANCE, context)).allowed
    assert not evaluate([both], tagged("env", "test")).allowed


def test_an_unknown_operator_never_grants_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    strange: dict[str, Any] = {"Condition": {"NumericLessThan": {"aws:MultiFactorAuthAge": "300"}}}
    with caplog.at_level(logging.WARNING):
        assert not evaluate([policy(**strange)], stop()).allowed
        assert evaluate([policy(), policy(Effect="Deny", **strange)], stop()).explicit_deny
    assert "NumericLessThan" in caplog.text


def test_a_trust_policy_asks_for_the_principal() -> None:
    document = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::1:user/a"}, "Action": "sts:AssumeRole"}
    trust = parse_policy({"Statement": [document]}, trust=True)
    assert evaluate([trust], AccessRequest("sts:AssumeRole", "r", {}, ("arn:aws:iam::1:user/a",))).allowed
    assert not evaluate([trust], AccessRequest("sts:AssumeRole", "r", {}, ("arn:aws:iam::1:user/b",))).allowed


@pytest.mark.parametrize(
    "document",
    [
        "{",
        "[]",
        '{"Statement": []}',
        '{"Version": "2020-01-01", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}',
        '{"Statement": [{"Effect": "Maybe", "Action": "*", "Resource": "*"}]}',
        '{"Statement": [{"Effect": "Allow", "Resource": "*"}]}',
        '{"Statement": [{"Effect": "Allow", "Action": "*"}]}',
        '{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*"}]}',
        '{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": 1}}]}',
    ],
)
def test_a_malformed_policy_is_refused(document: str) -> None:
    with pytest.raises(MalformedPolicyError):
        parse_policy(document)


# ---------------------------------------------------------------- properties

ACTIONS = st.sampled_from(["ec2:StopInstances", "ec2:StartInstances", "ec2:*", "*", "ec2:S*", "sts:AssumeRole"])
RESOURCES = st.sampled_from(["*", INSTANCE, INSTANCE[:-1] + "*", INSTANCE[:-1] + "2", "arn:aws:ec2:*:*:instance/*"])
CONDITIONS = st.one_of(
    st.just({}),
    st.builds(
        lambda operator, value: {operator: {"aws:ResourceTag/env": value}},
        st.sampled_from(["StringEquals", "StringLike", "StringNotEquals", "Null", "Bool", "DateLessThan"]),
        st.sampled_from(["prod", "p*", "true", "false"]),
    ),
)
STATEMENTS = st.builds(
    lambda effect, action, resource, condition: {
        "Effect": effect,
        "Action": action,
        "Resource": resource,
        "Condition": condition,
    },
    st.sampled_from(["Allow", "Deny"]),
    ACTIONS,
    RESOURCES,
    CONDITIONS,
)
POLICIES = st.lists(STATEMENTS, min_size=1, max_size=4).map(lambda items: parse_policy({"Statement": items}))
REQUESTS = st.builds(
    lambda action, number, env: AccessRequest(
        action, INSTANCE[:-1] + number, {"aws:resourcetag/env": (env,)} if env else {}
    ),
    st.sampled_from(["ec2:StopInstances", "ec2:StartInstances"]),
    st.sampled_from("12"),
    st.sampled_from(["", "prod", "true"]),
)


@given(POLICIES, POLICIES, REQUESTS)
def test_a_session_is_never_allowed_what_role_or_session_policy_alone_refuses(
    role: Policy, session: Policy, request: AccessRequest
) -> None:
    together = authorize([role], session, request).allowed
    assert together == (evaluate([role], request).allowed and evaluate([session], request).allowed)


@given(POLICIES, REQUESTS)
def test_adding_a_deny_of_everything_always_refuses(existing: Policy, request: AccessRequest) -> None:
    assert not evaluate([existing, policy(Effect="Deny", Action="*")], request).allowed


@given(POLICIES, STATEMENTS, REQUESTS)
def test_adding_an_allow_never_takes_a_right_away(existing: Policy, extra: Any, request: AccessRequest) -> None:
    wider = Policy((*existing.statements, *parse_policy({"Statement": [{**extra, "Effect": "Allow"}]}).statements))
    assert evaluate([wider], request).allowed >= evaluate([existing], request).allowed


@given(POLICIES, REQUESTS)
def test_the_order_of_statements_does_not_matter(existing: Policy, request: AccessRequest) -> None:
    backwards = Policy(tuple(reversed(existing.statements)))
    assert evaluate([existing], request).allowed == evaluate([backwards], request).allowed


@given(st.text(alphabet="ab.*?[", max_size=8))
def test_text_without_wildcards_matches_itself_alone(text: str) -> None:
    plain = text.replace("*", "").replace("?", "")
    assert like(plain, plain)
    assert not like(plain, plain + "x")
    assert like(text, text.replace("*", "anything").replace("?", "z"))


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists))
def test_rubbish_is_refused_and_never_crashes(document: Any) -> None:
    with pytest.raises(MalformedPolicyError):
        parse_policy(json.dumps(document))
    with pytest.raises(MalformedPolicyError):
        parse_policy(json.dumps({"Statement": document}))
