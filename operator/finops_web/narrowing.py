"""What narrows a list of recommendations, on the page, in its twins and in the API."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Query

from finops.domain.recommendation import Recommendation, Status
from finops.domain.tags import owner_of
from finops_web.forms import one_of


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What recommendations are asked for; an empty text narrows nothing."""

    status: str = ""
    kind: str = ""
    account: str = ""
    region: str = ""
    owner: str = ""
    find: str = ""

    def matches(self, one: Recommendation) -> bool:
        """Return whether a recommendation is asked for."""
        place = one.resource
        words = f"{place.name}\n{place.id}\n{place.account}\n{one.check}\n{one.summary}".lower()
        return (
            (not self.status or self.status.lower() == one.status.value.lower())
            and self.kind in {"", place.kind}
            and self.account in {"", place.account}
            and self.region in {"", place.region}
            and (not self.owner or owner_of(one.tags) == self.owner)
            and self.find.lower() in words
        )

    def apply(self, found: Iterable[Recommendation]) -> tuple[Recommendation, ...]:
        """Return what is asked for, in the order given."""
        return tuple(one for one in found if self.matches(one))

    @property
    def active(self) -> dict[str, str]:
        """Return what narrows the list, by the names of the address's parameters."""
        named = ("status", "kind", "account", "region", "owner", "find")
        return {name: value for name in named if (value := str(getattr(self, name)))}

    @property
    def query(self) -> str:
        return urlencode(self.active)

    def without(self, name: str) -> str:
        """Return the query of an address that no longer narrows by `name`."""
        return urlencode({key: value for key, value in self.active.items() if key != name})

    def at(self, status: Status, page: int) -> str:
        """Return the query of an address that shows a page of one status, narrowed as here."""
        return urlencode({**self.active, "status": status.value, **({"page": page} if page > 1 else {})})


def asked_narrowing(
    status: Annotated[
        str, Query(description="Actionable, Advice or Blocked.", json_schema_extra={"enum": ["", *Status]})
    ] = "",
    kind: Annotated[str, Query(max_length=64, description="Kind, as a row names it.")] = "",
    account: Annotated[str, Query(max_length=12, description="Account id, twelve digits.")] = "",
    region: Annotated[str, Query(max_length=32, description="Region, such as `eu-west-1`.")] = "",
    owner: Annotated[str, Query(max_length=256, description="Owner as the tags name it.")] = "",
    find: Annotated[str, Query(max_length=256, description="Part of a name, id, account, check or summary.")] = "",
) -> Narrowing:
    """Return what an address asks for. Raises InvalidInput: there is no such status."""
    wanted = one_of("status", status, Status)
    return Narrowing(wanted, kind.strip(), account.strip(), region.strip(), owner.strip(), find.strip())


Narrowed = Annotated[Narrowing, Depends(asked_narrowing)]
"""The parameter by which an endpoint takes what the address asks for."""
