"""Votes count only while the admission policies that bind them to their authors are in force, and were all along."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client
from tests.integration.operator_core.test_operator_tallies import act_of
from tests.support.fake_clock import FakeClock
from tests.support.operator_parts import NAMESPACE, Parts
from tests.support.operator_rig import eventually, running_rig
from tests.support.scan_samples import account, policy

from finops.crds.admission import policies
from finops.domain.audit import RecordKind
from finops.domain.decision import State
from finops.domain.execution import StopKind
from finops.errors import ClusterUnavailable
from finops.k8s.connection import connect
from finops.k8s.kinds import aws_accounts
from finops.k8s.protection import AdmissionPolicies, AdmissionState
from finops_operator.cluster.protection import Protection

API = ("admissionregistration.k8s.io", "v1")
POLICIES, BINDINGS = "validatingadmissionpolicies", "validatingadmissionpolicybindings"
EXPECTED: list[Any] = policies(
    "system:serviceaccount:default:op", {"slack": "system:serviceaccount:default:bot"}, "held", ["elsewhere"]
)
"""They hold in a namespace that these tests do not use: the test's user is no operator."""
VOTER = "held-voter"
SETTLES = "takes a moment to enforce them"
SETTLING = timedelta(seconds=6)


@pytest.fixture
def cluster(parts: Parts) -> Iterator[Any]:
    api = client.CustomObjectsApi(parts.connection.api)

    def apply() -> None:
        for document in EXPECTED:
            plural = BINDINGS if document["kind"].endswith("Binding") else POLICIES
            listed: Any = api.list_cluster_custom_object(*API, plural)
            names = [one["metadata"]["name"] for one in listed["items"]]
            if document["metadata"]["name"] in names:
                api.delete_cluster_custom_object(*API, plural, document["metadata"]["name"])
            api.create_cluster_custom_object(*API, plural, document)

    apply()
    yield api
    apply()


@pytest.fixture
def protection(parts: Parts, cluster: Any) -> Protection:
    return watch(parts)


@dataclass
class Later:
    """Reads the cluster's policies as if it were so much later by the API server's clock."""

    policies: AdmissionPolicies
    later: timedelta

    def read(self) -> AdmissionState:
        found = self.policies.read()
        return replace(found, now=found.now + self.later if found.now is not None else None)


def watch(parts: Parts, *, later: timedelta = timedelta(), expected: list[Any] = EXPECTED) -> Protection:
    """Watch the cluster's policies; `later` as above."""
    reader = Later(AdmissionPolicies(parts.connection, expected), later)
    return Protection(reader.read, parts.ledger, parts.clock, lambda: parts.writable)


def in_force(protection: Protection) -> str:
    """Return why the policies are not in force once those that were just made have had the time to take effect."""
    if SETTLES in protection.problem(fresh=True):
        protection.read.__self__.later += SETTLING  # type: ignore[attr-defined]
    return protection.problem(fresh=True)


def _create_again(api: Any, plural: str, name: str) -> None:
    document = next(one for one in EXPECTED if one["metadata"]["name"] == name and _plural(one) == plural)
    api.create_cluster_custom_object(*API, plural, document)


def _plural(document: Any) -> str:
    return BINDINGS if document["kind"].endswith("Binding") else POLICIES


def test_policies_as_the_release_made_them_protect_since_they_were_created(
    parts: Parts, protection: Protection
) -> None:
    """In force means: the admission policies are present, enforcing and of the expected hash."""
    assert in_force(protection) == ""
    assert protection.since() <= datetime.now(UTC) + SETTLING
    records = [one for one in parts.ledger.read() if one.entry.kind is RecordKind.PROTECTED]
    assert [one.entry.detail["since"] for one in records] == [protection.since().isoformat()]


def _delete(plural: str) -> Callable[[Any], None]:
    return lambda api: api.delete_cluster_custom_object(*API, plural, VOTER)


def _patch(plural: str, spec: Any) -> Callable[[Any], None]:
    def change(api: Any) -> None:
        live = api.get_cluster_custom_object(*API, plural, VOTER)
        api.replace_cluster_custom_object(*API, plural, VOTER, {**live, "spec": {**live["spec"], **spec}})

    return change


