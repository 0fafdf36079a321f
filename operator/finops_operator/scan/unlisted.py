"""Which shards a policy still covers though its scan could not list them: their cost is unknown, and not gone. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from finops.domain.resource import Gap, Shard


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a policy names.

    Attributes:
        accounts: 12 digits → regions of those that it may scan; none: all of the account.
        kinds: id → whether AWS keeps it once per account, in whichever region.
        planned: the shards that its scan was to list.
    """

    accounts: Mapping[str, Sequence[str]]
    kinds: Mapping[str, bool]
    planned: frozenset[Shard]

    def names(self, shard: Shard) -> bool:
        """Return whether the policy names the account, the region and the kind of a shard."""
        regions = self.accounts.get(shard.account)
        if regions is None or shard.kind not in self.kinds:
            return False
        return not regions or shard.region in regions or self.kinds[shard.kind]

    def plans(self, shard: Shard) -> bool:
        """Return whether its scan was to list what a shard holds, of a global kind wherever in the account."""
        return shard in self.planned or (
            self.kinds[shard.kind]
            and any((one.account, one.kind) == (shard.account, shard.kind) for one in self.planned)
        )


def unlisted(
    wanted: Wanted, before: Iterable[Shard], listed: Collection[Shard], gaps: Iterable[Gap]
) -> tuple[Shard, ...]:
    """Return the shards that an earlier scan of the policy listed and this one could not, in order of their names.

    A shard was to be listed and was not, or its region has a gap, or nothing of its account could be planned. What no
    scan of the policy has listed is none of them: its history may be the cost of somebody else. Nor is what was listed
    in another region of the account: a global kind is asked for where the account is entered.

    Args:
        wanted: what the policy names.
        before: what the last scan listed, or could not list either.
        listed: by this scan.
        gaps: of this scan.
    """
    entered = {shard.account for shard in wanted.planned}
    places = {(gap.account, gap.region) for gap in gaps}
    moved = {(one.account, one.kind) for one in listed if wanted.kinds.get(one.kind)}
    missing = [one for one in frozenset(before) - frozenset(listed) if (one.account, one.kind) not in moved]
    return tuple(
        sorted(
            (
                one
                for one in missing
                if wanted.names(one)
                and (wanted.plans(one) or one.account not in entered or (one.account, one.region) in places)
            ),
            key=str,
        )
    )
