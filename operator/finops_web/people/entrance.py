"""How people come in and go: with a pasted token of the cluster, or by way of an issuer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from finops.store.ended_sessions import EndedSessions
from finops_web.people.attempts import Attempts
from finops_web.people.issuer import Issuer
from finops_web.people.sessions import LASTS_SECONDS, Session, Sessions


@dataclass(frozen=True, slots=True)
class Entrance:
    """The parts of the way in; `issuer` is None where people bring tokens alone."""

    sessions: Sessions
    attempts: Attempts
    ended: EndedSessions
    issuer: Issuer | None

    def session(self, cookie: str, now: datetime) -> Session | None:
        """Return the session of a cookie while it lasts.

        Raises:
            StoreUnavailable: whether its person has ended it is not known, so it opens nothing.
        """
        found = self.sessions.open(cookie)
        if found is None or (found.until is not None and now >= found.until) or self.ended.has(found.id):
            return None
        return found

    def end(self, session: Session) -> None:
        """Let the session open nothing any more, on any replica. Raises StoreUnavailable."""
        self.ended.end(session.id, keep_seconds=LASTS_SECONDS)