@pytest.mark.parametrize(
    ("weaken", "why"),
    [
        (_delete(POLICIES), "does not exist"),
        (_delete(BINDINGS), "does not exist"),
        (_patch(BINDINGS, {"validationActions": ["Warn"]}), "not the one of this release"),
        (_patch(BINDINGS, {"validationActions": ["Deny", "Audit"]}), "not the one of this release"),
        (_patch(POLICIES, {"failurePolicy": "Ignore"}), "not the one of this release"),
        (_patch(POLICIES, {"validations": [{"expression": "true"}]}), "not the one of this release"),
        (_patch(POLICIES, {"matchConditions": [{"name": "x", "expression": "false"}]}), "not the one of this release"),
    ],
)
def test_whatever_is_missing_or_weaker_is_seen(
    parts: Parts, cluster: Any, protection: Protection, weaken: Callable[[Any], None], why: str
) -> None:
    """A policy that is weakened under a running operator is noticed too."""
    assert in_force(protection) == ""
    weaken(cluster)
    parts.clock.sleep(6)

    assert why in protection.problem()
    with pytest.raises(ClusterUnavailable, match=why):
        protection.since()


def test_a_gap_between_two_readings_shows_in_what_was_created_anew(
    parts: Parts, cluster: Any, protection: Protection
) -> None:
    """Votes made while admission was not in force are older than the end of the gap."""
    assert in_force(protection) == ""
    before = protection.since()
    _delete(BINDINGS)(cluster)
    _create_again(cluster, BINDINGS, VOTER)

    after = watch(parts, later=timedelta(hours=1))
    assert in_force(after) == ""
    assert after.since() >= before + timedelta(minutes=59)
    again = watch(parts, later=timedelta(hours=1) + SETTLING)
    assert again.problem() == ""
    assert again.since() == after.since()


@pytest.mark.parametrize("wrong", [timedelta(hours=-2), timedelta(hours=2)])
def test_a_gap_ends_by_the_clock_that_stamps_votes_however_wrong_the_operators_own_is(
    parts: Parts, cluster: Any, protection: Protection, wrong: timedelta
) -> None:
    """Bullet "Forged votes are executed when admission was not in force": no clock makes a vote look younger."""
    assert in_force(protection) == ""
    live = cluster.get_cluster_custom_object(*API, POLICIES, VOTER)["spec"]
    _patch(POLICIES, {"failurePolicy": "Ignore"})(cluster)
    assert "not the one of this release" in protection.problem(fresh=True)
    forged = parts.vote(parts.propose(1)).metadata.creation_timestamp
    assert forged is not None
    _patch(POLICIES, live)(cluster)
    parts.clock.at = datetime.now(UTC) + wrong

    assert in_force(protection) == ""

    assert forged <= protection.since() <= forged + timedelta(minutes=1)


@pytest.mark.parametrize("gap", [True, False])
def test_what_was_made_in_the_seconds_that_an_api_server_takes_to_enforce_a_new_binding_does_not_count(
    parts: Parts, cluster: Any, protection: Protection, *, gap: bool
) -> None:
    """Forged votes of that time are stamped later than the binding: they wait, and then are refused."""
    if gap:
        assert in_force(protection) == ""
        _delete(BINDINGS)(cluster)
        assert protection.problem(fresh=True) != ""
        _create_again(cluster, BINDINGS, VOTER)
    made = cluster.get_cluster_custom_object(*API, BINDINGS, VOTER)["metadata"]["creationTimestamp"]

    assert SETTLES in protection.problem(fresh=True)
    with pytest.raises(ClusterUnavailable, match="a moment"):
        protection.since()
    assert in_force(protection) == ""
    assert protection.since() >= datetime.fromisoformat(made) + timedelta(seconds=5)


def test_an_api_server_that_does_not_say_what_time_it_is_ends_no_gap(parts: Parts) -> None:
    policies_ = AdmissionPolicies(parts.connection, EXPECTED)
    timeless = Protection(
        lambda: replace(policies_.read(), now=None), parts.ledger, parts.clock, lambda: parts.writable
    )
    weak = Protection(lambda: AdmissionState("a binding is missing"), parts.ledger, parts.clock, lambda: parts.writable)
    assert weak.problem() != ""
    weak.read = timeless.read

    assert "what time it is" in weak.problem(fresh=True)
    with pytest.raises(ClusterUnavailable, match="what time it is"):
        weak.since()


