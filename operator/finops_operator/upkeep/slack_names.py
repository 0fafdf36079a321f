"""Says in the store which name each Slack member id stands for: the dashboard cannot read the ConfigMap of identities.

A duty of housekeeping.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from finops.domain.decision import Electorate, Voter
from finops.store.known_names import KnownNames

_SLACK: Final = "slack."
_KUBERNETES: Final = "k8s."


class Switches(Protocol):
    """ConfigMaps, read afresh."""

    def read(self, name: str) -> Mapping[str, str] | None: ...


@dataclass(frozen=True, slots=True)
class SlackNames:
    """Brings what the dashboard reads in line with the administrator's ConfigMap `identities`."""

    switches: Switches
    identities: str
    names: KnownNames

    def publish(self) -> None:
        """Write the names down. Raises StoreUnavailable, ClusterUnavailable, Refused: what stood there stays."""
        self.names.put(names_in(self.switches.read(self.identities) or {}))


def names_in(identities: Mapping[str, str]) -> dict[str, str]:
    """Return Slack member id → name in the cluster, for the ids that the mapping leads to one."""
    electorate = Electorate({handle: person.strip() for handle, person in identities.items() if person.strip()})
    found: dict[str, str] = {}
    for handle in identities:
        if handle.startswith(_SLACK):
            member = handle.removeprefix(_SLACK)
            person = electorate.person(Voter("slack", "", slack_user=member))
            if person.startswith(_KUBERNETES):
                found[member] = person.removeprefix(_KUBERNETES)
    return found
