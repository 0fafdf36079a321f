"""Who is who right now: which handles are one person, and who is in the Slack groups that policies name.

The mapping is an administrator's ConfigMap (`RELEASE-identities`: `slack.U0123: alice`); group members come from Redis,
where the bot keeps them with the time they were read. Right before its first call an act needs a list that is at most
60 seconds old: the bot is asked for one, and the act waits until it is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, Protocol

from finops.domain.decision import Electorate
from finops.ports.clock import Clock
from finops.store.slack_groups import SlackGroups

GROUPS_FRESH_FOR: Final = timedelta(seconds=60)
_CLOCKS_DIFFER: Final = timedelta(seconds=5)
"""How far the bot's clock may be ahead; a time further in the future says nothing about the age of a list."""
_MAPPING_FRESH_SECONDS: Final = 2.0
_LONGEST_PERSON: Final = 256
"""Characters of a person's name; it stands in the ledger beside each vote. Equal beginnings are one person."""
_FORGED: Final = "do not have the bot's signature (FINOPS_MEMBERSHIP_KEY): only the bot may write them"


class Switches(Protocol):
    """ConfigMaps, read afresh."""

    def read(self, name: str) -> Mapping[str, str] | None: ...


class Identities:
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

        Where a list is missing or too old the bot is asked to read it again.

        Args:
            needed: ids of the Slack user groups that the votes lean on; others count as empty.

        Raises:
            ClusterUnavailable, Refused, StoreUnavailable.
        """
        groups: dict[str, frozenset[str]] = {}
        waiting = ""
        now = self._clock.now()
        for group in sorted(needed):
            found = self._groups.read(group)
            problem = _FORGED if found.forged else _stale(found.read_at, now)
            if problem:
                self._groups.ask(group, now)
                waiting = waiting or f"the members of Slack user group {group} {problem}; the bot is asked to read them"
            else:
                groups[group] = found.members
        return self._electorate(self._same_person(), {} if waiting else groups), waiting

    def _electorate(self, same: Mapping[str, str], groups: Mapping[str, frozenset[str]] | None = None) -> Electorate:
        return Electorate(same, groups, f"ConfigMap {self._identities}")

    def _same_person(self) -> dict[str, str]:
        found = self._switches.read(self._identities) or {}
        return {handle: person.strip()[:_LONGEST_PERSON] for handle, person in found.items() if person.strip()}


def _stale(read_at: datetime | None, now: datetime) -> str:
    """Return what is wrong with the age of a list, empty when it is fresh."""
    if read_at is None:
        return "were never read"
    age = now - read_at
    if age < -_CLOCKS_DIFFER:
        return f"were read at a time in the future ({read_at:%Y-%m-%d %H:%M:%S} UTC)"
    return f"were last read {int(age.total_seconds())} seconds ago" if age > GROUPS_FRESH_FOR else ""
