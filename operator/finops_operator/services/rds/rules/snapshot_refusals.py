"""What forbids deleting a snapshot of a database; called by the preflight of its deletion.

A snapshot is a backup, so whatever is not known about it forbids. Source: Amazon RDS API reference, DeleteDBSnapshot,
DeleteDBClusterSnapshot and DescribeDBSnapshotAttributes; AWS Backup developer guide, "Deleting backups".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from finops.domain.execution import Observation
from finops_operator.plugins.action import PolicyFacts, Refusal
from finops_operator.plugins.protection import DELETION_WORDS, controlled, described_by_template, kept, protected
from finops_operator.services.rds.rules.signs import SIGNS

AVAILABLE: Final = "available"
MANUAL: Final = "manual"
_BACKUP: Final = "awsbackup"


def snapshot_refusals(observation: Observation, facts: PolicyFacts) -> tuple[Refusal, ...]:
    """Return every reason not to delete this snapshot."""
    if not observation.exists:
        return (Refusal("NotFound", "The snapshot does not exist any more."),)
    found = observation.facts.get("tags")
    tags = {str(key): str(value) for key, value in found.items()} if isinstance(found, Mapping) else {}
    return (
        *protected(tags, facts),
        *kept(tags, DELETION_WORDS),
        *controlled(tags, SIGNS),
        *described_by_template(tags, SIGNS),
        *_snapshot_refusals(observation),
        *_source_refusals(observation),
    )


def _snapshot_refusals(observation: Observation) -> list[Refusal]:
    found: list[Refusal] = []
    state, made = observation.text("state"), observation.text("type")
    if state != AVAILABLE:
        found.append(Refusal("NotAvailable", f"It is {state}, not {AVAILABLE}."))
    if made == _BACKUP or observation.text("name").startswith(f"{_BACKUP}:"):
        found.append(Refusal("UsedByBackup", "It is a recovery point of AWS Backup. Delete it there."))
    elif made != MANUAL:
        found.append(Refusal("NotManual", f"It is {made or 'of an unknown type'}, not {MANUAL}."))
    if not observation.text("createdAt"):
        found.append(Refusal("CreationUnknown", "AWS did not say when it was made, so another may take its name."))
    shared = observation.facts.get("shared")
    if shared:
        found.append(Refusal("Shared", "It is shared with other accounts, which may restore it."))
    elif shared is None:
        found.append(Refusal("SharingUnknown", "Whether it is shared with other accounts was not read."))
    return found


def _source_refusals(observation: Observation) -> list[Refusal]:
    source = observation.text("source")
    if source == "gone":
        return [Refusal("SourceGone", "Its database is not here, so it may be the last copy.")]
    if source == "unprotected":
        return [
            Refusal("OnlyBackup", "Its database has no automated backup to restore from, so it may be the only one.")
        ]
    if source != "backed up":
        return [Refusal("SourceUnknown", "Whether its database still exists and stays is not known.")]
    return []
