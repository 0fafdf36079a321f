"""The undo of a stop: the same action with the parameter `endState: available`; used by rds_instance_stop alone.

AWS starts a stopped database by itself after seven days; its undo is for those who cannot wait. A start that AWS
refuses or takes back leaves it stopped, as it was.
"""

from __future__ import annotations

from typing import Final

from finops.domain.execution import Observation
from finops.domain.plan import Plan
from finops_operator.plugins.action import ActWords, Parameters, Refusal
from finops_operator.services.rds.rules.states import AVAILABLE, STOPPED

START_AGAIN: Final[Parameters] = {"endState": AVAILABLE}


def starts(parameters: Parameters) -> bool:
    """Return whether the act leads back to a database that can be used."""
    return parameters.get("endState") == AVAILABLE


def not_as_stopped(plan: Plan, now: Observation) -> str:
    """Return that it is not the stopped database that the act left; empty while it is."""
    if now.text("resourceId") != plan.fingerprint["resourceId"]:
        return "It was deleted, and somebody made another one under its name."
    return "" if now.text("state") == STOPPED else f"It is {now.text('state')}, not stopped."


def start_refusals(observation: Observation) -> tuple[Refusal, ...]:
    """Return why the database is not started. Tags that protect it forbid a stop, not a start."""
    if not observation.exists:
        return (Refusal("NotFound", "The database does not exist any more."),)
    state = observation.text("state")
    return () if state == STOPPED else (Refusal("NotStopped", f"It is {state}, not stopped."),)


def start_words() -> ActWords:
    """Return the act in words."""
    return ActWords(
        verb="Start",
        consequence="It is started again, earlier than AWS would do it, and costs as much as before.",
        downtime="None: it is stopped",
        undo="If AWS does not start it, it stays stopped until AWS does. Later: stop it.",
        steps={"start": "Start the database", "wait_started": "Wait until it is available"},
    )
