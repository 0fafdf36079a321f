"""Whether a recommendation can become a request, and every reason against it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.support.scan_samples import APPROVE, account, policy, recommendation

from finops.domain.recommendation import Block, BlockCode, Status
from finops_operator.rules.readiness import act_terms, judged, refused

MISSING: dict[str, Any] = dict.fromkeys(("current_monthly_cost", "new_monthly_cost", "monthly_savings"))
OBSERVE = {"mode": "Recommend", "allowed": [], "minimumMonthlySavings": 1}


def codes(of: Any, **parts: Any) -> list[str]:
    """Return what blocks `of` under a policy and an account that allow it, but for `parts`."""
    by = policy(actions=parts.get("actions", APPROVE))
    found = judged(of, act_terms(by, parts.get("account", account())))
    assert found.status is (Status.BLOCKED if found.blocked_by else Status.ACTIONABLE)
    return [block.code for block in found.blocked_by]


def test_what_policy_and_account_allow_is_actionable() -> None:
    assert codes(recommendation()) == []


@pytest.mark.parametrize("changes", [{"advice": "Owned by CloudFormation"}, {"action": ""}])
def test_what_has_an_owner_or_no_action_is_advice_and_nothing_blocks_it(changes: dict[str, Any]) -> None:
    found = judged(recommendation(monthly_savings=None, **changes), act_terms(policy(actions=OBSERVE), None))

    assert (found.status, found.blocked_by) == (Status.ADVICE, ())


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"tags": {"finops.dev/protected": "Yes"}}, BlockCode.PROTECTED_TAG),
        ({"monthly_savings": None}, BlockCode.NO_PRICE),
        ({"new_monthly_cost": None}, BlockCode.NO_PRICE),
        ({"monthly_savings": Decimal(0)}, BlockCode.BELOW_MINIMUM),
        ({"monthly_savings": Decimal("0.99")}, BlockCode.BELOW_MINIMUM),
        ({"action": "ec2_instance_resize"}, BlockCode.NOT_ALLOWED),
    ],
)
def test_each_reason_of_the_recommendation_blocks_it(changes: dict[str, Any], code: str) -> None:
    assert code in codes(recommendation(**changes))


def test_a_tag_that_the_policy_protects_blocks_by_its_value() -> None:
    actions = {**APPROVE, "protectTags": {"tier": ["gold"]}}

    assert codes(recommendation(tags={"tier": "gold"}), actions=actions) == [BlockCode.PROTECTED_TAG]
    assert codes(recommendation(tags={"tier": "lead"}), actions=actions) == []


@pytest.mark.parametrize(
    ("granting", "code"),
    [
        (None, BlockCode.NOT_GRANTED),
        (account(allow=[{"namespaces": ["team-b"], "actions": ["ec2_instance_stop"]}]), BlockCode.NOT_GRANTED),
        (account(allow=[{"namespaces": ["team-a"]}]), BlockCode.NOT_GRANTED),
        (account(executorRoleArn=None), BlockCode.NO_EXECUTOR_ROLE),
    ],
)
def test_each_reason_of_the_account_blocks_it(granting: Any, code: str) -> None:
    assert codes(recommendation(), account=granting) == [code]


def test_a_policy_that_only_recommends_is_named_instead_of_the_rights_that_it_does_not_use() -> None:
    assert codes(recommendation(), actions=OBSERVE, account=None) == [BlockCode.MODE_RECOMMEND]
    assert codes(recommendation(monthly_savings=None), actions=OBSERVE) == [
        BlockCode.NO_PRICE,
        BlockCode.MODE_RECOMMEND,
    ]


def test_every_reason_is_a_sentence_that_says_what_to_change() -> None:
    blocked = recommendation(action="ec2_instance_resize", monthly_savings=Decimal("0.5"))

    found = judged(blocked, act_terms(policy(actions=APPROVE), account()))

    assert [block.message for block in found.blocked_by] == [
        "It saves less than actions.minimumMonthlySavings, 1 USD.",
        "The policy does not list ec2_instance_resize in actions.allowed.",
        "AwsAccount production does not grant ec2_instance_resize to the policy's namespace in spec.allow.",
    ]


def test_a_refusal_of_the_preflight_names_its_rule() -> None:
    found = refused(recommendation(note="It waits."), [Block("SpotInstance", "It is a Spot instance.")])

    assert (found.status, found.note) == (Status.BLOCKED, "")
    assert found.blocked_by == (Block("RefusedByPreflight:SpotInstance", "It is a Spot instance."),)


def test_a_saving_that_nobody_can_know_is_proposed_only_where_the_policy_says_so() -> None:
    unknown = recommendation(monthly_savings=None, new_monthly_cost=None, saving_unknown="AWS does not say it")
    asking = {**APPROVE, "proposeUnknownSavings": True}
    assert codes(unknown) == [BlockCode.UNKNOWN_SAVING]
    assert codes(unknown, actions=asking) == []
    # The bucket's own cost may be unknown as well: people are asked about a saving that nobody knows anyway.
    assert codes(recommendation(1, **MISSING, saving_unknown="AWS does not say it"), actions=asking) == []
    (block,) = judged(unknown, act_terms(policy(actions=APPROVE), account())).blocked_by
    assert block.message.startswith("The saving is unknown: AWS does not say it. To ask people all the same")


def test_a_saving_that_is_unknown_because_a_price_is_missing_is_never_proposed() -> None:
    asking = {**APPROVE, "proposeUnknownSavings": True, "minimumMonthlySavings": 0}
    assert codes(recommendation(1, **MISSING), actions=asking) == [BlockCode.NO_PRICE]


def test_an_act_that_is_not_there_to_save_is_kept_back_by_no_minimum() -> None:
    start = recommendation(
        new_monthly_cost=Decimal("280.32"), monthly_savings=Decimal("0.00"), attributes={"savesNothing": True}
    )
    assert codes(start) == []
    assert codes(replace(start, attributes={})) == [BlockCode.BELOW_MINIMUM]
    assert codes(replace(start, tags={"finops.dev/protected": "true"})) == [BlockCode.PROTECTED_TAG]
    unknown = recommendation(1, **MISSING, attributes={"savesNothing": True}, saving_unknown="its hours are not known")
    assert codes(unknown) == [BlockCode.UNKNOWN_SAVING]
