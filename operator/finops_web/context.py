"""What every endpoint and page works with, and how a request becomes a visitor. Made once by `app.py`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request

from finops.domain.resource import Gap
from finops.errors import Refused
from finops.ports.clock import Clock
from finops.store.connection import Store
from finops_web.people.browsers import kept_cookie
from finops_web.people.entrance import Entrance
from finops_web.people.sessions import COOKIE, Session
from finops_web.people.visitors import Visitor, Visitors
from finops_web.readings.history import History
from finops_web.readings.policies import ScannedPolicy, Trust, scanned_policies, trust_in
from finops_web.readings.pushed import PushedReadings
from finops_web.readings.resources import ResourceReadings, ResourceRow
from finops_web.readings.verdicts import Verdicts

_BEARER: Final = "bearer "


@dataclass(frozen=True, slots=True)
class Parts:
    """The connected parts of the process."""

    store: Store
    resources: ResourceReadings
    pushed: PushedReadings
    verdicts: Verdicts
    history: History
    visitors: Visitors
    entrance: Entrance
    clock: Clock
    demo: bool


class SignInNeeded(Refused):
    """Nobody is signed in, or the token is no longer taken."""


class FormForged(Refused):
    """A form was not made for the session that sends it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of a recognised visitor.

    Attributes:
        token: what the visitor brought.
        session: None when the token came in a header, as programs send it.
    """

    parts: Parts
    token: str
    visitor: Visitor
    session: Session | None

    def policies(self) -> tuple[ScannedPolicy, ...]:
        """Return the scanned policies of the namespaces that the visitor may read. Raises StoreUnavailable."""
        found = scanned_policies(self.parts.store)
        allowed = self.parts.visitors.namespaces(self.token, {one.namespace for one in found})
        return tuple(one for one in found if one.namespace in allowed)

    def namespaces(self) -> frozenset[str]:
        """Return the namespaces of `policies`."""
        return frozenset(one.namespace for one in self.policies())

    def resources(self) -> tuple[ResourceRow, ...]:
        """Return what the visitor may see: what scans have seen and what was pushed, the dearest first.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        seen = self.parts.resources.seen_by(self.policies())
        return self.parts.pushed.beside(seen, self._pushed_into(), self.parts.clock.now())

    def trust(self, resources: int, priced: int, more: Iterable[Gap] = ()) -> Trust:
        """Return how far figures of `resources` can be trusted, `priced` of which have a price; `more` gaps come first.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        namespaces, now = self._pushed_into(), self.parts.clock.now()
        gaps, pushes = self.parts.pushed.gaps(namespaces, now), self.parts.pushed.pushes(namespaces, now)
        return trust_in(self.policies(), resources, priced, now, (*more, *gaps), pushes=pushes)

    def may_push(self, namespace: str) -> bool:
        """Return whether the API server lets the visitor push resources there."""
        return self.parts.visitors.may(self.token, "create", "scanpolicies/push", namespace)

    def _pushed_into(self) -> frozenset[str]:
        return self.parts.visitors.namespaces(self.token, self.parts.pushed.namespaces())

    def may_vote(self, namespace: str) -> bool:
        """Return whether the API server lets the visitor vote there; whether a vote counts, the operator says."""
        return self.parts.visitors.may(self.token, "create", "approvals", namespace)

    def may_change_policies(self, namespace: str) -> bool:
        """Return whether the API server lets the visitor change policies there."""
        return self.parts.visitors.may(self.token, "patch", "scanpolicies", namespace)

    def require_form(self, sent: str) -> None:
        """Let a change through only when its form was made for this session.

        Raises:
            FormForged: it was not; a program that sends its token in a header needs no form.
        """
        if self.session is not None:
            require_form(self.session, sent)


def require_form(session: Session, sent: str) -> None:
    """Let a change through only when its form was made for this session. Raises FormForged."""
    if not session.made_form(sent):
        raise FormForged(
            "this form was not made for your session", code="FormForged", hint="open the page again and repeat it"
        )


def parts_of(request: Request) -> Parts:
    """Return the parts of the process that answers."""
    found: Parts = request.app.state.parts
    return found


def asked(request: Request) -> Asked:
    """Return the request's visitor.

    Raises:
        SignInNeeded: there is no token, or the API server does not take it.
        ClusterUnavailable, StoreUnavailable: the API server or the store does not answer.
    """
    parts = parts_of(request)
    session, token = None, _bearer(request)
    if not token:
        session = parts.entrance.session(kept_cookie(request, COOKIE), parts.clock.now())
        token = session.token if session is not None else ""
    if not token:
        raise SignInNeeded("nobody is signed in", code="SignInNeeded", hint="sign in, or send a bearer token")
    try:
        visitor = parts.visitors.recognise(token)
    except Refused as error:
        raise SignInNeeded(
            "the cluster does not take this token", code="TokenRefused", hint="it may have expired: sign in again"
        ) from error
    return Asked(parts, token, visitor, session)


def _bearer(request: Request) -> str:
    header = request.headers.get("authorization", "")
    return header[len(_BEARER) :].strip() if header.lower().startswith(_BEARER) else ""


Visit = Annotated[Asked, Depends(asked)]
"""The parameter by which an endpoint or a page asks for its visitor."""
