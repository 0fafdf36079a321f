"""Who is who right now: which handles are one person, and who is in the Slack groups that policies name.

The mapping is an administrator's ConfigMap (`RELEASE-identities`: `slack.U0123: alice`); group members come from Redis,
where the bot keeps them with the time they were read. An act waits while they are older than an hour.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final, Protocol

from finops.domain.decision import Electorate
from finops.ports.clock import Clock
from finops.store.slack_groups import SlackGroups

GROUPS_FRESH_FOR: Final = timedelta(hours=1)
_MAPPING_FRESH_SECONDS: Final = 2.0


class Switches(Protocol):
    """ConfigMaps, read afresh."""

    def read(self, name: str) -> Mapping[str, str] | None: ...


class People:
    """Builds the electorate for judging votes (`at_vote`) and for acting on them (`at_act`)."""

    def __init__(self, *, switches: Switches, identities: str, groups: SlackGroups, clock: Clock) -> None:
        self._switches, self._identities, self._groups, self._clock = switches, identities, groups, clock
        self._known: tuple[float, dict[str, str]] | None = None

    def at_vote(self, *, fresh: bool = False) -> Electorate:
        """Groups count as attested in the vote. Raises ClusterUnavailable, Refused.

        The mapping may be two seconds old unless it has to be `fresh`: a loop that counts the votes of fifty requests
        again reads it once; new votes are judged, and acts begun, by what it says at that moment.
        """
        now = self._clock.monotonic()
        if fresh or self._known is None or now - self._known[0] > _MAPPING_FRESH_SECONDS:
            self._known = (now, self._same_person())
        return self._electorate(self._known[1])

    def at_act(self, needed: Iterable[str]) -> tuple[Electorate, str]:
        """Groups must hold now. Returns the electorate and why the act has to wait, empty when it need not.

        Args:
            needed: ids of the Slack user groups that the votes lean on; others count as empty.

        Raises:
            ClusterUnavailable, Refused, StoreUnavailable.
        """
        groups: dict[str, frozenset[str]] = {}
        now = self._clock.now()
        for group in sorted(needed):
            found = self._groups.read(group)
            if found.read_at is None:
                return self._electorate(
                    self._same_person(), {}
                ), f"the members of Slack user group {group} were never read"
            if now - found.read_at > GROUPS_FRESH_FOR:
                minutes = int((now - found.read_at).total_seconds() // 60)
                stale = f"the members of Slack user group {group} were last read {minutes} minutes ago"
                return self._electorate(self._same_person(), {}), stale
            groups[group] = found.members
        return self._electorate(self._same_person(), groups), ""

    def _electorate(self, same: Mapping[str, str], groups: Mapping[str, frozenset[str]] | None = None) -> Electorate:
        return Electorate(same, groups, f"ConfigMap {self._identities}")

    def _same_person(self) -> dict[str, str]:
        found = self._switches.read(self._identities) or {}
        return {handle: person.strip() for handle, person in found.items() if person.strip()}
