"""Turns the token that a person brought into a visitor: a name, groups, and what the API server lets them see."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Protocol

from finops.errors import Refused
from finops.k8s.access import Access
from finops.k8s.connection import Connection
from finops.ports.clock import Clock

ANSWERS_LAST_SECONDS: Final = 30.0
"""A right that was taken away, or a token that was revoked, ends here after so long at the latest."""
_KEPT: Final = 512
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""What RFC 6750 lets a bearer token be made of; anything else must not reach a header."""


class Questions(Protocol):
    """What is asked of the API server in a person's name; `finops.k8s.access.Access` answers."""

    def username(self) -> tuple[str, tuple[str, ...]]: ...

    def may(self, verb: str, resource: str, *, namespace: str = "") -> bool: ...


class Server(Protocol):
    """Opens connections for persons; `finops.k8s.person.ApiServer` does."""

    def as_person(self, token: str) -> Connection: ...


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person whom the API server has recognised.

    Attributes:
        name, groups: as the API server sees them.
        connection: acts in their name.
    """

    name: str
    groups: tuple[str, ...]
    connection: Connection


@dataclass(slots=True)
class _Known:
    visitor: Visitor
    questions: Questions
    until: float
    rights: dict[tuple[str, str, str], bool] = field(default_factory=dict)


class Visitors:
    """Recognises people by their tokens and remembers what they may for half a minute; thread-safe."""

    def __init__(self, server: Server, clock: Clock, ask: type[Access] = Access) -> None:
        self._server = server
        self._clock = clock
        self._ask = ask
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._lock = threading.Lock()

    def recognise(self, token: str) -> Visitor:
        """Return whose token it is.

        Raises:
            Refused: nobody's, or it has expired.
            ClusterUnavailable: the API server does not answer.
        """
        return self._of(token).visitor

    def may(self, token: str, verb: str, resource: str, namespace: str = "") -> bool:
        """Return whether the bearer may; without a namespace: in all of them. Raises as `recognise`."""
        known, key = self._of(token), (verb, resource, namespace)
        if key not in known.rights:
            known.rights[key] = known.questions.may(verb, resource, namespace=namespace)
        return known.rights[key]

    def namespaces(self, token: str, among: Iterable[str]) -> frozenset[str]:
        """Return those of `among` whose policies the bearer may read. Raises as `recognise`."""
        wanted = frozenset(among)
        if self.may(token, "get", "scanpolicies"):
            return wanted
        return frozenset(one for one in wanted if self.may(token, "get", "scanpolicies", one))

    def _of(self, token: str) -> _Known:
        if not _TOKEN.fullmatch(token):
            raise Refused("this is no bearer token", code="Unauthorized", hint="copy the whole token, on one line")
        key, now = sha256(token.encode()).hexdigest(), self._clock.monotonic()
        with self._lock:
            found = self._known.get(key)
            if found is not None and found.until > now:
                return found
        connection = self._server.as_person(token)
        questions = self._ask(connection)
        name, groups = questions.username()
        made = _Known(Visitor(name, groups, connection), questions, now + ANSWERS_LAST_SECONDS)
        with self._lock:
            self._known[key] = made
            self._known.move_to_end(key)
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return made
