"""Alarms that have had no data for a month: they watch something that no longer reports, and are billed all the same.

AWS publishes no rule for it; thirty days are ours. An alarm on something that reports only when it happens, such as an
error of a load balancer, rests in this state while all is well: what it saves is therefore unknown until a person has
said which it is, and an alarm on a machine, disk or gateway that exists is left alone.
"""

from __future__ import annotations

from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.services.cloudwatch.alarm import AlarmFacts
from finops_operator.services.cloudwatch.judging.no_data import alarm_facts, days_without_data, least_days

ID: Final = "cloudwatch_alarm_no_data"


def _evaluate(facts: Facts[AlarmFacts], parameters: Parameters) -> Finding | NotRecommended:
    least = parameters["minimumDays"]
    passed = days_without_data(facts, least)
    if isinstance(passed, str):
        return NotRecommended(ID, facts.resource.id, passed)
    if facts.own.watched_exists is False:
        return NotRecommended(ID, facts.resource.id, "what it watches is gone, which another check says")
    if facts.own.watched_exists:
        return NotRecommended(
            ID, facts.resource.id, "what it watches exists, and may report only when something happens"
        )
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=None,
        evidence={"daysWithoutData": passed, "thresholdDays": str(least)},
        summary=f"It has had no data for {passed} days.",
        facts=(
            *alarm_facts(facts.own, passed),
            EvidenceFact("Missing data counts as", facts.own.missing_data or "missing"),
            EvidenceFact(
                "Delete it only", "where data should come; where no news is good news, let missing data be notBreaching"
            ),
        ),
    )


CHECK: Final = Check(
    id=ID,
    title="Alarm without data",
    kinds=("cloudwatch-alarm",),
    documentation="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html",
    action_type=ActionType.REVIEW,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=True,
    parameters=(least_days("minimumDays", 30, "An alarm that had data within this time is left alone."),),
)
