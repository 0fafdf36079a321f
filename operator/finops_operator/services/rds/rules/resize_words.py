"""A change of a database's class in words: from what to what, when, and for how long it is down.

Source: Amazon RDS user guide, "Modifying an Amazon RDS DB instance" (downtime by setting), "Failing over a Multi-AZ DB
instance" (usually 60 to 120 seconds).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from finops.domain.execution import Observation
from finops.domain.plan import Plan
from finops.domain.recommendation import EvidenceFact
from finops_operator.plugins.action import ActWords
from finops_operator.services.rds.rules.classes import class_type
from finops_operator.services.rds.rules.database_observation import database

_MIB_PER_GIB: Final = 1024
_STEPS: Final = {
    "modify": "Change the class",
    "wait_changed": "Wait until the change is done, or waits for its window",
    "restore_class": "Set the old class back",
    "wait_restored": "Wait until it has the old class",
}


def resize_words(observation: Observation, plan: Plan, *, at_once: bool) -> ActWords:
    """Return the act in words; of a change that has not happened yet, that it is taken back."""
    old, new = str(plan.fingerprint["class"]), str(plan.parameters["dbInstanceClass"])
    if old == new:
        return ActWords(
            verb="Keep",
            target=new,
            consequence=f"The change that waits for its maintenance window is taken back, and it keeps {new}.",
            downtime="None: nothing has changed yet",
            undo="Later: change its class again.",
            steps=_STEPS,
        )
    window = str(database(observation).get("PreferredMaintenanceWindow") or "")
    when = "at once" if at_once else f"in its next maintenance window{f' ({window} UTC)' if window else ''}"
    figures = ", ".join(_figures(old, new))
    return ActWords(
        verb="Resize",
        target=new,
        change=f"{old} → {new}{f': {figures}' if figures else ''}",
        consequence=f"Its class is changed {when}. Connections break while it restarts.",
        downtime=_downtime(observation),
        undo=f"If AWS cannot change it, it keeps {old}. Later: change its class back to {old}, with the same downtime.",
        steps=_STEPS,
        facts=tuple(_facts(observation, at_once=at_once)),
    )


def _downtime(observation: Observation) -> str:
    if database(observation).get("MultiAZ") is True:
        return "One or two minutes, by a failover to its standby"
    return "Several minutes"


def _figures(old: str, new: str) -> Iterator[str]:
    current, target = class_type(old), class_type(new)
    if current is None or target is None:
        return
    yield _from_to(str(current.vcpus), str(target.vcpus), " vCPU")
    before, then = (f"{one.memory_mib / _MIB_PER_GIB:.4g}" for one in (current, target))
    yield _from_to(before, then, " GiB")


def _from_to(old: str, new: str, unit: str) -> str:
    return f"{old}{unit}" if old == new else f"{old} → {new}{unit}"


def _facts(observation: Observation, *, at_once: bool) -> Iterator[EvidenceFact]:
    waiting = database(observation).get("PendingModifiedValues") or ()
    yield EvidenceFact("Changes that wait already", ", ".join(map(str, waiting)) or "none")
    if not at_once:
        yield EvidenceFact("Costs less from", "the change on, in its window: until then it is billed as now")
