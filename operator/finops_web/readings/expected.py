"""Which changes of cost people expect, as the policies' annotations say it, and the words by which they say so.

Read and written in the visitor's own name: the API server decides whether they may, and its audit log has who it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from finops.crds.expected import KEPT, PREFIX, annotation_of, by_annotation, expected_of, not_read
from finops.crds.scan_policy import ScanPolicy
from finops.domain.analytics.causes import Cause
from finops.domain.analytics.expected import LONGEST_DAYS, LONGEST_REASON, Expected, Way, money
from finops.domain.resource import Gap, Shard
from finops.errors import InvalidInput, Refused
from finops.k8s.connection import NotFound
from finops.k8s.kinds import scan_policies
from finops_web.people.visitors import Visitor
from finops_web.readings.by_namespace import by_namespace
from finops_web.readings.policies import ScannedPolicy


@dataclass(frozen=True, slots=True)
class ReadExpected:
    """What a visitor may read of it.

    Attributes:
        policies: of the namespaces that are open to the visitor.
        gaps: one per namespace that is closed.
        today: in UTC.
    """

    policies: tuple[ScanPolicy, ...]
    gaps: tuple[Gap, ...]
    today: date

    def of(self, cause: Cause, day: date) -> Expected | None:
        """Return who expects a cause of an anomaly that began on a day, the longest-lasting word first.

        Nobody does where it changed by more than what was expected, or where the last day is too far ahead.
        """
        words = (one for one in self._about(cause, day) if abs(cause.extra) <= one.most and not self._is_too_far(one))
        return max(words, key=lambda one: one.until, default=None)

    def refused(self, cause: Cause, day: date) -> str:
        """Return why a word about a cause keeps no alert back, in one sentence; empty where there is none."""
        for one in self._about(cause, day):
            if self._is_too_far(one):
                return f"expected through {one.until}, which is more than {LONGEST_DAYS} days ahead: alerts go on"
            if abs(cause.extra) > one.most:
                return f"expected were {one.extra:,.2f} USD a day; above {one.most:,.2f} it alerts all the same"
        return ""

    def not_read(self) -> tuple[tuple[str, str], ...]:
        """Return (policy, sentence) for each annotation that cannot be read and so keeps no alert back."""
        spaces = sorted({one.metadata.namespace or "" for one in self.policies})
        return tuple(
            (f"{space}/{policy.metadata.name}", words)
            for space in spaces
            for policy, words in not_read(self.policies, space)
        )

    def _about(self, cause: Cause, day: date) -> list[Expected]:
        way = Way.of(cause.extra)
        return [one for policy in self.policies for one in expected_of(policy) if one.takes(cause.part, way, day)]

    def _is_too_far(self, one: Expected) -> bool:
        return one.is_too_far(self.today)


def expected_in(visitor: Visitor, namespaces: Iterable[str], today: date) -> ReadExpected:
    """Return what the policies of the namespaces say. Raises ClusterUnavailable."""
    read = scan_policies(visitor.connection, newer=True).list
    found, gaps = by_namespace(namespaces, read, "scanpolicies", "policies")
    ordered = sorted(found, key=lambda one: (one.metadata.namespace or "", one.metadata.name))
    return ReadExpected(tuple(ordered), gaps, today)


def may_say(policies: Iterable[ScannedPolicy], shard: Shard, may_change: Callable[[str], bool]) -> frozenset[str]:
    """Return the namespaces whose policies cover a part of the cost and may be changed by the visitor.

    What the last scan could not list is covered as well: it is in the history that anomalies are found in.
    """
    return frozenset(one.namespace for one in policies if shard in one.head.covered and may_change(one.namespace))


def say(visitor: Visitor, namespaces: Iterable[str], one: Expected, now: datetime) -> tuple[str, ...]:
    """Write on a policy of each namespace that a change is expected; return these policies, `namespace/name`.

    Said again it replaces what was said before. What has ended goes with the same write.

    Raises:
        Refused: the visitor may not change it, or too much is expected there already.
        ClusterUnavailable: some of it may be written.
        NotFound: there is no policy to write it on, or it went meanwhile.
    """
    key, text = annotation_of(one)
    changed = []
    for namespace, policies in _by_namespace(expected_in(visitor, namespaces, now.date()).policies).items():
        holder = next((policy for policy in policies if key in policy.metadata.annotations), policies[0])
        ended = {name: None for name, old in by_annotation(holder).items() if old.until < now.date()}
        kept = [name for name in holder.metadata.annotations if name.startswith(PREFIX) and name not in ended]
        if len(kept) >= KEPT and key not in kept:
            raise Refused(f"{namespace} expects {KEPT} changes already", code="TooMany", hint="end some of them first")
        scan_policies(visitor.connection, newer=True).annotate(namespace, holder.metadata.name, {**ended, key: text})
        changed.append(f"{namespace}/{holder.metadata.name}")
    if not changed:
        raise NotFound(
            "no policy there exists any more", code="NotFound", hint="kubectl get scanpolicies lists those that do"
        )
    return tuple(changed)


def end(visitor: Visitor, namespaces: Iterable[str], mark: str, now: datetime) -> tuple[str, ...]:
    """Take the word about a part and direction away; return the policies that had it. Raises as `say`."""
    changed = []
    for policy in expected_in(visitor, namespaces, now.date()).policies:
        # People who wrote it with kubectl chose the name.
        taken = dict.fromkeys(key for key, one in by_annotation(policy).items() if one.mark == mark)
        if taken:
            namespace, name = policy.metadata.namespace or "", policy.metadata.name
            scan_policies(visitor.connection, newer=True).annotate(namespace, name, taken)
            changed.append(f"{namespace}/{name}")
    return tuple(changed)


def last_day(text: str, now: datetime) -> date:
    """Return the day that a form names. Raises InvalidInput: it is none of the coming 366."""
    today = now.astimezone(UTC).date()
    latest = today + timedelta(days=LONGEST_DAYS)
    try:
        found = date.fromisoformat(text.strip())
    except ValueError:
        found = date.min
    if not today <= found <= latest:
        raise InvalidInput("is no last day", field="until", hint=f"choose a day from {today} to {latest}")
    return found


def reason_of(text: str) -> str:
    """Return the reason that a form gives. Raises InvalidInput: it is empty or too long."""
    found = text.strip()
    if not found or len(found) > LONGEST_REASON:
        hint = f"say in 1 to {LONGEST_REASON} characters why the change is expected"
        raise InvalidInput("is missing or too long", field="reason", hint=hint)
    return found


def extra_of(text: str) -> Decimal:
    """Return the change a day that a form names. Raises InvalidInput: it is no amount above zero."""
    try:
        found = money(text)
    except ValueError:
        found = Decimal(0)
    if not found:
        raise InvalidInput("is no amount above zero", field="extra", hint="use the form beside the cause")
    return found


def _by_namespace(policies: Iterable[ScanPolicy]) -> dict[str, list[ScanPolicy]]:
    found: dict[str, list[ScanPolicy]] = {}
    for one in policies:
        found.setdefault(one.metadata.namespace or "", []).append(one)
    return found
