"""Alarms on a machine, a disk or a NAT gateway that no longer exists: they can never change again and are billed.

AWS publishes no rule for it. A week without data is asked for besides, so that an alarm that is about to be pointed to
a successor is left alone.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.services.cloudwatch.alarm import AlarmFacts
from finops_operator.services.cloudwatch.judging.no_data import alarm_facts, days_without_data, least_days

ID: Final = "cloudwatch_alarm_orphaned"


def _evaluate(facts: Facts[AlarmFacts], parameters: Parameters) -> Finding | NotRecommended:
    least, own = parameters["minimumDays"], facts.own
    passed = days_without_data(facts, least)
    if isinstance(passed, str):
        return NotRecommended(ID, facts.resource.id, passed)
    if not own.watched:
        return NotRecommended(ID, facts.resource.id, "it watches no machine, disk or NAT gateway")
    if own.watched_exists is not False:
        reason = "what it watches exists" if own.watched_exists else "whether what it watches exists is not known"
        return NotRecommended(ID, facts.resource.id, reason)
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=Decimal(0),
        evidence={"watched": own.watched, "daysWithoutData": passed, "thresholdDays": str(least)},
        summary=f"What it watches no longer exists, and it has had no data for {passed} days.",
        facts=(EvidenceFact("Watches", own.watched), *alarm_facts(own, passed)),
    )


CHECK: Final = Check(
    id=ID,
    title="Alarm on something that is gone",
    kinds=("cloudwatch-alarm",),
    documentation="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    parameters=(least_days("minimumDays", 7, "An alarm that had data within this time is left alone."),),
)
