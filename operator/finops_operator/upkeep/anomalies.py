"""Announces days whose cost was out of the ordinary, once each, by namespace; a duty of housekeeping.

An anomaly of a namespace is one of what its policies select. Its id is the namespace, its first day and its direction,
so that a process that starts anew announces nothing again. Only what began in the last days is announced, and nothing
that people expect (`finops.crds.expected`).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from finops.crds.expected import in_force, not_read, too_far
from finops.crds.scan_policy import ScanPolicy
from finops.domain.analytics.causes import ALERT_GATES
from finops.domain.analytics.expected import LONGEST_DAYS, Alarm, Expected, unexpected
from finops.domain.budget import parts_of
from finops.errors import ClusterUnavailable, Refused
from finops.k8s.events import Events
from finops.ports.clock import Clock
from finops.ports.notifier import Notifier
from finops.store.connection import Store
from finops.store.recommendations import RecommendationStore
from finops.store.selected_costs import days_counted
from finops_operator.cluster.cache import KindCache
from finops_operator.rules.alert_channels import channels_in
from finops_operator.rules.anomaly_notice import notice_of
from finops_operator.upkeep.covered import Covered, covered

logger = logging.getLogger(__name__)
_HISTORY_DAYS: Final = 120
_NEWS: Final = timedelta(days=2)


@dataclass(slots=True)
class Anomalies:
    """Examines each namespace's cost when a scan or the day has changed.

    Attributes:
        policies: all that exist in the watched namespaces; their channels are alerted.
        events: where a policy is shown that one of its annotations is not read.
    """

    policies: KindCache[ScanPolicy]
    store: Store
    notifier: Notifier
    clock: Clock
    events: Events | None = None
    _marks: dict[str, str] = field(default_factory=dict)
    _not_read: dict[str, frozenset[tuple[str, str]]] = field(default_factory=dict)

    def announce(self) -> None:
        """Announce what is new. Raises StoreUnavailable: what was not announced is at the next pass."""
        watched, now = self.policies.namespaces, self.clock.now()
        names = {namespace for namespace, _ in RecommendationStore(self.store).policies()}
        for namespace in sorted(names & set(watched) if watched else names):
            if not self.policies.is_complete_in(namespace):
                # The channels are not all known yet: the next pass announces.
                continue
            self._say_what_is_not_read(namespace)
            seen = covered(self.store, namespace)
            # Days ago it may have been expected and be so no more; only what is new alerts anyway.
            expected = in_force(self.policies.all(), namespace, now.date())
            mark = f"{now.date()} {seen.mark} {sorted((one.mark, one.until, one.extra) for one in expected)}"
            if self._marks.get(namespace) == mark:
                continue
            for words in too_far(self.policies.all(), namespace, now.date()):
                logger.warning(
                    "alerts are not kept back for so long, at most %s days: %s/%s", LONGEST_DAYS, namespace, words
                )
            channels = channels_in(self.policies.all(), namespace)
            for one in self._found(seen, now.date(), expected):
                if one.one.anomaly.first >= now.date() - _NEWS:
                    self.notifier.announce(notice_of(one, namespace, len(seen.gaps), seen.as_of, channels, now))
            self._marks[namespace] = mark

    def _say_what_is_not_read(self, namespace: str) -> None:
        """Say of each annotation that expects something and cannot be read that it keeps no alert back, once."""
        found = {(policy.metadata.name, words): policy for policy, words in not_read(self.policies.all(), namespace)}
        known, self._not_read[namespace] = self._not_read.get(namespace, frozenset()), frozenset(found)
        for (name, words), policy in found.items():
            if (name, words) in known:
                continue
            logger.warning("not read: %s", words, extra={"policy": f"{namespace}/{name}"})
            if self.events is not None:
                try:
                    self.events.publish(
                        policy, reason="ExpectationNotRead", note=words, action="Anomalies", type_="Warning"
                    )
                except (Refused, ClusterUnavailable) as error:
                    logger.info("no Event: %s", error)

    def _found(self, seen: Covered, today: date, expected: tuple[Expected, ...]) -> tuple[Alarm, ...]:
        days = days_counted(self.store, today - timedelta(days=_HISTORY_DAYS), today, seen.selecting)
        return unexpected(parts_of(days, seen.shards, today), today, ALERT_GATES, expected)