def test_an_edit_that_was_taken_back_while_nobody_watched_is_a_gap(parts: Parts, cluster: Any) -> None:
    """Two edits that undo each other are not an upgrade: votes between them may be forged."""
    first = watch(parts)
    assert in_force(first) == ""
    before = first.since()
    live = cluster.get_cluster_custom_object(*API, POLICIES, VOTER)["spec"]
    _patch(POLICIES, {"failurePolicy": "Ignore"})(cluster)
    _patch(POLICIES, live)(cluster)

    after = watch(parts, later=timedelta(hours=1))

    assert in_force(after) == ""
    assert after.since() > before


def test_a_namespace_that_comes_back_to_those_served_was_without_protection_until_then(
    parts: Parts, cluster: Any
) -> None:
    """watch.namespaces narrowed and widened again: in between nothing bound the votes of the one left out."""
    whole = deepcopy(EXPECTED)
    few = deepcopy(EXPECTED)
    for document in few:
        if document["kind"].endswith("Binding") and document["metadata"]["name"] == VOTER:
            document["spec"].setdefault("matchResources", {})["namespaceSelector"] = {
                "matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["a"]}]
            }

    def served(expected: list[Any], later: timedelta) -> datetime:
        (binding,) = [one for one in expected if one["kind"].endswith("Binding") and one["metadata"]["name"] == VOTER]
        live = cluster.get_cluster_custom_object(*API, BINDINGS, VOTER)
        cluster.replace_cluster_custom_object(*API, BINDINGS, VOTER, {**live, "spec": binding["spec"]})
        # Each upgrade starts another operator, which knows of gaps what the ledger says.
        operator = watch(parts, later=later, expected=expected)
        assert in_force(operator) == ""
        return operator.since()

    before = served(whole, timedelta())
    served(few, timedelta(hours=1))
    assert served(whole, timedelta(hours=2)) >= before + timedelta(minutes=119)


