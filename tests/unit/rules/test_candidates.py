"""Which recommendations become requests, and what a request says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.scan_samples import (
    ACCOUNT,
    APPROVE,
    NOW,
    WORDS,
    account,
    plan_of,
    policy,
    recommendation,
    reference,
    request,
)

from finops.crds.action_request import ActionRequest, UndoneAct
from finops.crds.scan_policy import ScanPolicy
from finops.domain.decision import TERMINAL, State, Trigger
from finops.domain.recommendation import Recommendation
from finops_operator.rules.candidates import (
    QUIET_AFTER,
    Skip,
    candidates,
    open_requests,
    outdated,
    request_spec,
    room,
    undo_terms,
)
from finops_operator.rules.origin import created_id, intended_id, spec_hash
from finops_operator.rules.readiness import SAVES_NOTHING

OPEN = sorted(set(State) - TERMINAL)


def chosen(
    items: list[Recommendation], *requests: ActionRequest, by: ScanPolicy | None = None, **given_: Any
) -> list[Recommendation | str]:
    accounts = given_.get("accounts", {ACCOUNT: account()})
    found = candidates(by or policy(), items, requests, accounts, given_.get("now", NOW))
    return [item.reason if isinstance(item, Skip) else item for item in found]


def spec_of(item: Recommendation, by: ScanPolicy | None = None) -> Any:
    return request_spec(by or policy(), account(), item, plan_of(item), WORDS, NOW)


def test_what_is_allowed_and_granted_is_proposed_best_first() -> None:
    items = [recommendation(1), recommendation(2)]

    assert chosen(items) == items


def test_a_policy_that_only_recommends_proposes_nothing() -> None:
    assert chosen([recommendation()], by=policy(actions={"mode": "Recommend"})) == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"counted": False}, "better recommendation"),
        ({"advice": "an Auto Scaling group"}, "advice only"),
        ({"action": "ec2_instance_resize"}, "actions.allowed"),
        ({"action": ""}, "advice only"),
        ({"tags": {"finops.dev/protected": "true"}}, "finops.dev/protected"),
        ({"monthly_savings": None}, "unknown"),
        ({"current_monthly_cost": None}, "unknown"),
        ({"new_monthly_cost": None}, "unknown"),
        ({"monthly_savings": Decimal("0.99")}, "minimumMonthlySavings"),
        ({"monthly_savings": Decimal(0)}, "saves nothing"),
    ],
)
def test_what_should_not_be_done_is_left_out_with_its_reason(changes: dict[str, Any], reason: str) -> None:
    (found,) = chosen([recommendation(**changes)])

    assert isinstance(found, str)
    assert reason in found


@pytest.mark.parametrize(
    ("accounts", "reason"),
    [
        ({}, "grant"),
        ({ACCOUNT: account(allow=[{"namespaces": ["team-b"], "actions": ["ec2_instance_stop"]}])}, "grant"),
        ({ACCOUNT: account(allow=[{"namespaces": ["team-a"]}])}, "grant"),
        ({ACCOUNT: account(executorRoleArn=None)}, "executorRoleArn"),
    ],
)
def test_an_account_that_does_not_grant_the_act_is_not_asked(accounts: dict[str, Any], reason: str) -> None:
    (found,) = chosen([recommendation()], accounts=accounts)

    assert reason in str(found)


@pytest.mark.parametrize("state", OPEN)
def test_one_open_request_per_resource_whatever_its_policy_or_action(state: State) -> None:
    other = request(recommendation(action="ebs_volume_delete"), state, by=policy(name="other"), namespace="team-b")

    assert chosen([recommendation()], other) == ["The request r-rec1 for this resource is open."]


def test_the_same_resource_is_asked_for_once_within_one_scan() -> None:
    first, second = recommendation(1), recommendation(2, resource=reference(1))

    assert chosen([first, second]) == [first, "The request made just now for this resource is open."]


def test_an_object_that_was_never_taken_in_blocks_nothing() -> None:
    item = recommendation()

    assert chosen([item], request(item, None)) == [item]
    assert open_requests(policy(), [request(item, None)]) == ()


@given(maximum=st.integers(1, 6), waiting=st.integers(0, 6), wanted=st.integers(0, 8))
def test_open_requests_never_exceed_the_maximum(maximum: int, waiting: int, wanted: int) -> None:
    asked = [request(recommendation(100 + n), OPEN[n % len(OPEN)]) for n in range(waiting)]
    by = policy(actions={**APPROVE, "maximumOpenRequests": maximum})

    assert room(by, asked) == max(0, maximum - waiting)
    found = chosen([recommendation(n) for n in range(wanted)], *asked, by=by)
    # How many of them become requests is for the proposer: a look at the resource may still forbid the act.
    assert len([one for one in found if isinstance(one, Recommendation)]) == wanted


def test_requests_of_other_policies_take_no_room() -> None:
    others = [request(recommendation(100 + n), State.PENDING, by=policy(name="other")) for n in range(3)]
    item = recommendation()

    by = policy(actions={**APPROVE, "maximumOpenRequests": 1})
    assert chosen([item], *others, by=by) == [item]
    assert room(by, others) == 1


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_what_was_answered_is_not_asked_again_before_its_time(state: State) -> None:
    item = recommendation()
    answered = request(item, state, ended=NOW)
    pause = QUIET_AFTER.get(state, timedelta(0))

    if pause:
        (why,) = chosen([item], answered, now=NOW + pause - timedelta(seconds=1))
        assert why == f"The same act was {state.value} in r-rec1; it is asked again in 1 day."
    assert chosen([item], answered, now=NOW + pause) == [item]
    assert chosen([recommendation(2)], answered) == [recommendation(2)]


def undo(item: Recommendation, state: State, name: str = "r-undo") -> ActionRequest:
    """Return a request that undoes the act that was made for `item`."""
    act = request(item, State.SUCCEEDED, ended=NOW)
    undoes = UndoneAct(name=act.metadata.name, uid=act.metadata.uid or "", required=1)
    spec = act.spec.model_copy(update={"undoes": undoes})
    metadata = act.metadata.model_copy(update={"name": name, "uid": f"uid-{name}"})
    return act.model_copy(
        update={"metadata": metadata, "spec": spec, "status": act.status.model_copy(update={"state": state})}
    )


def test_what_was_undone_is_as_unwanted_as_what_was_denied() -> None:
    item, act = recommendation(), request(recommendation(), State.SUCCEEDED, ended=NOW)
    undone, pause = undo(item, State.SUCCEEDED), QUIET_AFTER[State.DENIED]

    for known in ((act, undone), (undone, act)):
        (why,) = chosen([item], *known, now=NOW + pause - timedelta(seconds=1))
        assert why == "The same act was undone in r-undo; it is asked again in 1 day."
    assert chosen([item], act, undone, now=NOW + pause) == [item]


@pytest.mark.parametrize("state", sorted(TERMINAL - {State.SUCCEEDED}))
def test_an_undo_that_did_not_come_about_says_nothing_about_the_act(state: State) -> None:
    item = recommendation()

    assert chosen([item], undo(item, state)) == [item]


def test_an_undo_waits_for_as_many_people_as_the_act_whatever_the_scan_or_its_savings_say() -> None:
    waiting = undo(recommendation(), State.PENDING)
    assert outdated(policy(), waiting) is None
    assert waiting.spec.undoes is not None

    more = waiting.spec.model_copy(update={"undoes": waiting.spec.undoes.model_copy(update={"required": 2})})
    changed = outdated(policy(), waiting.model_copy(update={"spec": more}))

    assert changed is not None
    assert changed[0] is Trigger.SUPERSEDED
    assert outdated(policy(actions={**APPROVE, "allowed": ["ebs_volume_delete"]}), waiting) is not None


def test_a_dry_run_does_not_suppress_the_act_itself() -> None:
    item, rehearsal = recommendation(), policy(actions={**APPROVE, "mode": "DryRun"})
    rehearsed = request(item, State.SUCCEEDED, by=rehearsal, ended=NOW)

    assert chosen([item], rehearsed) == [item]
    assert chosen([item], rehearsed, by=rehearsal) == [
        "The same act was Succeeded in r-rec1; it is asked again in 1 day."
    ]


@given(
    current=st.decimals(min_value=Decimal("0.01"), max_value=100_000, places=6),
    share=st.decimals(min_value=0, max_value=1, places=4),
)
def test_the_three_figures_of_a_card_add_up_after_rounding(current: Decimal, share: Decimal) -> None:
    saving = current * share
    item = recommendation(current_monthly_cost=current, monthly_savings=saving, new_monthly_cost=current - saving)

    estimate = spec_of(item).estimate

    assert estimate.current_monthly_cost == estimate.new_monthly_cost + estimate.monthly_savings
    assert 0 <= estimate.monthly_savings <= estimate.current_monthly_cost
    assert estimate.new_monthly_cost >= 0


def test_a_request_says_what_is_approved_by_whom_and_until_when() -> None:
    spec = spec_of(recommendation(), policy(approval={"approvers": [{"kubernetesUser": "a"}], "expiresAfter": "90m"}))

    assert spec.to_plan().hash == spec.plan_hash
    assert spec.plan_is_intact
    assert spec.expires_at == NOW + timedelta(minutes=90)
    assert (spec.approval.required, spec.dry_run, spec.slack_channel) == (1, False, None)
    assert spec.evidence.values == {"days": 14, "flag": "True", "maximumCpuPercent": "1.2", "odd": "none"}


def test_a_destructive_act_needs_two_people_whatever_the_rest_needs() -> None:
    assert spec_of(recommendation(destructive=True)).approval.required == 2


def test_a_dry_run_says_that_it_is_one() -> None:
    assert spec_of(recommendation(), policy(actions={**APPROVE, "mode": "DryRun"})).dry_run is True


@pytest.mark.parametrize(("minimum", "channel"), [(5, "C0123456789"), (65.21, "C0123456789"), (65.22, None)])
def test_small_savings_get_a_request_but_no_card(minimum: float, channel: str | None) -> None:
    notify = {"slack": {"channel": "C0123456789", "minimumMonthlySavings": minimum}}

    assert spec_of(recommendation(), policy(notify=notify)).slack_channel == channel


def test_words_window_and_coverage_reach_the_request() -> None:
    evidence = {
        "windowStart": "2026-02-24T00:00:00+00:00",
        "windowEnd": "2026-03-10T00:00:00+00:00",
        "coveragePercent": "99.4",
        **{f"value{n}": n for n in range(100)},
    }
    spec = spec_of(recommendation(evidence=evidence))
    found = spec.evidence

    assert spec.presentation == WORDS.presentation
    assert [step.title for step in spec.plan] == ["Stop the instance"]
    assert found.coverage_percent == Decimal("99.4")
    assert found.window_end is not None
    assert len(found.values) == 60


@pytest.mark.parametrize(
    ("changed", "trigger"),
    [
        ({}, None),
        ({"actions": {"mode": "Recommend"}}, Trigger.WITHDRAWN),
        ({"actions": {**APPROVE, "allowed": ["ebs_volume_delete"]}}, Trigger.WITHDRAWN),
        ({"actions": {**APPROVE, "mode": "DryRun"}}, Trigger.SUPERSEDED),
        ({"approval": {"approvers": [{"kubernetesUser": "bob"}]}}, Trigger.SUPERSEDED),
        ({"approval": {"approvers": [{"kubernetesUser": "alice"}], "expiresAfter": "1h"}}, None),
        ({"schedule": "1 2 3 4 *"}, None),
        ({"notify": {"slack": {"channel": "C0123456789", "minimumMonthlySavings": 65.21}}}, Trigger.SUPERSEDED),
        ({"notify": {"slack": {"channel": "C0123456789", "minimumMonthlySavings": 65.22}}}, None),
    ],
)
def test_a_waiting_request_ends_when_the_policy_no_longer_means_it(changed: Any, trigger: Trigger | None) -> None:
    ending = outdated(policy(**changed), request(recommendation(), State.PENDING))

    assert (ending and ending[0]) == trigger


@pytest.mark.parametrize(
    ("channel", "minimum", "superseded"),
    [("C0123456789", 1, False), ("C0123456789", 65.21, False), ("C0987654321", 1, True), ("C0123456789", 65.22, True)],
)
def test_a_request_follows_its_card_to_where_the_policy_sends_cards_now(
    channel: str, minimum: float, *, superseded: bool
) -> None:
    def sent_to(channel: str, minimum: float) -> ScanPolicy:
        return policy(notify={"slack": {"channel": channel, "minimumMonthlySavings": minimum}})

    waiting = request(recommendation(), State.PENDING, by=sent_to("C0123456789", 1))

    assert (outdated(sent_to(channel, minimum), waiting) is not None) is superseded


def test_a_request_takes_its_reminders_along_and_goes_on_when_the_policy_changes_them() -> None:
    def reminding(after: str) -> ScanPolicy:
        escalate = [{"after": "48h", "to": {"slackUserGroup": "S0456"}}]
        approvers = [{"slackUser": "U0123"}]
        return policy(approval={"approvers": approvers, "remindAfter": [after], "escalate": escalate})

    waiting = request(recommendation(), State.PENDING, by=reminding("24h"))

    assert waiting.spec.approval.to_dict()["remindAfter"] == ["24h"]
    assert waiting.spec.approval.to_dict()["escalate"] == [{"after": "48h", "to": {"slackUserGroup": "S0456"}}]
    assert outdated(reminding("12h"), waiting) is None
    assert undo_terms(reminding("12h"), 2).remind_after == ("12h",)


def test_the_ledger_knows_a_request_by_its_whole_spec() -> None:
    first = request(recommendation(), None)
    same = ActionRequest.from_object({**first.to_object()})
    later = first.model_copy(update={"spec": first.spec.model_copy(update={"expires_at": NOW})})

    assert spec_hash(first.spec) == spec_hash(same.spec)
    assert spec_hash(first.spec) != spec_hash(later.spec)
    assert intended_id(first) == f"propose:team-a/r-rec1:{spec_hash(first.spec)[:16]}"
    assert created_id("u") == "proposed:u"


def test_decimal_numbers_of_the_evidence_can_be_hashed() -> None:
    item = recommendation(evidence={"coveragePercent": "99.4", "list": "[1]"})

    assert len(spec_hash(request(item, None).spec)) == 64


def test_an_act_that_aws_undoes_by_itself_says_so_in_its_estimate() -> None:
    item = recommendation()
    once = request_spec(policy(), account(), item, plan_of(item), replace(WORDS, lasts_days=7), NOW)
    assert (once.estimate.lasts_days, spec_of(item).estimate.lasts_days) == (7, None)
    assert once.estimate.monthly_savings == spec_of(item).estimate.monthly_savings


def test_a_request_holds_the_parameters_of_its_plan_with_those_that_the_action_chose_itself() -> None:
    item = recommendation()
    plan = plan_of(item)
    chosen = replace(plan, parameters={**plan.parameters, "apply": "window"})
    spec = request_spec(policy(), account(), item, chosen, WORDS, NOW)
    assert spec.parameters["apply"] == "window"
    assert spec.plan_is_intact


ASKING = {**APPROVE, "proposeUnknownSavings": True}


def unknown(**changes: Any) -> Recommendation:
    nothing: dict[str, Any] = dict.fromkeys(("new_monthly_cost", "monthly_savings", "list_monthly_savings"))
    return recommendation(**{**nothing, "saving_unknown": "AWS does not say it", **changes})


def test_a_request_about_a_saving_that_nobody_can_know_says_why_and_holds_no_zero() -> None:
    estimate = spec_of(unknown(current_monthly_cost=Decimal("12.00"))).estimate
    assert (estimate.current_monthly_cost, estimate.new_monthly_cost) == (Decimal("12.00"), None)
    assert (estimate.monthly_savings, estimate.saving_unknown) == (None, "AWS does not say it")
    stored = estimate.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert "monthlySavings" not in stored


def test_the_card_of_an_unknown_saving_is_posted_whatever_the_least_saving_of_cards() -> None:
    by = policy(actions=ASKING, notify={"slack": {"channel": "C0123456789", "minimumMonthlySavings": 500}})
    assert spec_of(unknown(), by).slack_channel == "C0123456789"
    assert spec_of(recommendation(), by).slack_channel is None


def test_an_act_that_is_not_there_to_save_has_its_card_and_keeps_it() -> None:
    by = policy(notify={"slack": {"channel": "C0123456789", "minimumMonthlySavings": 5}})
    start = recommendation(monthly_savings=Decimal(0), attributes={SAVES_NOTHING: True})
    assert spec_of(start, by).slack_channel == "C0123456789"
    assert outdated(by, request(start, State.PENDING, by=by), saves=False) is None


@pytest.mark.parametrize("minimum", [0, 5])
def test_an_act_that_is_not_there_to_save_gets_its_card_once_the_policy_names_a_channel(minimum: int) -> None:
    start = recommendation(monthly_savings=Decimal(0), attributes={SAVES_NOTHING: True})
    waiting = request(start, State.PENDING, by=policy())
    assert outdated(policy(), waiting, saves=False) is None
    later = policy(notify={"slack": {"channel": "C0123456789", "minimumMonthlySavings": minimum}})
    ended = outdated(later, waiting, saves=False)
    assert ended is not None
    assert ended[0] is Trigger.SUPERSEDED


def test_a_saving_of_less_than_a_cent_below_the_least_of_cards_waits_without_one() -> None:
    by = policy(notify={"slack": {"channel": "C0123456789", "minimumMonthlySavings": 5}})
    waiting = request(recommendation(monthly_savings=Decimal("0.004")), State.PENDING, by=by)
    assert waiting.spec.slack_channel is None
    assert outdated(by, waiting) is None


def test_a_request_about_an_unknown_saving_is_withdrawn_when_the_policy_no_longer_asks() -> None:
    by = policy(actions=ASKING)
    waiting = request(unknown(), State.PENDING, by=by)
    assert outdated(by, waiting) is None
    ended = outdated(policy(actions=APPROVE), waiting)
    assert ended is not None
    assert ended[0] is Trigger.WITHDRAWN


def test_savings_that_nobody_can_know_come_after_all_that_are_known() -> None:
    items = [recommendation(1), unknown(resource=reference(2))]
    assert [one.monthly_savings for one in chosen(items, by=policy(actions=ASKING))] == [  # type: ignore[union-attr]
        items[0].monthly_savings,
        None,
    ]


def test_a_request_to_start_something_holds_the_rise_and_no_saving() -> None:
    start = recommendation(
        current_monthly_cost=Decimal("12.00"),
        new_monthly_cost=Decimal("292.32"),
        monthly_savings=Decimal("0.00"),
        list_monthly_savings=Decimal("0.00"),
        attributes={"savesNothing": True},
    )
    estimate = spec_of(start).estimate
    assert (estimate.current_monthly_cost, estimate.new_monthly_cost) == (Decimal("12.00"), Decimal("292.32"))
    assert estimate.monthly_savings == Decimal("0.00")
