"""The duties of housekeeping, made from the other parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from finops.crds.known_ids import KNOWN_IDS
from finops.errors import StoreUnavailable
from finops.k8s.kinds import budgets
from finops.ledger.locks import LockRenewal
from finops.ledger.signing import Keyring
from finops.ports.bucket import LockedObjects
from finops.ports.clock import Clock
from finops.settings import Settings
from finops.store.address import names_password, user_of
from finops.store.connection import Store
from finops.store.known_names import KnownNames
from finops.store.notices import StoredNotices
from finops.store.sealed import Seals
from finops.store.slack_messages import SlackMessages
from finops.store.slack_status import SlackStatus
from finops.store.space import NEARLY_FULL, measure, too_full
from finops_operator.acts.recovery import Recovery
from finops_operator.decisions.pauses import Pauses
from finops_operator.parts.authority import Authority
from finops_operator.parts.cloud import CloudParts, make_ledger_bucket
from finops_operator.parts.cluster import ClusterParts
from finops_operator.parts.loops import scan_guard
from finops_operator.rules.budget_status import listing_calls
from finops_operator.rules.paused import paused
from finops_operator.telemetry import Telemetry
from finops_operator.upkeep.anomalies import Anomalies
from finops_operator.upkeep.audit_notes import AuditNotes
from finops_operator.upkeep.budgets import Budgets
from finops_operator.upkeep.channels import SlackChannels
from finops_operator.upkeep.cleanup import Cleanup
from finops_operator.upkeep.duty import Duty
from finops_operator.upkeep.finished_requests import FinishedRequests
from finops_operator.upkeep.freeze_notice import FreezeNotice
from finops_operator.upkeep.gauges import Gauges
from finops_operator.upkeep.leaders_gauge import LeadersGauge
from finops_operator.upkeep.obstacles import LEDGER_BROKEN, LEDGER_UNUSABLE, Obstacles
from finops_operator.upkeep.paused_kinds import PausedKinds
from finops_operator.upkeep.paused_requests import PausedRequests
from finops_operator.upkeep.published_ids import PublishedIds
from finops_operator.upkeep.pushed_prices import PushedPrices
from finops_operator.upkeep.scan_pods import ScanPods
from finops_operator.upkeep.shared_store_user import SharedStoreUser
from finops_operator.upkeep.slack_names import SlackNames
from finops_operator.upkeep.store_space import StoreSpace
from finops_operator.upkeep.stray_votes import StrayVotes
from finops_operator.upkeep.watch_upkeep import WatchUpkeep
from finops_operator.webhooks.seals import notice_seal


def make_audit_notes(authority: Authority) -> AuditNotes:
    """Return what notes in the ledger which cards Slack has, which terms policies have, and when acts were frozen."""
    messages = SlackMessages(authority.store)

    def posted(uids: Iterable[str]) -> dict[str, tuple[str, str]]:
        found = ((uid, messages.of(uid)) for uid in uids)
        return {uid: (ref.channel, ref.ts) for uid, ref in found if ref.ts}

    return AuditNotes(authority.ledger, posted)


def paused_acts(cluster: ClusterParts, recovery: Recovery) -> dict[str, str]:
    """Return namespace and name of each approved act that stands still → why, also where its object is gone."""
    return {**recovery.stuck(), **paused(cluster.cache.requests.all())}


def duties(
    settings: Settings,
    cluster: ClusterParts,
    authority: Authority,
    cloud: CloudParts,
    audit_notes: AuditNotes,
    recovery: Recovery,
    clock: Clock,
) -> Iterator[Duty]:
    """Yield the duties in their order."""
    store, ledger, telemetry = authority.store, authority.ledger, cluster.telemetry
    yield from WatchUpkeep(cluster.kinds, cluster.canary, telemetry, clock, settings.canary_seconds).duties()
    gauges = Gauges(ledger, cluster.freeze, telemetry, lambda: paused_acts(cluster, recovery))
    yield Duty("gauges", gauges.show, writes=False)

    space = StoreSpace(store, cluster.policies, cluster.events, telemetry, authority.keeper.may_write)
    yield Duty("store space", space.show, writes=False)

    def note() -> None:
        cache = cluster.cache
        audit_notes.note(cache.policies.all(), cache.requests.all(), cluster.freeze.reason())

    yield Duty("ledger", note)
    yield Duty("take over", recovery.again)
    finished = FinishedRequests(cluster.cache, cluster.requests, ledger, cluster.policies.api.get, clock)
    yield Duty("finished requests", finished.remove_old)
    yield Duty("slack channels", SlackChannels(store, cluster.policies, cluster.events).refresh)
    yield Duty("freeze notice", FreezeNotice(cluster.freeze, SlackStatus(store)).show)
    if names_password(settings.redis_url):
        yield Duty("store user", SharedStoreUser(SlackStatus(store), user_of(settings.redis_url)).show)
    names = SlackNames(cluster.switches, f"{settings.release}-identities", KnownNames(store))
    yield Duty("slack names", names.publish)
    ids = PublishedIds(cluster.switches, f"{settings.release}-{KNOWN_IDS}", cloud.known, clock)
    yield Duty("known ids", ids.publish)
    gone = Cleanup(store, cluster.policies, cluster.accounts, telemetry, clock)
    yield Duty("what is gone", gone.clean_up)
    pushed = PushedPrices(store, cloud.plugins.kinds, cloud.plugins.price_sources, clock)
    yield Duty("pushed resources", pushed.price)
    obstacles = _obstacles(cluster, authority, clock)
    yield Duty("obstacles", obstacles.show_ours, writes=False)
    yield Duty("scan pods", _scan_pods(settings, cluster, authority, clock).show, writes=False)
    yield from _paused_kinds(cluster, authority, cloud, clock)
    notices = _notices(settings, store)
    yield Duty("budgets", _budgets(cluster, authority, cloud, notices, clock).judge)
    yield Duty("anomalies", Anomalies(cluster.cache.policies, store, notices, clock, cluster.events).announce)
    yield Duty("votes without owner", StrayVotes(cluster.approvals, clock).adopt)
    bucket = make_ledger_bucket(settings, cloud.sdk, clock)
    if bucket is not None:
        yield Duty("locks of the ledger", _locks(bucket, clock, telemetry, authority.keeper.may_write).turn)


def _locks(bucket: LockedObjects, clock: Clock, telemetry: Telemetry, may_write: Callable[[], bool]) -> LockRenewal:
    walked = telemetry.ledger_locks_walked.set
    refused = LeadersGauge(may_write).shown_by(telemetry.ledger_locks_refused)
    # An alert on a walk that never ends counts from here.
    walked(clock.now().timestamp())
    return LockRenewal(bucket, clock, walked, refused.set)


def _notices(settings: Settings, store: Store) -> StoredNotices:
    keys = Keyring.of(settings.ledger_signing_key, settings.ledger_trusted_keys)
    shared = Seals(settings.membership_key.encode())
    return StoredNotices(store, seal=partial(notice_seal, keys), shared=shared)


def _obstacles(cluster: ClusterParts, authority: Authority, clock: Clock) -> Obstacles:
    """Return what shows why no act may begin."""
    return Obstacles(
        cluster.policies,
        cluster.events,
        cluster.telemetry,
        clock,
        {
            LEDGER_BROKEN: lambda: authority.ledger.problem,
            LEDGER_UNUSABLE: lambda: authority.keeper.unusable,
            "Unprotected": authority.protection.problem,
            NEARLY_FULL: lambda: _nearly_full(authority.store),
            "Frozen": cluster.freeze.reason,
        },
        authority.keeper.may_write,
    )


def _scan_pods(settings: Settings, cluster: ClusterParts, authority: Authority, clock: Clock) -> ScanPods:
    guard = scan_guard(settings, cluster.connection)
    problem = None if guard is None else guard.problem
    return ScanPods(cluster.policies, cluster.events, cluster.telemetry, clock, problem, authority.keeper.may_write)


def _nearly_full(store: Store) -> str:
    """Return why the store has no room, empty also where it does not answer: that is another obstacle."""
    try:
        return too_full(measure(store))
    except StoreUnavailable:
        return ""


def _budgets(
    cluster: ClusterParts, authority: Authority, cloud: CloudParts, notices: StoredNotices, clock: Clock
) -> Budgets:
    return Budgets(
        budgets(cluster.connection),
        cluster.cache.policies,
        authority.store,
        notices,
        cluster.events,
        {kind.id: listing_calls(kind.service, kind.listing.made) for kind in cloud.plugins.kinds.values()},
        clock,
    )


def _paused_kinds(cluster: ClusterParts, authority: Authority, cloud: CloudParts, clock: Clock) -> Iterator[Duty]:
    """Yield the duties that show which acts wait because one of their kind failed."""
    pauses = Pauses(authority.ledger)
    kinds = PausedKinds(
        cluster.policies, pauses, cloud.plugins.actions.keys(), cluster.events, cluster.telemetry, clock
    )

    def show_paused() -> None:
        if authority.keeper.may_write():
            kinds.show()
        else:
            kinds.forget()

    yield Duty("paused kinds", show_paused, writes=False)
    held = PausedRequests(cluster.requests, pauses, authority.fence, clock)
    yield Duty("paused requests", held.show)
