"""The work of one pod of a scan: lists, measures, judges and prices one account in one region, for the store.

Called by `finops_operator.scan_pod`. A pod that is killed is made anew by the Job and begins again: what it had left of
recommendations is taken out first, and its listings count only once they are complete.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from finops.errors import InvalidInput
from finops.ports.clock import Clock
from finops.store.connection import Store
from finops.store.inventory import new_generation
from finops.store.recommendations import RecommendationStore
from finops.store.scan_work import ScanWork, take_out
from finops_operator.killpoint import killpoint
from finops_operator.rules.access import Asked, granted_accounts
from finops_operator.scan.dependencies import ScanDependencies
from finops_operator.scan.discover import shard_tasks
from finops_operator.scan.listed_prices import scan_prices
from finops_operator.scan.scan import brief_of
from finops_operator.scan.shards import scan_shards
from finops_operator.scan.spread import Found, Place, Work, asked_of, found_to_text

_AT_ONCE: Final = 500


def scan_part(scan: str, index: int, deps: ScanDependencies, clock: Clock) -> bool:
    """Do one part of a scan; return False when nobody waits for it any more.

    Raises:
        InvalidInput: there is no such part, or the policy is not one that this release can scan.
        StoreUnavailable: the store went away.
        Refused: demo mode and an endpoint that is not on this machine.
    """
    store = ScanWork(deps.store)
    text = store.asked(scan)
    if text is None:
        return False
    work, place = asked_of(scan, text, index)
    granted, _ = granted_accounts(
        [one.name for one in work.policy.spec.accounts],
        work.accounts,
        work.policy.metadata.namespace or "default",
        Asked((place.region,), deps.own_region),
    )
    access = next((one.access for one in granted if one.access.account_id == place.account), None)
    if access is None:
        raise InvalidInput(f"account {place.account} is not the policy's any more", field="spec.accounts")
    listed = scan_prices(work.policy, granted, deps, clock)
    priced = replace(deps, price_sources=(*listed.sources, *deps.price_sources))
    brief = brief_of(work.policy, work.accounts, priced, work.started, work.generation, work.parts)
    kinds = [brief.kinds[kind] for kind in place.kinds]
    tasks = [one for one in shard_tasks(access, (place.region,), kinds) if one.region == place.region]
    if store.begin(scan, index):
        _take_out(deps.store, brief.stores.recommendations, work, place)
    # Each try lists into a generation of its own: pages of a killed one are not taken for those of this one.
    listings = new_generation(clock.now())
    finished = sorted(scan_shards(tasks, deps, brief, clock, generation=listings), key=lambda one: one[0].kind.id)
    killpoint("scan.pod.found")
    return store.put(scan, index, found_to_text(Found(tuple(finished), tuple(listed.gaps), listed.counter)))


def _take_out(store: Store, recommendations: RecommendationStore, work: Work, place: Place) -> None:
    """Remove what a killed pod recommended in the same place."""
    policy = (work.policy.metadata.namespace or "default", work.policy.metadata.name)
    theirs = [
        one.id
        for one in recommendations.stream(policy, work.generation)
        if (one.resource.account, one.resource.region) == (place.account, place.region)
    ]
    for start in range(0, len(theirs), _AT_ONCE):
        take_out(store, policy, work.generation, theirs[start : start + _AT_ONCE])
