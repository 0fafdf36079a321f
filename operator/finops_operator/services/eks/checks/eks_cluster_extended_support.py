"""Clusters whose Kubernetes version is in extended support, or soon will be: AWS bills them more by the hour.

AWS says itself how each version stands and when its standard support ends. A cluster whose upgrade policy is `STANDARD`
is upgraded by EKS then and never pays more; the policy is `EXTENDED` unless somebody chose.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.facts import with_facts
from finops_operator.services.eks.cluster import ACTIVE, KubernetesFacts
from finops_operator.services.eks.rules.versions import EXTENDED, STANDARD

ID: Final = "eks_cluster_extended_support"
_UPGRADED: Final = "STANDARD"


def _evaluate(facts: Facts[KubernetesFacts], parameters: Parameters) -> Finding | NotRecommended:
    own, notice = facts.own, parameters["noticeDays"]
    ends = own.standard_support_ends
    reason = _not_judged(facts)
    remaining = None if ends is None else (date.fromisoformat(ends) - facts.now.date()).days
    if not reason and own.upgrade_policy == _UPGRADED:
        reason = "EKS upgrades it when standard support ends"
    if not reason and own.support != EXTENDED:
        reason = _not_yet(own, remaining, notice)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    after = with_facts(facts.resource, replace(own, support=STANDARD))
    billed = own.support == EXTENDED
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=facts.cost_of(after).unrounded_monthly,
        evidence={
            "version": own.version,
            "support": own.support,
            "standardSupportEnds": ends,
            "daysUntilEnd": remaining,
            "thresholdNoticeDays": str(notice),
        },
        summary=f"Kubernetes {own.version} is in extended support, which is added to every hour of the cluster."
        if billed
        else f"Standard support of Kubernetes {own.version} ends on {ends}; from then on every hour costs more.",
        facts=tuple(_facts(own, ends)),
    )


def _not_judged(facts: Facts[KubernetesFacts]) -> str:
    if facts.resource.state != ACTIVE:
        return f"it is {facts.resource.state or 'in an unknown state'}, not {ACTIVE}"
    return "how AWS supports its version is not known" if facts.own.support is None else ""


def _not_yet(own: KubernetesFacts, remaining: int | None, notice: Decimal) -> str:
    if own.support != STANDARD:
        return f"its version is {own.support}"
    if remaining is None:
        return "when its standard support ends is not known"
    if remaining >= notice:
        return f"its version has standard support until {own.standard_support_ends}, in {remaining} days"
    return ""


def _facts(own: KubernetesFacts, ends: str | None) -> Iterator[EvidenceFact]:
    yield EvidenceFact("Kubernetes", f"{own.version}")
    yield EvidenceFact("Standard support ends", ends or "not known")
    yield EvidenceFact("Upgrade policy", own.upgrade_policy or "not known")
    yield EvidenceFact("Before the upgrade", "EKS's upgrade insights name what breaks; one minor version at a time")


CHECK: Final = Check(
    id=ID,
    title="EKS cluster in extended support",
    kinds=("eks-cluster",),
    documentation="https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html",
    action_type=ActionType.UPGRADE,
    effort=Effort.HIGH,
    evaluate=_evaluate,
    rollback_possible=False,
    parameters=(
        ParameterSpec(
            name="noticeDays",
            unit="days",
            default=Decimal(60),
            minimum=Decimal(0),
            maximum=Decimal(365),
            description="Advice begins this many days before the standard support of the version ends.",
        ),
    ),
)
