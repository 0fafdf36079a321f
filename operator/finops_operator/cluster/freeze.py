"""The freeze switch: one ConfigMap that stops all acts at once, read before every act.

`kubectl patch configmap RELEASE-freeze -p '{"data":{"frozen":"true","reason":"…"}}'`. The operator sets it itself when
the ledger's sinks differ. A missing or unreadable switch is a reason to wait, not a licence.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from finops.crds.action_request import ActionRequest
from finops.domain.decision import TERMINAL
from finops.domain.quantity import counted
from finops.errors import FinopsError
from finops.k8s.config_maps import ConfigMaps

logger = logging.getLogger(__name__)
LONGEST_REASON: Final = 1000
"""Characters; the reason goes into the ledger, conditions, Events and cards, and a ConfigMap holds a megabyte."""


@dataclass(slots=True)
class Freeze:
    """Reads and sets the switch; `local` holds for this process whatever the ConfigMap says."""

    config_maps: ConfigMaps
    name: str
    local: str = ""
    _published: bool = False

    def reason(self) -> str:
        """Return why all acts are frozen, empty when they are not.

        Raises:
            Unavailable, Refused: the switch cannot be read.
        """
        if self.local:
            return self.local
        data = self.config_maps.read(self.name)
        if data is None:
            return f"ConfigMap {self.name} does not exist"
        if data.get("frozen", "").strip().lower() in {"false", "no", "off", "0", ""}:
            return ""
        return data.get("reason", "").strip()[:LONGEST_REASON] or f"ConfigMap {self.name} says frozen"

    def begin(self, requests: Iterable[ActionRequest]) -> None:
        """Start frozen when the switch is younger than a request that may still be carried out, and nobody has set it.

        Then the release was uninstalled and installed again: whoever had frozen it did not lift the freeze, and what
        was voted in between may be forged.

        Raises:
            Unavailable, Refused: the switch cannot be read; nothing may begin.
        """
        data = self.config_maps.read(self.name)
        if data is None or "frozen" in data:
            return
        created = self.config_maps.created(self.name)
        made = [one.metadata.creation_timestamp for one in requests if one.status.state not in TERMINAL]
        older = [stamp for stamp in made if created is not None and stamp is not None and stamp < created]
        if older:
            reason = (
                f"This installation is new and found {counted(len(older), 'request')} older than it that may still be "
                f"carried out. Check them (finops requests), then lift the freeze: kubectl patch configmap {self.name} "
                '--type merge -p \'{"data":{"frozen":"false","reason":""}}\''
            )
            self._hold(reason)

    def begin_restored(self, taken: str) -> None:
        """Start frozen on a store that was restored from a backup, whatever the switch says.

        Raises:
            Unavailable, Refused: the switch cannot be written; nothing may begin.
        """
        self._hold(
            f"The store was restored from a backup of {taken}. Check what was done since (finops audit list, finops "
            f"requests), then lift the freeze: kubectl patch configmap {self.name} "
            '--type merge -p \'{"data":{"frozen":"false","reason":""}}\''
        )

    def _hold(self, reason: str) -> None:
        self.config_maps.write(self.name, {"frozen": "true", "reason": reason})
        logger.warning("frozen: %s", reason)

    def freeze(self, reason: str) -> None:
        """Freeze this process at once, and everybody through the ConfigMap where it can be written.

        The first reason stays until the process ends: what follows from it, or is found beside it, is in the log.
        """
        if self._published:
            return
        self.local = self.local or reason[:LONGEST_REASON]
        try:
            self.config_maps.write(self.name, {"frozen": "true", "reason": self.local})
            self._published = True
        except FinopsError as error:
            # The local freeze holds all the same; the switch shows it as soon as it can be written.
            logger.warning("the freeze could not be written to ConfigMap %s: %s", self.name, error)
