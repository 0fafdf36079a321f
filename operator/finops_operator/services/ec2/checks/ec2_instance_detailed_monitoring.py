"""EC2 instances that report every minute for money while no alarm asks for more than every five minutes.

Basic monitoring reports the same metrics every five minutes and costs nothing. Members of an Auto Scaling group are
left alone, because its policies may scale by the minute, and so is everything where an alarm adds several instances up:
such sums hold only those with detailed monitoring. Dashboards are not read; the finding asks to see to them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.plugins.facts import with_facts
from finops_operator.plugins.settled import whatever_was_measured
from finops_operator.services.ec2.instance import InstanceFacts
from finops_operator.services.ec2.rules.fast_alarms import ANY, FAST_ALARMS

ID: Final = "ec2_instance_detailed_monitoring"


def _evaluate(facts: Facts[InstanceFacts], parameters: Parameters) -> Finding | NotRecommended:
    del parameters
    reason = _not_judged(facts)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    changed = with_facts(facts.resource, replace(facts.own, detailed_monitoring=False))
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=facts.cost_of(changed).unrounded_monthly,
        evidence={"detailedMonitoring": "enabled", "alarmsBelowFiveMinutes": 0},
        summary="It reports every minute, and no alarm asks for more than every five minutes, which is free.",
        facts=(
            EvidenceFact("Alarms on it with a period below five minutes", "none"),
            EvidenceFact("Before the change", "see that no dashboard and nobody else reads its metrics by the minute"),
        ),
    )


def _not_judged(facts: Facts[InstanceFacts]) -> str:
    own, alarms = facts.own, facts.answers.get(FAST_ALARMS)
    if facts.resource.state != "running":
        return f"it is {facts.resource.state or 'in an unknown state'}, and then nothing is reported or billed"
    if own.detailed_monitoring is None:
        return "how often it reports is not known"
    if not own.detailed_monitoring:
        return "it reports every five minutes, which is free"
    if own.auto_scaling_group:
        return "it is in an Auto Scaling group, which may scale by its minutes"
    if alarms is None:
        return "which alarms there are is not known"
    if facts.resource.id in alarms:
        return "an alarm watches it more often than every five minutes"
    return "an alarm adds instances up that it does not name" if ANY in alarms else ""


CHECK: Final = Check(
    id=ID,
    title="EC2 instance with detailed monitoring that no alarm uses",
    kinds=("ec2-instance",),
    documentation="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/manage-detailed-monitoring.html",
    action_type=ActionType.UPGRADE,
    effort=Effort.VERY_LOW,
    evaluate=_evaluate,
    settled_by_days=whatever_was_measured,
)
