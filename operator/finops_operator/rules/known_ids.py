"""Which ids of checks, actions and kinds this release knows, and what names another one; pure.

The schema takes any id of the right form, so that a newer policy can be stored; whoever reads it judges it here: the
operator before a scan (condition `Ready=False`, reason `InvalidSpec`), the command line before the first request.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from finops.crds.aws_account import AwsAccount
from finops.crds.invalid import InvalidField
from finops.crds.scan_policy import ScanPolicy
from finops.errors import InvalidInput

UNKNOWN_ID: Final = "UnknownId"
_NAMED: Final = 12
"""So many ids are listed where none is near."""


@dataclass(frozen=True, slots=True)
class KnownIds:
    """The ids of a release's plug-ins."""

    checks: frozenset[str]
    actions: frozenset[str]
    kinds: frozenset[str]

    def in_policy(self, policy: ScanPolicy) -> tuple[InvalidField, ...]:
        """Return what a policy names that is not known, with the nearest known id each."""
        spec = policy.spec
        return (
            *self.kinds_in(spec.resources),
            *self.checks_in([one.id for one in spec.checks]),
            *self.actions_in(spec.actions.allowed),
        )

    def in_account(self, account: AwsAccount) -> tuple[InvalidField, ...]:
        """Return what the grants of an account name that is not known."""
        found: list[InvalidField] = []
        for number, grant in enumerate(account.spec.allow):
            found += self.actions_in(grant.actions, f"spec.allow[{number}].actions[{{}}]")
        return tuple(found)

    def kinds_in(self, ids: Collection[object]) -> Iterator[InvalidField]:
        """Yield the entries of `spec.resources` that are not known; what is no string is none of its concern."""
        return _unknown(ids, "spec.resources[{}]", "kind of resource", self.kinds)

    def checks_in(self, ids: Collection[object]) -> Iterator[InvalidField]:
        """Yield the ids of `spec.checks` that are not known; what is no string is none of its concern."""
        return _unknown(ids, "spec.checks[{}].id", "check", self.checks)

    def actions_in(self, ids: Collection[object], place: str = "spec.actions.allowed[{}]") -> Iterator[InvalidField]:
        """Yield the actions at `place` that are not known; what is no string is none of its concern."""
        return _unknown(ids, place, "action", self.actions)

    def require(self, policy: ScanPolicy) -> None:
        """Raise InvalidInput when a policy names what is not known; it names the first place and counts the others."""
        found = self.in_policy(policy)
        if found:
            more = f" ({len(found) - 1} more)" if len(found) > 1 else ""
            first = found[0]
            raise InvalidInput(f"{first.rule}{more}", field=first.path, code=UNKNOWN_ID, hint=first.hint)


def nearest(wanted: str, known: Collection[str]) -> str:
    """Return what to write instead of an unknown id."""
    close = difflib.get_close_matches(wanted, known, n=1)
    if close:
        return f"did you mean {close[0]}?"
    listed = sorted(known)
    more = f" and {len(listed) - _NAMED} more" if len(listed) > _NAMED else ""
    return f"known: {', '.join(listed[:_NAMED])}{more}"


def _unknown(ids: Collection[object], place: str, noun: str, known: frozenset[str]) -> Iterator[InvalidField]:
    for number, one in enumerate(ids):
        if isinstance(one, str) and one not in known:
            yield InvalidField(place.format(number), f"there is no {noun} {one}", nearest(one, known))
