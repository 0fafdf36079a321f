"""Trails whose management events another trail of the account delivers in the same region: AWS bills the second copy.

AWS publishes the price and no window; fourteen days with both are ours, so that a trail which is about to replace
another is left alone. One that feeds a log group or a topic is found only where the other feeds it too: alarms hang on
it. Whoever reads the trail may be allowed to read no other one: the evidence says so.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.described import parse_time
from finops_operator.plugins.ownership import quoted
from finops_operator.services.cloudtrail.trail import LOGGING, TrailFacts

ID: Final = "cloudtrail_trail_duplicate"


def _evaluate(facts: Facts[TrailFacts], parameters: Parameters) -> Finding | NotRecommended:
    least, own = parameters["minimumDays"], facts.own
    reason = _spared(facts)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    since = parse_time(own.same_events_since)
    if since is None:
        return NotRecommended(ID, facts.resource.id, "since when both trails log is not known")
    passed = facts.whole_days_since(since)
    if passed < least:
        return NotRecommended(ID, facts.resource.id, f"both trails log for {passed} days, {least} are needed")
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=None if own.other_events is not False else Decimal(0),
        evidence={"daysWithBoth": passed, "thresholdDays": str(least)},
        summary=f"For {passed} days another trail has delivered all of its management events, which AWS bills twice.",
        facts=_trail_facts(own, passed),
    )


def _spared(facts: Facts[TrailFacts]) -> str:
    own = facts.own
    if facts.resource.state != LOGGING:
        return f"it is {facts.resource.state or 'in an unknown state'}, not {LOGGING}"
    if not own.tags_known:
        return "its tags could not be read, so it may be protected"
    if own.management_events == "none":
        return "it delivers no management events"
    if own.same_events_in is None:
        return "whether another trail delivers the same management events is not known"
    return (
        ""
        if own.same_events_in
        else "no other trail of the account delivers all of its management events to what it feeds"
    )


def _trail_facts(own: TrailFacts, passed: int) -> tuple[EvidenceFact, ...]:
    instead = "stop its management events; its other events go on" if own.other_events else "stop logging, then delete"
    return (
        EvidenceFact("The same events", f"in the trail {quoted(own.same_events_in or '')}, for {passed} days"),
        EvidenceFact("Management events", own.management_events or "not known"),
        EvidenceFact("Regions", "all" if own.all_regions else "its own"),
        EvidenceFact("What to do", f"{instead}; first see that whoever reads it may read the other trail"),
    )


CHECK: Final = Check(
    id=ID,
    title="Duplicate CloudTrail trail",
    kinds=("cloudtrail-trail",),
    documentation="https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-trail-manage-costs.html",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    parameters=(
        ParameterSpec(
            name="minimumDays",
            unit="days",
            default=Decimal(14),
            minimum=Decimal(1),
            maximum=Decimal(365),
            description="Both trails must have logged for as many days.",
        ),
    ),
)
