"""The freeze switch: one ConfigMap that stops all acts at once, read before every act.

`kubectl patch configmap RELEASE-freeze -p '{"data":{"frozen":"true","reason":"…"}}'`. The operator sets it itself when
the ledger's sinks differ. A missing or unreadable switch is a reason to wait, not a licence.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
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
_INSTALLATION: Final = "installation"
"""Key of the switch: the installation that began last."""


def _is_frozen(data: Mapping[str, str]) -> bool:
    return data.get("frozen", "").strip().lower() not in {"false", "no", "off", "0", ""}


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
        if not _is_frozen(data):
            return ""
        return data.get("reason", "").strip()[:LONGEST_REASON] or f"ConfigMap {self.name} says frozen"

    def begin(self, requests: Iterable[ActionRequest], installation: str) -> None:
        """Start frozen when this installation is new and finds requests that may still be carried out.

        Then the release was uninstalled and installed again: what was voted in between may be forged. The switch
        outlives a release and names the installation that began last; one that names none, of an older release or made
        anew, has the age of the installation, if nobody has set it.

        Args:
            requests: all there are.
            installation: what stays the same for as long as this release is installed; empty where nothing does.

        Raises:
            Unavailable, Refused: the switch cannot be read or written; nothing may begin.
        """
        data = self.config_maps.read(self.name)
        if data is None:
            return
        known, change = data.get(_INSTALLATION, ""), {}
        if installation and known != installation:
            change[_INSTALLATION] = installation
        open_ = [one for one in requests if one.status.state not in TERMINAL]
        older = len(open_) if known and change else 0 if known or "frozen" in data else self._older(open_)
        if older and not _is_frozen(data):
            reason = (
                f"This installation is new and found {counted(older, 'request')} older than it that may still be "
                f"carried out. Check them (finops requests), then lift the freeze: kubectl patch configmap {self.name} "
                '--type merge -p \'{"data":{"frozen":"false","reason":""}}\''
            )
            change |= {"frozen": "true", "reason": reason}
            logger.warning("frozen: %s", reason)
        if change:
            self.config_maps.write(self.name, change)

    def _older(self, requests: Iterable[ActionRequest]) -> int:
        """Return how many requests are older than the switch."""
        created = self.config_maps.created(self.name)
        made = (one.metadata.creation_timestamp for one in requests)
        return sum(created is not None and stamp is not None and stamp < created for stamp in made)

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
