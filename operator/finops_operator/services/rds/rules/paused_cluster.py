"""Aurora clusters as RDS stops and starts them, with all their instances; shared by the two acts."""

from __future__ import annotations

from typing import Final

from finops_operator.plugins.action import CallRules
from finops_operator.services.rds.rules.cluster_observation import (
    CLUSTER,
    READ,
    REPEATED,
    found_cluster,
    observe_cluster,
)
from finops_operator.services.rds.rules.cluster_refusals import (
    first_start_refusals,
    start_refusals,
    stop_refusals,
    stop_warnings,
)
from finops_operator.services.rds.rules.members import OPERATION as MEMBERS
from finops_operator.services.rds.rules.pause_acts import PausedKind, PauseRefusals, PauseWords

PAUSED: Final = PausedKind(
    kind="rds-cluster",
    of=CLUSTER,
    reads=(READ, MEMBERS),
    observe=observe_cluster,
    found=found_cluster,
    refused=None,
    calls=CallRules(repeated=REPEATED),
    refusals=PauseRefusals(stop_refusals, start_refusals, first_start_refusals),
    words=PauseWords(stop_warnings, lambda _: "its storage and its backups", "the hours of its instances"),
    sample={"resourceId": "cluster-EXAMPLE", "members": "0123456789abcdef"},
)
