"""Services on Fargate's x86 processors: the same tasks cost a fifth less on Graviton, once their image runs there.

An image must be built for both architectures, which is work for whoever builds it, so that this is advice with effort.
Windows does not run on Graviton.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.plugins.facts import with_facts
from finops_operator.services.ecs.rules.fargate import ARM, X86
from finops_operator.services.ecs.service import ACTIVE, FARGATE, ServiceFacts

ID: Final = "ecs_service_graviton"
_LINUX: Final = "LINUX"


def _evaluate(facts: Facts[ServiceFacts], parameters: Parameters) -> Finding | NotRecommended:
    del parameters
    own = facts.own
    reason = _not_judged(facts)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    now = facts.cost.unrounded_monthly
    then = facts.cost_of(with_facts(facts.resource, replace(own, architecture=ARM))).unrounded_monthly
    if now is None or then is None:
        return NotRecommended(ID, facts.resource.id, "what its tasks cost on both processors is not known")
    if then >= now:
        return NotRecommended(ID, facts.resource.id, "Graviton would cost as much")
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=then,
        evidence={
            "runningTasks": own.running_tasks,
            "taskCpuUnits": own.task_cpu_units,
            "taskMemoryMib": own.task_memory_mib,
            "monthlyCost": f"{now:.2f}",
            "targetMonthlyCost": f"{then:.2f}",
        },
        summary="Its tasks run on x86; on Graviton the same tasks cost less.",
        facts=(
            EvidenceFact(
                "Running tasks", f"{own.running_tasks} of {own.task_cpu_units} units, {own.task_memory_mib} MiB"
            ),
            EvidenceFact("Before the change", "build the image for linux/arm64 as well"),
        ),
        target=ARM,
    )


def _not_judged(facts: Facts[ServiceFacts]) -> str:
    own = facts.own
    if facts.resource.state != ACTIVE:
        return f"it is {facts.resource.state or 'in an unknown state'}, not {ACTIVE}"
    if own.runs_on != FARGATE:
        return f"its tasks run on {own.runs_on or 'what AWS did not name'}, not on {FARGATE}"
    if not own.running_tasks:
        return "no task is running"
    if own.architecture is None or own.system is None:
        return "what its tasks run on is not known"
    if own.architecture != X86:
        return f"its tasks run on {own.architecture}"
    return "" if own.system == _LINUX else f"{own.system} does not run on Graviton"


CHECK: Final = Check(
    id=ID,
    title="ECS service without Graviton",
    kinds=("ecs-service",),
    documentation="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-arm64.html",
    action_type=ActionType.UPGRADE,
    effort=Effort.HIGH,
    evaluate=_evaluate,
)
