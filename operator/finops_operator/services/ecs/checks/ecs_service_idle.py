"""Services on Fargate whose tasks do nothing: AWS bills their virtual CPUs and memory all the same.

Compute Optimizer calls a service idle when over fourteen days the peaks of CPU and of memory stayed below one percent
of what its tasks reserve. A task that was started only waits, and even an idle web server uses more memory than that.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.facts import with_facts
from finops_operator.plugins.measured import days, percent, window_fact
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.plugins.window import days_unseen, idle_days, summaries, too_young
from finops_operator.services.ecs.service import ACTIVE, FARGATE, ServiceFacts

ID: Final = "ecs_service_idle"
_ACTION: Final = "ecs_service_set_desired_count"
_NAMES: Final = ("cpuPercent", "memoryPercent")


def _evaluate(facts: Facts[ServiceFacts], parameters: Parameters) -> Finding | NotRecommended:
    least, limit = parameters["minimumIdleDays"], parameters["maximumPeakPercent"]
    reason = _not_judged(facts) or too_young(facts, least) or days_unseen(facts, _NAMES, least)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    cpu, memory = summaries(facts, _NAMES)
    for noun, summary in (("CPU", cpu), ("memory", memory)):
        if summary.maximum >= float(limit):
            reason = f"its {noun} reached {percent(summary.maximum)}, idle is below {limit} %"
            return NotRecommended(ID, facts.resource.id, reason)
    stopped = with_facts(facts.resource, replace(facts.own, running_tasks=0))
    tasks = facts.own.running_tasks
    return Finding(
        check=ID,
        action=_ACTION,
        parameters={"desiredCount": 0},
        new_monthly_cost=facts.cost_of(stopped).unrounded_monthly,
        evidence={
            "maximumCpuPercent": figure(cpu.maximum),
            "maximumMemoryPercent": figure(memory.maximum),
            "thresholdPeakPercent": str(limit),
            "thresholdIdleDays": str(least),
            "runningTasks": tasks,
            **coverage_evidence(cpu),
        },
        summary=f"Its tasks did nothing for {days(cpu.hours)}.",
        facts=(
            EvidenceFact("CPU, peak", f"{percent(cpu.maximum)}; idle is below {limit} %"),
            EvidenceFact("Memory, peak", f"{percent(memory.maximum)}; idle is below {limit} %"),
            window_fact(cpu),
            EvidenceFact("Running tasks", f"{tasks}"),
        ),
        target="0 tasks",
    )


def _not_judged(facts: Facts[ServiceFacts]) -> str:
    own = facts.own
    if facts.resource.state != ACTIVE:
        return f"it is {facts.resource.state or 'in an unknown state'}, not {ACTIVE}"
    if own.runs_on != FARGATE:
        return f"its tasks run on {own.runs_on or 'what AWS did not name'}, not on {FARGATE}"
    if own.running_tasks is None:
        return "how many tasks are running is not known"
    return "" if own.running_tasks else "no task is running"


CHECK: Final = Check(
    id=ID,
    title="Idle ECS service",
    kinds=("ecs-service",),
    documentation="https://docs.aws.amazon.com/compute-optimizer/latest/ug/view-idle-recommendations.html",
    action=_ACTION,
    action_type=ActionType.STOP,
    effort=Effort.LOW,
    evaluate=_evaluate,
    parameters=(
        idle_days("A service"),
        ParameterSpec(
            name="maximumPeakPercent",
            unit="percent",
            default=Decimal(1),
            minimum=Decimal("0.1"),
            maximum=Decimal(10),
            description="A service whose CPU or memory reached this is not idle.",
            metrics=("cpuPercent", "memoryPercent"),
        ),
    ),
)