def test_without_the_lease_a_change_is_not_recorded_and_nothing_is_decided(
    parts: Parts, protection: Protection, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    parts.writable = False
    assert "lease" in protection.problem()
    parts.writable = True
    assert in_force(protection) == ""
    # Every process that starts or waits says this: nothing in it is for a human, nor reads like a fault.
    (said,) = (one for one in caplog.records if "lease" in one.message)
    assert said.levelname == "INFO"
    assert said.message.startswith("waiting for the lease: ")


@pytest.fixture
def _granted(parts: Parts) -> Iterator[None]:
    parts.policies.create(policy())
    made = aws_accounts(parts.connection).create(account())
    yield
    aws_accounts(parts.connection).delete("", made.metadata.name)


@pytest.mark.usefixtures("_granted")
def test_while_unprotected_nothing_is_decided_and_nothing_begins(parts: Parts) -> None:
    """While admission is not in force nothing is decided and nothing is done."""
    made = parts.propose(1)
    parts.vote(made)
    approved = parts.decider.advance(made)
    assert parts.gate.still_allowed(act_of(approved)) is None
    parts.protection.why = "ValidatingAdmissionPolicyBinding x does not exist"

    stop = parts.gate.still_allowed(act_of(approved))

    assert None in parts.decider.see_all()
    assert stop is not None
    assert (stop.kind, stop.code) == (StopKind.HOLD, "Unprotected")


@pytest.mark.usefixtures("_granted")
def test_a_reading_that_fails_between_two_questions_ends_no_request_and_refuses_no_vote(parts: Parts) -> None:
    """The API server was away for a moment: what waits for votes, and what is approved, waits on."""
    waiting, decided = parts.propose(1), parts.propose(2)
    parts.vote(decided)
    approved = parts.decider.advance(decided)
    vote = parts.vote(waiting)
    parts.protection.why = "the admission policies cannot be judged: the API server does not answer"

    for made in (waiting, approved):
        with pytest.raises(ClusterUnavailable, match="cannot be judged"):
            parts.decider.advance(made)

    parts.protection.why = ""
    assert parts.decider.advance(waiting).status.state is State.APPROVED
    assert parts.decider.advance(approved).status.state is State.APPROVED
    answer = parts.approvals.api.get(NAMESPACE, vote.metadata.name)
    assert answer is not None
    assert answer.status.result is not None
    assert answer.status.result.value == "Counted"


@pytest.mark.usefixtures("_granted")
def test_a_vote_older_than_the_protection_is_refused_and_one_that_was_counted_no_longer_counts(parts: Parts) -> None:
    """Votes that are older than the admission in force are refused."""
    made = parts.propose(1)
    counted = parts.vote(made)
    approved = parts.decider.advance(made)
    assert approved.status.state is State.APPROVED
    stamp = counted.metadata.creation_timestamp
    request_made = made.metadata.creation_timestamp
    assert stamp is not None
    assert request_made is not None
    parts.protection.began = min(stamp, request_made) - timedelta(seconds=1)
    assert parts.gate.still_allowed(act_of(approved)) is None

    parts.protection.began = max(stamp, request_made)
    stop = parts.gate.still_allowed(act_of(approved))
    assert stop is not None
    assert (stop.kind, stop.code) == (StopKind.WITHDRAWN, "Unprotected")
    assert parts.decider.advance(approved).status.state is State.WITHDRAWN


def test_a_new_vote_made_before_the_protection_is_answered_so(parts: Parts) -> None:
    made = parts.propose(1)
    vote = parts.vote(made)
    parts.protection.began = datetime.now(UTC) + timedelta(seconds=5)

    parts.decider.judge_votes(made)

    answer = parts.approvals.api.get(NAMESPACE, vote.metadata.name)
    assert answer is not None
    assert (answer.status.reason, answer.status.result and answer.status.result.value) == ("Unprotected", "Refused")


def test_the_latest_of_many_changes_is_found(parts: Parts, cluster: Any) -> None:
    for number in range(1, 12):
        parts.clock.sleep(60)
        _delete(BINDINGS)(cluster)
        _create_again(cluster, BINDINGS, VOTER)
        current = watch(parts)
        assert in_force(current) == ""
        recorded, record = current._recorded()
        assert recorded == number
        assert record is not None
        assert record.entry.detail["since"] == current.since().isoformat()


def test_policies_that_cannot_be_read_are_not_in_force(parts: Parts) -> None:
    found = AdmissionPolicies(parts.connection, policies("op", {"slack": "bot"}, "missing"))
    unread = Protection(found.read, parts.ledger, FakeClock(), lambda: True)
    assert "does not exist" in unread.problem()


def test_a_running_operator_whose_binding_is_deleted_is_unready_and_lets_nothing_pass(tmp_path: Path) -> None:
    """No vote is counted while admission is not in force."""
    with running_rig(tmp_path) as rig:
        case = rig.case()
        case.apply()
        first, second = case.proposed()
        eventually(lambda: rig.http("/readyz")[0] == 200, 30, rig.tail())
        api = client.CustomObjectsApi(connect(str(rig.k8s.kubeconfig), "admin").api)
        name = "finops-operator-finops-system-voter"
        binding: Any = api.get_cluster_custom_object(*API, BINDINGS, name)
        api.delete_cluster_custom_object(*API, BINDINGS, name)
        eventually(lambda: "protection: Validating" in rig.http("/readyz")[1], 20, rig.tail())

        # Anybody may write anybody's vote now; it is neither counted then nor when the policies are back.
        forged = case.vote(first, "bob", approver={"source": "kubernetes", "username": "alice"})
        case.stays(first, "Pending", 3.0)
        assert case.condition("ActsPossible")["reason"] == "Unprotected"
        api.create_cluster_custom_object(*API, BINDINGS, {**binding, "metadata": {"name": name}})

        assert case.answer(forged)[:2] == ("Refused", "Unprotected")
        case.wait_state(second, "Withdrawn")
        assert rig.http("/readyz")[0] == 200
        case.check()
