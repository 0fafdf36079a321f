"""What an act is run with: the objects as they are now, what was approved as it was."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

from tests.support.scan_samples import ACCOUNT, APPROVE, account, policy, recommendation, request

from finops.crds.action_request import Estimate
from finops.crds.aws_account import AwsAccount
from finops.crds.scan_policy import ScanPolicy
from finops.domain.decision import State
from finops.ports.act import Limits
from finops_operator.acts.commands import ActRequests
from finops_operator.rules.access import access_of

ROLE = f"arn:aws:iam::{ACCOUNT}:role"
REQUEST = request(recommendation(), State.SCHEDULED)


@dataclass
class Held:
    """One object of a kind, as the API server holds it."""

    found: Any

    def get(self, _namespace: str, _name: str) -> Any:
        return self.found


@dataclass
class Cluster:
    policy: ScanPolicy | None
    account: AwsAccount | None
    request: Any = REQUEST

    @property
    def acts(self) -> ActRequests:
        held = [cast("Any", Held(found)) for found in (self.request, self.policy, self.account)]
        return ActRequests(held[0], held[1], held[2], lambda _: (), access_of, lambda _policy, _kind: 40)


def limited(per_hour: int, **actions: Any) -> ScanPolicy:
    return policy(actions={**APPROVE, "limits": {"perHour": per_hour}, **actions})


def test_limits_and_protected_tags_that_changed_while_it_waited_hold_for_the_next_run() -> None:
    cluster = Cluster(limited(1), account())
    first = cluster.acts.of(REQUEST)
    assert first is not None
    assert (first.limits.per_hour, first.limits.fleet) == (1, 40)
    assert "team" not in first.protect_tags

    cluster.policy = limited(9, protectTags={"team": ["web"]})
    again = cluster.acts.again(first, begun=False)

    assert again.limits.per_hour == 9
    assert dict(again.protect_tags) == {"team": ("web",)}
    assert (again.plan, again.estimate, again.dry_run) == (first.plan, first.estimate, first.dry_run)


def test_what_is_saved_once_is_carried_to_the_act_and_its_records() -> None:
    lasting = Cluster(limited(1), account()).acts.of(REQUEST)
    assert lasting is not None
    assert "lastsDays" not in lasting.estimate

    estimate = REQUEST.spec.estimate.model_copy(update={"lasts_days": 7})
    request_once = REQUEST.model_copy(update={"spec": REQUEST.spec.model_copy(update={"estimate": estimate})})
    once = Cluster(limited(1), account(), request_once).acts.of(request_once)
    assert once is not None
    assert once.estimate == {**lasting.estimate, "lastsDays": "7"}


def test_a_corrected_role_and_external_id_are_used_also_in_mid_act() -> None:
    cluster = Cluster(limited(1), account(executorRoleArn=f"{ROLE}/typo", externalId="old"))
    first = cluster.acts.of(REQUEST)
    assert first is not None

    cluster.account = account(executorRoleArn=f"{ROLE}/right", externalId="new")
    cluster.policy = limited(5, protectTags={"team": ["web"]})
    again = cluster.acts.again(first, begun=True)

    assert again.access.executor_role_arn == f"{ROLE}/right"
    assert again.access.external_id == "new"
    assert dict(again.protect_tags) == {"team": ("web",)}


def test_the_steps_keep_the_words_that_the_request_shows() -> None:
    approved = REQUEST.spec
    first = Cluster(limited(1), account()).acts.of(REQUEST)
    assert first is not None

    assert approved.presentation is not None
    back = {step.id: step.title for step in approved.presentation.rollback}
    assert dict(first.titles) == {**back, **{step.id: step.title for step in approved.plan}}
    assert "Stop the instance" in first.titles.values()


def test_what_is_gone_leaves_what_was_known() -> None:
    cluster = Cluster(limited(3, protectTags={"team": ["web"]}), account())
    first = cluster.acts.of(REQUEST)
    assert first is not None

    gone = Cluster(None, None, None).acts
    again = gone.again(first, begun=False)

    assert (again.access, dict(again.protect_tags)) == (first.access, {"team": ("web",)})
    assert (again.limits.per_hour, again.limits.fleet) == (1, 0)
    assert gone.of(REQUEST) is None


def test_an_account_object_that_became_another_account_is_not_used() -> None:
    cluster = Cluster(limited(1), account())
    first = cluster.acts.of(REQUEST)
    assert first is not None

    cluster.account = account(accountId="999999999999", executorRoleArn="arn:aws:iam::999999999999:role/x")

    assert cluster.acts.again(first, begun=True).access == first.access
    assert cluster.acts.of(REQUEST) is None


def test_an_act_that_has_begun_is_led_back_once_its_grant_is_gone_and_goes_on_when_it_is_there_again() -> None:
    cluster = Cluster(limited(1), account())
    first = cluster.acts.of(REQUEST)
    assert first is not None
    namespace = REQUEST.metadata.namespace

    cluster.account = account(allow=[{"namespaces": [namespace], "actions": ["ebs_volume_modify"]}])
    again = cluster.acts.again(first, begun=True)
    assert again.only_back == f"AwsAccount production no longer grants {REQUEST.spec.action} to namespace {namespace}."
    assert cluster.acts.again(first, begun=False).only_back == ""

    cluster.account = account()
    assert cluster.acts.again(again, begun=True).only_back == ""


def test_an_act_that_was_abandoned_stays_so_whatever_is_granted_meanwhile() -> None:
    cluster = Cluster(limited(1), account())
    first = cluster.acts.of(REQUEST)
    assert first is not None
    abandoned = replace(first, abandoned="Records were lost.")

    for begun in (True, False):
        assert cluster.acts.again(abandoned, begun=begun).only_back == "Records were lost."


def test_an_act_that_a_dead_process_left_is_run_with_the_limits_of_its_policy_and_not_with_none() -> None:
    """Its first call was announced and never reached AWS: caps are asked again; one an hour would hold it for ever."""
    cluster = Cluster(limited(9), account())
    first = cluster.acts.of(REQUEST)
    assert first is not None
    adopted = replace(first, limits=Limits(per_hour=1, per_day=1, percent_of_fleet=1, fleet=0))

    assert cluster.acts.again(adopted, begun=True).limits == first.limits
    assert Cluster(None, account()).acts.again(adopted, begun=True).limits == adopted.limits


def test_an_amount_that_nobody_knows_is_left_out_of_what_the_ledger_keeps() -> None:
    estimate = Estimate(saving_unknown="AWS does not say it", price_source="", price_date="")
    changed = REQUEST.model_copy(update={"spec": REQUEST.spec.model_copy(update={"estimate": estimate})})
    act = Cluster(limited(1), account(), changed).acts.of(changed)
    assert act is not None
    assert not {"currentMonthlyCost", "newMonthlyCost", "monthlySavings"} & act.estimate.keys()
