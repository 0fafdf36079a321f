"""Keeps the ConfigMap from which the API server reads the ids that this release knows; called by the housekeeping."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from finops.crds.known_ids import known_ids_data
from finops.ports.clock import Clock
from finops_operator.rules.known_ids import KnownIds

logger = logging.getLogger(__name__)
_COMPARE_SECONDS: Final = 600.0
_MISSING: Final = "the ids of policies are judged by the operator alone, ConfigMap %s does not exist"


class Switches(Protocol):
    """The part of `ConfigMaps` that is needed here."""

    def read(self, name: str) -> Mapping[str, str] | None: ...

    def write(self, name: str, data: Mapping[str, str]) -> None: ...


@dataclass(slots=True)
class PublishedIds:
    """Writes the ids at the first chance and compares every ten minutes: another release may have written there."""

    config_maps: Switches
    name: str
    known: KnownIds
    clock: Clock
    _next: float = 0.0
    _missing: bool = False

    def publish(self) -> None:
        """Write the ids where they differ.

        Raises:
            Refused, ClusterUnavailable, Conflict: they are written at the next pass.
        """
        if self.clock.monotonic() < self._next:
            return
        wanted = known_ids_data(self.known.checks, self.known.actions, self.known.kinds)
        found = self.config_maps.read(self.name)
        if found is None:
            # Installed without the chart's admission policies; said once.
            if not self._missing:
                logger.info(_MISSING, self.name)
            self._missing = True
        elif {key: found.get(key) for key in wanted} != wanted:
            self.config_maps.write(self.name, wanted)
            logger.info("known ids written", extra={"configMap": self.name})
        self._next = self.clock.monotonic() + _COMPARE_SECONDS
