"""The quotas of running vCPUs that a region has, and what of them keeps a type from being advised."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.facts import FIVE_MINUTES, busy, facts_of, flat, instance
from tests.support.judging import Pages

from finops.domain.recommendation import Finding
from finops.domain.utilization import Utilization
from finops.errors import AwsDenied, AwsRejected, AwsThrottled
from finops_operator.plugins.check import Facts
from finops_operator.plugins.sizing_policy import SizingPolicy
from finops_operator.services.ec2.checks import ec2_instance_overprovisioned as overprovisioned
from finops_operator.services.ec2.checks import ec2_instance_underprovisioned as underprovisioned
from finops_operator.services.ec2.instance import KIND, InstanceFacts
from finops_operator.services.ec2.rules.vcpu_limits import (
    LIST_QUOTAS_CALL,
    VCPU_LIMITS,
    VcpuLimits,
    limits_of,
    vcpu_limits,
)

STANDARD, X, P = "L-1216C47A", "L-7295265B", "L-417A185B"


def page(**limits: float) -> dict[str, object]:
    quotas = [{"QuotaCode": code.replace("_", "-"), "Value": limit} for code, limit in limits.items()]
    return {"Quotas": [*quotas, {"QuotaCode": "L-0263D0A3", "Value": 5.0}, {"QuotaCode": P}]}


def test_the_limits_are_read_from_all_pages_and_a_quota_that_is_of_something_else_or_has_no_value_is_left_out() -> None:
    reader = Pages({LIST_QUOTAS_CALL: [page(L_1216C47A=640.0), page(L_7295265B=0)]})
    assert {place: set(names) for place, names in vcpu_limits(reader).items()} == {
        "us-east-1": {f"{STANDARD}=640", f"{X}=0"}
    }
    assert reader.asked == [(LIST_QUOTAS_CALL, {"ServiceCode": "ec2"})]


def test_where_the_partition_has_no_such_service_nothing_is_known_of_quotas() -> None:
    reader = Pages({LIST_QUOTAS_CALL: AwsRejected("no", operation=LIST_QUOTAS_CALL, code="NoSuchResourceException")})
    assert limits_of(vcpu_limits(reader)["us-east-1"]) == VcpuLimits()


def test_a_missing_right_is_said_once_and_is_no_limit() -> None:
    reader = Pages({LIST_QUOTAS_CALL: AwsDenied("no", operation=LIST_QUOTAS_CALL, code="AccessDeniedException")})
    found = limits_of(vcpu_limits(reader)["us-east-1"])
    assert len(reader.asked) == 1
    assert (found.denied, found.known) == (True, {})
    assert not found.lacks("x8i.xlarge", 4)
    assert found.words("x8i.xlarge") == (
        "whose room is not known: allow servicequotas:ListServiceQuotas to the scanner role"
    )


def test_an_answer_that_failed_is_no_answer() -> None:
    reader = Pages({LIST_QUOTAS_CALL: AwsThrottled("no", operation=LIST_QUOTAS_CALL, code="TooManyRequestsException")})
    with pytest.raises(AwsThrottled):
        vcpu_limits(reader)
    assert limits_of(None) == VcpuLimits()


def test_the_quotas_are_asked_for_candidates_alone() -> None:
    question = next(one for one in KIND.listing.questions if one.id == VCPU_LIMITS)
    assert not question.needed(instance(), Utilization("i-0"))
    assert question.needed(instance(), busy(flat(5, period=FIVE_MINUTES)))


def judged(limits: frozenset[str] | None, cpu: float, memory: float, **sizing: frozenset[str]) -> Facts[InstanceFacts]:
    seen = busy(flat(cpu, period=FIVE_MINUTES), memoryPercent=flat(memory, period=FIVE_MINUTES))
    one = instance(instance_type="r5.2xlarge")
    facts: Facts[InstanceFacts] = facts_of(one, seen, sizing=SizingPolicy(**sizing))  # type: ignore[arg-type]
    return facts if limits is None else facts_with(facts, limits)


def facts_with(facts: Facts[InstanceFacts], limits: frozenset[str]) -> Facts[InstanceFacts]:
    return replace(facts, answers={**facts.answers, VCPU_LIMITS: limits})


def overprovisioned_target(facts: Facts[InstanceFacts]) -> Finding | None:
    check = overprovisioned.CHECK
    found = check.evaluate(facts, {spec.name: spec.default for spec in check.parameters})
    return found if isinstance(found, Finding) else None


def test_a_type_whose_quota_is_smaller_than_itself_is_never_a_target() -> None:
    # 75 % of its memory with half the vCPUs is in the family x8i alone, which another quota counts.
    unknown = overprovisioned_target(judged(None, 12, 75))
    assert unknown is not None
    assert unknown.target == "x8i.xlarge"
    assert unknown.advice.endswith("whose room is not known.")
    assert overprovisioned_target(judged(frozenset({f"{X}=0"}), 12, 75)) is None
    assert overprovisioned_target(judged(frozenset({f"{X}=3"}), 12, 75)) is None
    known = overprovisioned_target(judged(frozenset({f"{X}=4"}), 12, 75))
    assert known is not None
    assert known.advice.endswith("of 4 vCPUs, how many are in use is read before an act.")
    denied = overprovisioned_target(judged(frozenset({"denied"}), 12, 75))
    assert denied is not None
    assert denied.advice.endswith("allow servicequotas:ListServiceQuotas to the scanner role.")


def test_the_quota_that_counts_both_types_never_keeps_a_smaller_one_away() -> None:
    found = overprovisioned_target(judged(frozenset({f"{STANDARD}=1"}), 12, 20))
    assert found is not None
    assert (found.target, found.action) == ("r5.xlarge", "ec2_instance_resize")


def test_a_larger_type_is_named_only_where_its_quota_holds_one() -> None:
    check = underprovisioned.CHECK

    def target(limit: int) -> str:
        facts = judged(frozenset({f"{STANDARD}={limit}", f"{X}=0"}), 90, 20)
        found = check.evaluate(facts, {spec.name: spec.default for spec in check.parameters})
        assert isinstance(found, Finding)
        said = {fact.label: fact.value for fact in found.facts}
        assert not found.target or said["Quota of vCPUs"] == (
            f"{STANDARD}, of {limit} vCPUs, how many are in use is read before an act"
        )
        return found.target

    assert target(16) == "m5.4xlarge"
    assert target(15) == ""
