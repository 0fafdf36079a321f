"""Which Slack user groups matter: named by policies, or by requests that are open; the bot reads their members.

A duty of housekeeping.
"""

from __future__ import annotations

from dataclasses import dataclass

from finops.domain.decision import TERMINAL
from finops.store.slack_groups import SlackGroups
from finops_operator.cluster.cache import ClusterCache


@dataclass(slots=True)
class WantedGroups:
    """Publishes the wanted groups in the store."""

    cache: ClusterCache
    groups: SlackGroups
    _published: frozenset[str] = frozenset()

    def changed(self) -> bool:
        """Return whether other groups are wanted than were published last."""
        return self._wanted_groups() != self._published

    def publish(self) -> None:
        """Write down for the bot which user groups matter. Raises StoreUnavailable."""
        wanted = self._wanted_groups()
        if wanted != self.groups.wanted():
            self.groups.want(wanted)
        self._published = wanted

    def _wanted_groups(self) -> frozenset[str]:
        named = {
            approver.slack_user_group
            for policy in self.cache.policies.all()
            for approver in policy.spec.approval.approvers
            if approver.slack_user_group
        }
        # Groups of open requests stay readable when a policy no longer names them: their votes are judged by them.
        named |= {
            approver.slack_user_group
            for request in self.cache.requests.all()
            if request.status.state not in TERMINAL
            for approver in request.spec.approval.approvers
            if approver.slack_user_group
        }
        return frozenset(named)
