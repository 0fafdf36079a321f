"""What the status of a policy says after each outcome, as kubectl wait, Flux and Argo CD read it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.scan_samples import ACCOUNT, NOW, gap, policy, scanned_status, summary

from finops.crds.policy_status import GAP_ROWS
from finops.crds.scan_policy import ScanPolicy
from finops.domain.realised import Realised
from finops_operator.rules import policy_status
from finops_operator.rules.policy_status import PolicyFigures
from finops_operator.rules.unproposed import RECOMMEND_ONLY, Unproposed, unproposed

STANDING = PolicyFigures(open_requests=3, realized=Realised(Decimal("9.00"), Decimal("1.99")))
LATER = NOW + timedelta(hours=1)


def scanned(*gaps: Any, of: ScanPolicy | None = None, **changes: Any) -> dict[str, Any]:
    return policy_status.scanned(
        of or policy(generation=4),
        summary(*gaps, **changes),
        next_time=LATER,
        requested_at="",
        generation=4,
        standing=STANDING,
        now=NOW,
    )


def conditions(status: dict[str, Any]) -> dict[str, tuple[str, str, str]]:
    return {one["type"]: (one["status"], one["reason"], one["message"]) for one in status["conditions"]}


def verdicts(status: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {type_: values[:2] for type_, values in conditions(status).items()}


def test_a_complete_scan_is_ready_in_every_respect() -> None:
    status = scanned()

    assert verdicts(status) == {
        "Ready": ("True", "Completed"),
        "Reconciling": ("False", "Completed"),
        "Stalled": ("False", "Completed"),
        "CredentialsValid": ("True", "Valid"),
        "MetricsAvailable": ("True", "Available"),
        "PricingCurrent": ("True", "Current"),
        "StoreReachable": ("True", "Reachable"),
    }
    money = ("monthlyCost", "potentialMonthlySavings", "realizedMonthlySavings", "realizedMonthlyRises")
    assert {key: status[key] for key in money} == {
        "monthlyCost": "123.45",
        "potentialMonthlySavings": "20.10",
        "realizedMonthlySavings": "7.01",
        "realizedMonthlyRises": "1.99",
    }
    assert status["savings"] == {"actionable": "20.10", "advice": "7.00", "blocked": "3.50"}
    assert (status["recommendations"], status["openRequests"], status["observedGeneration"]) == (4, 3, 4)
    assert status["lastScan"]["apiCalls"] == 4
    assert status["lastScan"]["completionTime"] == "2026-03-10T12:30:12Z"


def test_a_scan_that_began_earlier_and_ended_later_leaves_the_newer_ones_status() -> None:
    newer = policy(generation=4, status=scanned(start_time=NOW - timedelta(seconds=5), resources=8))

    late = scanned(of=newer, start_time=NOW - timedelta(seconds=9))

    assert late == newer.status.to_dict()
    assert scanned(of=newer, start_time=NOW)["lastScan"]["resources"] != 8


def test_a_status_dated_in_the_future_by_a_wrong_clock_is_replaced() -> None:
    wrong = policy(generation=4, status=scanned(start_time=NOW + timedelta(hours=1), resources=8))

    assert scanned(of=wrong, start_time=NOW)["lastScan"]["resources"] != 8


def test_gaps_leave_it_ready_and_are_counted_with_the_first_by_name() -> None:
    status = scanned(gap("UnauthorizedOperation"), gap("OptInRequired", region="ap-east-1"))

    ready = conditions(status)["Ready"]
    assert ready[:2] == ("True", "CompletedWithGaps")
    assert "2 gaps" in ready[2]
    assert f"{ACCOUNT} us-east-1 ec2:DescribeInstances UnauthorizedOperation" in ready[2]
    assert status["lastScan"]["gaps"] == 2
    assert status["lastScan"]["gapDetails"][1]["region"] == "ap-east-1"


def test_only_the_first_gaps_are_shown_and_all_are_counted() -> None:
    status = scanned(*(gap(f"Code{n}") for n in range(50)))

    assert status["lastScan"]["gaps"] == 50
    assert len(status["lastScan"]["gapDetails"]) == GAP_ROWS


def test_a_scan_that_saw_nothing_shows_no_figure_and_the_cause() -> None:
    refused = gap("AwsCredentialsInvalid", "sts", "AssumeRole")
    status = scanned(refused, complete_failure="nothing could be scanned: no credentials", resources=0)

    found = verdicts(status)
    assert found["Ready"] == ("False", "AwsCredentialsInvalid")
    assert found["CredentialsValid"] == ("False", "AwsCredentialsInvalid")
    assert found["MetricsAvailable"] == found["PricingCurrent"] == ("Unknown", "NothingScanned")
    assert found["Stalled"][0] == "False"
    for figure in ("monthlyCost", "potentialMonthlySavings", "recommendations"):
        assert figure not in status


@pytest.mark.parametrize("code", ["AccountNotFound", "AccountNotGranted", "AccountTwice"])
def test_an_account_that_was_never_asked_leaves_the_credentials_unknown(code: str) -> None:
    found = conditions(scanned(gap(code, "finops", "Grant"), complete_failure="nothing"))

    assert found["CredentialsValid"][:2] == ("Unknown", code)
    assert found["Ready"][:2] == ("False", code)


def test_causes_that_differ_are_named_together() -> None:
    gaps = gap("AccessDenied", "sts"), gap("CredentialsInvalid", "sts", account="other")
    found = conditions(scanned(*gaps, complete_failure="nothing"))

    assert found["Ready"][1] == found["CredentialsValid"][1] == "NothingScanned"
    assert "AccessDenied was answered" in found["CredentialsValid"][2]
    assert "other: CredentialsInvalid" in found["CredentialsValid"][2]


def test_a_code_that_is_no_reason_becomes_one() -> None:
    assert verdicts(scanned(gap("Client.Bad Code!"), complete_failure="nothing"))["Ready"][1] == "NothingScanned"


def test_metrics_and_prices_that_lack_say_so() -> None:
    assert verdicts(scanned(gap("Throttling", "cloudwatch", "GetMetricData")))["MetricsAvailable"] == (
        "False",
        "Throttling",
    )
    assert verdicts(scanned(unknown_resources=2))["MetricsAvailable"] == ("True", "SomeUnknown")
    assert verdicts(scanned(unpriced_resources=2))["PricingCurrent"] == ("False", "SomeUnpriced")


def test_a_lookback_that_no_picture_of_five_minutes_reaches_is_said_before_the_scan_and_after_it() -> None:
    long = policy(generation=4, metrics={"lookbackDays": 63})
    read = conditions(policy_status.scanning(long, reason="Scheduled", now=NOW))["MetricsAvailable"]
    assert read[:2] == ("Unknown", "LookbackOutOfReach")
    assert "spec.metrics.lookbackDays is 63, and 5-minute points reach 62 days back" in read[2]
    after = conditions(scanned(of=long))["MetricsAvailable"]
    assert (after[:2], after[2].endswith(read[2])) == (("True", "LookbackOutOfReach"), True)
    failing = scanned(gap("Throttling", "cloudwatch", "GetMetricData"), of=long)
    assert conditions(failing)["MetricsAvailable"][:2] == ("False", "Throttling")
    again = policy(generation=4, metrics={"lookbackDays": 63}, status=failing)
    # What failed the last time stays until the next scan says otherwise.
    assert verdicts(policy_status.scanning(again, reason="Scheduled", now=LATER))["MetricsAvailable"][0] == "False"
    within = policy(generation=4, metrics={"lookbackDays": 62})
    assert "MetricsAvailable" not in verdicts(policy_status.scanning(within, reason="Scheduled", now=NOW))


def test_the_annotation_that_was_answered_is_echoed_and_kept() -> None:
    before = policy(status=scanned_status(NOW, lastHandledRequestedAt="old"))
    arguments: Any = {"next_time": LATER, "generation": 1, "standing": STANDING, "now": NOW}

    fresh = policy_status.scanned(before, summary(), requested_at="new", **arguments)
    kept = policy_status.scanned(before, summary(), requested_at="", **arguments)

    assert (fresh["lastHandledRequestedAt"], kept["lastHandledRequestedAt"]) == ("new", "old")


def test_conditions_name_which_generation_they_were_judged_on() -> None:
    edited_meanwhile = policy(generation=5)

    status = scanned(of=edited_meanwhile)

    assert {one["observedGeneration"] for one in status["conditions"]} == {4}
    assert status["observedGeneration"] == 4


def test_a_transition_keeps_its_time_until_the_status_changes() -> None:
    first = scanned()
    again = policy_status.scanned(
        policy(generation=4, status=first),
        summary(gap("Throttling", "cloudwatch")),
        next_time=None,
        requested_at="",
        generation=4,
        standing=STANDING,
        now=LATER,
    )
    since = {one["type"]: one["lastTransitionTime"] for one in again["conditions"]}

    assert since["Ready"] == "2026-03-10T12:30:00Z"
    assert since["MetricsAvailable"] == "2026-03-10T13:30:00Z"


def test_while_it_scans_ready_stays_what_it_was() -> None:
    known = policy(status=scanned())
    running = policy_status.scanning(known, reason="Schedule", now=LATER)

    assert verdicts(running)["Ready"] == ("True", "Completed")
    assert verdicts(running)["Reconciling"] == ("True", "Schedule")
    assert running["monthlyCost"] == "123.45"
    first = verdicts(policy_status.scanning(policy(), reason="NeverScanned", now=NOW))
    assert first["Ready"] == ("False", "Scanning")


def test_an_impossible_policy_is_stalled_and_says_why_in_one_line() -> None:
    status = policy_status.refused(policy(), message="spec.checks: no\x1b[31m\ncheck" + "x" * 9000, now=NOW)

    found = conditions(status)
    assert found["Stalled"][:2] == ("True", "InvalidSpec")
    assert found["Ready"][0] == "False"
    assert found["Ready"][2].isprintable()
    assert len(found["Ready"][2]) < 1000
    assert status["observedGeneration"] == 1


def test_a_suspended_policy_is_ready_only_when_it_has_figures() -> None:
    rested = policy_status.suspended(policy(status=scanned()), now=LATER)
    never = policy_status.suspended(policy(), now=LATER)
    blind = policy_status.suspended(policy(status=scanned(gap("X"), complete_failure="nothing")), now=LATER)

    assert verdicts(rested)["Ready"] == ("True", "Suspended")
    assert verdicts(never)["Ready"] == verdicts(blind)["Ready"] == ("False", "Suspended")
    assert "no scan has seen anything" in conditions(never)["Ready"][2]
    assert "nextScanTime" not in rested
    assert rested["monthlyCost"] == "123.45"


def test_without_the_store_the_old_figures_stay_and_are_not_called_current() -> None:
    status = policy_status.store_lost(policy(status=scanned()), message="the store does not answer", now=LATER)

    found = verdicts(status)
    assert found["Ready"] == found["StoreReachable"] == ("False", "StoreUnreachable")
    assert status["monthlyCost"] == "123.45"


@pytest.mark.parametrize(
    ("reason", "shown"), [("ClusterUnavailable", "ClusterUnavailable"), ("not a word", "ScanFailed")]
)
def test_a_scan_that_broke_off_is_reported_with_a_proper_reason(reason: str, shown: str) -> None:
    status = policy_status.failed(policy(status=scanned()), reason=reason, message="broke\n", now=LATER)

    assert verdicts(status)["Ready"] == ("False", shown)
    assert verdicts(status)["Reconciling"] == ("False", "ScanFailed")


@pytest.mark.parametrize(
    ("waiting", "shown"),
    [
        (unproposed({}), ("True", "AllProposed")),
        (unproposed({"It is protected.": 2}), ("False", "SomeWait")),
        (RECOMMEND_ONLY, ("False", "RecommendOnly")),
    ],
)
def test_what_nobody_is_asked_about_stands_in_a_condition_that_later_scans_without_the_lease_keep(
    waiting: Unproposed, shown: tuple[str, str]
) -> None:
    before = policy(status=scanned())
    assert "ActsProposed" not in verdicts(before.status.to_dict())

    after = policy_status.followed_up(before, replace(STANDING, unproposed=waiting), now=LATER)

    assert verdicts(after)["ActsProposed"] == shown
    assert conditions(after)["ActsProposed"][2] == waiting.message
    later = policy_status.followed_up(policy(status=after), STANDING, now=LATER)
    assert verdicts(later)["ActsProposed"] == shown


def test_requests_made_after_the_scan_change_their_figures_only() -> None:
    before = policy(status=scanned())
    after = policy_status.followed_up(before, PolicyFigures(9, Realised(Decimal("1.00"), Decimal("2.50"))), now=NOW)

    assert (after.pop("openRequests"), after.pop("realizedMonthlySavings")) == (9, "0.00")
    assert after.pop("realizedMonthlyRises") == "2.50"
    rest = before.status.to_dict()
    assert after == {key: value for key, value in rest.items() if key in after}


@settings(deadline=None)
@given(text=st.text(max_size=3000), code=st.text(max_size=300), place=st.text(max_size=300))
def test_hostile_words_of_aws_always_fit_the_kind(text: str, code: str, place: str) -> None:
    hostile = gap(code, place, place, message=text, region=place, account=place)

    for failure in ("", text):
        status = scanned(hostile, complete_failure=failure)
        assert policy(status=status).status.to_dict() == status
        assert all(one["message"].isprintable() for one in status["conditions"])


def test_why_no_card_reaches_slack_stands_beside_the_outcome_and_survives_the_next_scan() -> None:
    first = policy(generation=4, status=scanned())
    assert policy_status.slack_note(first) == ""

    noted = policy(generation=4, status=policy_status.noted(first, "C1: not_in_channel"))
    assert conditions(noted.status.to_dict())["Ready"] == (
        "True",
        "Completed",
        "Scanned 10 resources without gaps. No card reaches Slack: C1: not_in_channel",
    )
    assert policy_status.slack_note(noted) == "C1: not_in_channel"
    again = policy(generation=4, status=scanned(gap("Throttling"), of=noted))
    assert again.status.conditions[0].reason == "CompletedWithGaps"
    assert policy_status.slack_note(again) == "C1: not_in_channel"
    other = policy(generation=4, status=policy_status.noted(again, "C1: is_archived"))
    assert policy_status.slack_note(other) == "C1: is_archived"
    mended = policy(generation=4, status=policy_status.noted(other, ""))
    assert "Slack" not in str(mended.status.conditions)


def test_a_policy_that_was_never_scanned_or_rests_has_no_room_for_it() -> None:
    resting = policy(generation=4, status=policy_status.suspended(policy(generation=4, status=scanned()), now=NOW))
    failed = policy(generation=4, status=scanned(of=resting, complete_failure="nobody answered"))
    for one in (policy(), resting, failed):
        assert policy_status.slack_note(one) is None
        assert policy_status.noted(one, "C1: not_in_channel") == one.status.to_dict()


def test_what_acts_save_is_unknown_and_not_zero_while_no_figure_of_any_is_known() -> None:
    before = policy(status=scanned())
    after = policy_status.followed_up(before, PolicyFigures(9, Realised(unknown=1)), now=NOW)

    assert after.get("realizedMonthlySavings") is None
