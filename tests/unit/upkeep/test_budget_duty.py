"""Budgets are judged by what the policies of their namespace scan, and each alert is announced once a month."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.support.budgets import INSTANCES, VOLUMES, Cluster, budgets_on, policy_object, read_policies, remember
from tests.support.fake_clock import FakeClock
from tests.support.notices import announced
from tests.support.web_estate import ACCOUNT, NOW, ROOT, StoredScan, priced, resource

from finops.crds.scan_policy import ScanPolicy
from finops.domain.budget import Basis, BudgetState
from finops.domain.notice import Notice
from finops.domain.resource import Gap
from finops.errors import StoreUnavailable
from finops.k8s.connection import connect
from finops.store.connection import Store
from finops.store.notices import StoredNotices
from finops.store.slack_status import SlackProblem, SlackStatus
from finops_operator.cluster.cache import KindCache
from finops_sandbox.kubernetes.double import KubernetesDouble


@pytest.fixture(scope="module")
def double(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubernetesDouble]:
    namespaces = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in ("team-a", "team-b")
    ]
    folder: Path = tmp_path_factory.mktemp("budgets")
    with KubernetesDouble(folder, crds=[ROOT / "crds"], manifests=namespaces) as made:
        yield made


@pytest.fixture
def cluster(double: KubernetesDouble) -> Iterator[Cluster]:
    with budgets_on(connect(str(double.kubeconfig_for("admin")))) as made:
        yield made


def scanned(store: Store, *gaps: Gap, generation: str = "g1") -> None:
    """What the policy of team-a left: one tagged instance, one without the tag, one volume."""
    StoredScan(store).write(
        {
            "a": (resource("ec2-instance", "i-1", tags={"team": "orders"}), priced("0.10")),
            "b": (resource("ec2-instance", "i-2"), priced("0.30")),
            "c": (resource("ebs-volume", "vol-1", tags={"team": "orders"}), priced(missing=("no price",))),
        },
        gaps=gaps,
        generation=generation,
    )


def test_a_budget_says_what_the_month_costs_and_will_cost(store: Store, cluster: Cluster) -> None:
    scanned(store)
    remember(store, INSTANCES, "730", 60)
    remember(store, VOLUMES, "73", 60)
    budget = cluster.budget("all", "1000.00")

    cluster.duty(store).judge()

    status = cluster.now(budget).status
    assert (status.state, f"{status.actual}", status.actual_percent) == (BudgetState.WITHIN_BUDGET, "264.00", 26)
    assert (f"{status.forecast}", status.forecast_percent, status.through) == ("818.40", 81, "2026-03-10")
    assert (
        status.conditions[0].message == "264.00 of 1,000.00 USD through 2026-03-10. Forecast for the month: 818.40 USD."
    )


def test_each_threshold_is_announced_once_a_month_also_by_a_process_that_starts_anew(
    store: Store, cluster: Cluster
) -> None:
    scanned(store)
    remember(store, INSTANCES, "730", 60)
    remember(store, VOLUMES, "0", 60)
    budget = cluster.budget("tight", "250", alerts={"actualPercent": [80, 100], "forecastPercent": [100]})

    for _ in range(2):
        cluster.duty(store).judge()

    found = [(one.data["basis"], one.data["percent"], one.data["cost"]) for one in announced(store)]
    assert sorted(found) == [("Actual", 80, "240.00"), ("Forecast", 100, "744.00")]
    status = cluster.now(budget).status
    assert status.state is BudgetState.ALERT_REACHED
    assert [(one.basis, one.percent) for one in status.alerts] == [(Basis.ACTUAL, 80), (Basis.FORECAST, 100)]


def test_the_next_month_has_alerts_of_its_own(store: Store, cluster: Cluster) -> None:
    scanned(store)
    remember(store, INSTANCES, "730", 60)
    remember(store, VOLUMES, "0", 60)
    budget = cluster.budget("monthly", "200", alerts={"actualPercent": [100], "forecastPercent": []})
    cluster.duty(store).judge()
    april = NOW + timedelta(days=35)
    remember(store, INSTANCES, "7300", 14, from_ago=-35)
    remember(store, VOLUMES, "0", 14, from_ago=-35)

    cluster.duty(store, FakeClock(april)).judge()

    assert [one.data["month"] for one in announced(store)] == ["2026-03", "2026-04"]
    assert [one.percent for one in cluster.now(budget).status.alerts] == [100]


def test_a_channel_that_takes_no_alert_is_said_in_the_status_of_the_budget_that_names_it_until_it_does(
    store: Store, cluster: Cluster, double: KubernetesDouble
) -> None:
    scanned(store)
    remember(store, INSTANCES, "730", 60)
    own = cluster.budget("own", "1000", notify={"slack": {"channel": "C0ORDERS01"}})
    of_the_policies = cluster.budget("theirs", "1000")
    duty, status = cluster.duty(store), SlackStatus(store)
    duty.judge()
    status.fail(SlackProblem("not_in_channel", NOW, "Slack refused: not_in_channel"), "C0ORDERS01")

    for _ in range(2):
        duty.judge()

    said = " No alert reaches Slack: C0ORDERS01: Slack refused: not_in_channel"
    assert cluster.now(own).status.conditions[0].message.endswith(said)
    assert "Slack" not in cluster.now(of_the_policies).status.conditions[0].message
    (event,) = [one for one in double.objects("events") if one["reason"] == "NoAlertReachesSlack"]
    assert (event["involvedObject"]["name"], event["message"]) == ("own", said.strip())

    store.client.hset(store.keys.slack("status"), "error:C0OTHER01", "x")
    duty.judge()
    assert cluster.now(own).status.conditions[0].message.endswith(said)
    store.client.hdel(store.keys.slack("status"), "error:C0OTHER01")
    status.clear("C0ORDERS01")
    duty.judge()
    assert "Slack" not in cluster.now(own).status.conditions[0].message


class KilledAfter:
    """Records a notice, and never gets to say so."""

    def __init__(self, store: Store) -> None:
        self._notices = StoredNotices(store)

    def announce(self, notice: Notice) -> bool:
        self._notices.announce(notice)
        raise StoreUnavailable("the answer was lost")


def test_an_alert_whose_announcement_was_cut_off_is_in_the_status_and_announced_once(
    store: Store, cluster: Cluster
) -> None:
    scanned(store)
    remember(store, INSTANCES, "730", 10)
    remember(store, VOLUMES, "0", 10)
    budget = cluster.budget("cut", "240", alerts={"actualPercent": [100], "forecastPercent": []})
    with pytest.raises(StoreUnavailable):
        cluster.duty(store, notifier=KilledAfter(store)).judge()
    assert cluster.now(budget).status.alerts == ()

    cluster.duty(store).judge()

    assert len(announced(store)) == 1
    assert [one.percent for one in cluster.now(budget).status.alerts] == [100]


def test_what_has_no_price_makes_the_cost_unknown_and_is_counted(store: Store, cluster: Cluster) -> None:
    scanned(store)
    remember(store, INSTANCES, "730", 10)
    remember(store, VOLUMES, "0", 10, unpriced=3)
    budget = cluster.budget("unpriced", "1000")

    cluster.duty(store).judge()

    status = cluster.now(budget).status
    assert (status.state, status.actual, status.forecast) == (BudgetState.UNKNOWN, None, None)
    assert (status.unpriced_resources, f"{status.known_cost}") == (3, "240.00")
    assert status.conditions[0].status.value == "Unknown"
    assert "At least 240.00 of 1,000.00 USD" in status.conditions[0].message
    assert "3 resources not fully priced" in status.conditions[0].message


@pytest.mark.parametrize(
    ("gap", "state"),
    [
        (Gap(ACCOUNT, "us-east-1", "ec2", "DescribeInstances", "AccessDenied", "denied"), BudgetState.UNKNOWN),
        (Gap("production", "", "sts", "AssumeRole", "AccessDenied", "denied"), BudgetState.UNKNOWN),
        (Gap(ACCOUNT, "eu-west-1", "ec2", "DescribeInstances", "AccessDenied", "denied"), BudgetState.WITHIN_BUDGET),
        (Gap(ACCOUNT, "us-east-1", "ec2", "DescribeVolumes", "AccessDenied", "denied"), BudgetState.WITHIN_BUDGET),
        (Gap(ACCOUNT, "us-east-1", "ec2", "DescribeRegions", "RegionNotAllowed", "not"), BudgetState.UNKNOWN),
        (Gap(ACCOUNT, "us-east-1", "kubernetes", "pod", "ScanPodFailed", "not scanned"), BudgetState.UNKNOWN),
        (Gap(ACCOUNT, "us-east-1", "ec2", "DescribeNobody", "AccessDenied", "denied"), BudgetState.UNKNOWN),
        (Gap(ACCOUNT, "", "ce", "GetReservationCoverage", "AccessDenied", "no"), BudgetState.WITHIN_BUDGET),
        (Gap(ACCOUNT, "us-east-1", "rds", "DescribeDBInstances", "AccessDenied", "denied"), BudgetState.WITHIN_BUDGET),
        (Gap(ACCOUNT, "us-east-1", "cloudwatch", "GetMetricData", "Throttling", "slow"), BudgetState.WITHIN_BUDGET),
    ],
    ids=lambda one: f"{one.service}-{one.region}" if isinstance(one, Gap) else one.value,
)
def test_what_the_last_scan_could_not_list_of_the_scope_makes_its_cost_unknown(
    store: Store, cluster: Cluster, gap: Gap, state: BudgetState
) -> None:
    scanned(store, gap)
    remember(store, INSTANCES, "730", 10)
    budget = cluster.budget("gaps", "1000", scope={"regions": ["us-east-1"], "services": ["ec2-instance"]})

    cluster.duty(store).judge()

    assert cluster.now(budget).status.state is state


@pytest.mark.parametrize("spec", [{}, {"mode": "of a later version"}], ids=["new", "that does not parse"])
def test_a_policy_that_was_never_scanned_makes_the_cost_unknown_and_is_named(
    store: Store, cluster: Cluster, spec: dict[str, Any]
) -> None:
    scanned(store)
    remember(store, INSTANCES, "730", 10)
    remember(store, VOLUMES, "0", 10)
    budget = cluster.budget("new-policy", "1000")
    policies = read_policies(policy_object("all"), policy_object("europe", **spec), policy_object("far", "team-b"))
    duty = cluster.duty(store, policies=policies)

    duty.judge()

    status = cluster.now(budget).status
    assert (status.state, status.actual, f"{status.known_cost}") == (BudgetState.UNKNOWN, None, "240.00")
    assert status.unseen == 1
    assert "no scan of the policy europe has ended yet" in status.conditions[0].message
    assert "kubectl describe scanpolicy europe" in status.conditions[0].message
    StoredScan(store, ("team-a", "europe")).write({"a": (resource("ec2-instance", "i-1"), priced("0.10"))})
    duty.judge()
    assert cluster.now(budget).status.state is BudgetState.WITHIN_BUDGET


def test_a_scope_of_which_nothing_was_scanned_names_the_policy_that_never_was(store: Store, cluster: Cluster) -> None:
    budget = cluster.budget("first-hours", "1000")

    cluster.duty(store, policies=read_policies(policy_object("europe"))).judge()

    status = cluster.now(budget).status
    assert (status.state, status.through) == (BudgetState.UNKNOWN, None)
    assert "policy europe" in status.conditions[0].message


def test_no_budget_is_judged_before_the_watch_has_read_all_policies(store: Store, cluster: Cluster) -> None:
    scanned(store)
    remember(store, INSTANCES, "730", 10)
    budget = cluster.budget("early", "1000")

    cluster.duty(store, policies=KindCache(ScanPolicy, lambda: None)).judge()

    assert cluster.now(budget).status.state is None


def test_a_budget_learns_nothing_of_what_only_other_namespaces_scan(store: Store, cluster: Cluster) -> None:
    scanned(store)
    remember(store, INSTANCES, "730", 10)
    budget = cluster.budget("nosy", "1", namespace="team-b", scope={"accounts": [ACCOUNT]})

    cluster.duty(store).judge()

    status = cluster.now(budget).status
    assert (status.state, f"{status.known_cost}", status.through) == (BudgetState.UNKNOWN, "0.00", None)
    assert announced(store) == []


def test_a_tag_is_added_up_from_the_day_it_is_named_and_earlier_days_are_unknown(
    store: Store, cluster: Cluster
) -> None:
    scanned(store)
    remember(store, INSTANCES, "292", 10)
    tag = {"key": "team", "value": "orders"}
    budget = cluster.budget("tagged", "1000", scope={"tag": tag, "services": ["ec2-instance"]})

    cluster.duty(store).judge()

    status = cluster.now(budget).status
    assert (status.state, f"{status.known_cost}", status.missing_days) == (BudgetState.UNKNOWN, "2.40", 9)


def test_a_tag_is_known_from_the_first_of_the_next_month(store: Store, cluster: Cluster) -> None:
    first = NOW.replace(month=4, day=1)
    scanned(store)
    remember(store, INSTANCES, "292", 1, from_ago=-22)
    tag = {"key": "team", "value": "orders"}
    budget = cluster.budget("tagged-again", "2.40", scope={"tag": tag, "services": ["ec2-instance"]})

    cluster.duty(store, FakeClock(first)).judge()

    status = cluster.now(budget).status
    assert (status.state, f"{status.actual}", status.through) == (BudgetState.EXCEEDED, "2.40", "2026-04-01")


def test_nothing_is_written_again_until_a_scan_the_budget_or_the_day_changes(store: Store, cluster: Cluster) -> None:
    scanned(store)
    remember(store, INSTANCES, "730", 10)
    remember(store, VOLUMES, "0", 10)
    budget, duty = cluster.budget("still", "1000"), cluster.duty(store)
    duty.judge()
    before = cluster.now(budget)

    duty.judge()
    assert cluster.now(budget).metadata.resource_version == before.metadata.resource_version
    remember(store, INSTANCES, "73000", 1)
    scanned(store, generation="g2")
    duty.judge()

    assert cluster.now(budget).status.state is BudgetState.EXCEEDED


def test_an_alert_goes_to_the_budgets_own_channel_or_to_those_of_the_policies_of_its_namespace(
    store: Store, cluster: Cluster
) -> None:
    scanned(store)
    remember(store, INSTANCES, "730", 10)
    remember(store, VOLUMES, "0", 10)
    alerts = {"actualPercent": [50, 80, 100], "forecastPercent": []}
    cluster.budget("own", "100", alerts=alerts, notify={"slack": {"channel": "C0BUDGETS1"}})
    cluster.budget("shared", "100", alerts=alerts)
    policies = read_policies(
        policy_object("all", notify={"slack": {"channel": "C0ORDERS01"}}),
        policy_object("far", "team-b", notify={"slack": {"channel": "C0OTHERS01"}}),
    )

    cluster.duty(store, policies=policies).judge()

    # Three thresholds passed at once are three notices, and one message.
    went = {(one.data["budget"], one.data["percent"]): one.channels for one in announced(store)}
    assert {key: value for key, value in went.items() if value} == {
        ("own", 100): ("C0BUDGETS1",),
        ("shared", 100): ("C0ORDERS01",),
    }
    assert len(went) == 6


def test_an_alert_says_what_drives_it_as_of_when_and_what_is_not_known(store: Store, cluster: Cluster) -> None:
    scanned(store)
    remember(store, INSTANCES, "730", 10)
    remember(store, VOLUMES, "73", 10, unpriced=3)
    cluster.budget("warned", "300", alerts={"actualPercent": [80], "forecastPercent": [100]})

    cluster.duty(store).judge()

    (one,) = announced(store)
    assert one.title == "Budget warned: at least 88 % of the month's budget is spent"
    assert "2026-03 has cost at least 264.00 of 300.00 USD" in one.text
    said = dict(one.lines)
    assert said["How much"] == (
        "at least 264.00 of 300.00 USD, actual cost from the first through 2026-03-10; the threshold is 80 %."
    )
    assert said["Not known"] == "3 resources not fully priced. The cost may be higher."
    assert said["What drives it"] == (
        f"ec2-instance in us-east-1 of {ACCOUNT} 240.00 USD; ebs-volume in us-east-1 of {ACCOUNT} 24.00 USD."
    )
    assert said["As of"].endswith("UTC, when the oldest of the last scans ended.")
    assert one.data["unknown"] == "3 resources not fully priced"
    assert one.commands[0] == "kubectl -n team-a get budget warned -o yaml"


def test_a_forecast_is_called_one_beside_what_the_month_has_cost(store: Store, cluster: Cluster) -> None:
    scanned(store)
    remember(store, INSTANCES, "730", 60)
    remember(store, VOLUMES, "0", 60)
    cluster.budget("ahead", "600", alerts={"actualPercent": [], "forecastPercent": [100]})

    cluster.duty(store).judge()

    (one,) = announced(store)
    assert one.title == "Budget ahead: the month is forecast to cost 124 % of it"
    assert dict(one.lines)["How much"] == (
        "744.00 of 600.00 USD, forecast for the whole month; the threshold is 100 %. "
        "So far it has cost 240.00 USD, from the first through 2026-03-10."
    )
