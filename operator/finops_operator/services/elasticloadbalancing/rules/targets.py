"""What is behind the load balancers of one region: target groups, registered targets, listeners that answer alone.

Called by the collector after it has seen a load balancer. One listing of target groups serves all of them; the health
of targets takes a call per target group (AWS has none for many), and listeners are asked for only where nothing is
registered. What cannot be read is unknown and leaves a gap, one for each operation and error code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from finops.domain.resource import Gap
from finops.errors import AwsDenied, AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.described import gap_of

PAGE: Final = 400
_GROUPS: Final = "elbv2:DescribeTargetGroups"
_HEALTH: Final = "elbv2:DescribeTargetHealth"
_LISTENERS: Final = "elbv2:DescribeListeners"
_RULES: Final = "elbv2:DescribeRules"
_ALONE: Final = frozenset({"redirect", "fixed-response"})
"""Actions of listeners and rules that answer a client without any target."""


@dataclass(frozen=True, slots=True)
class TargetCounts:
    """What is behind one load balancer; None: AWS did not say."""

    target_groups: int | None = None
    registered_targets: int | None = None
    healthy_targets: int | None = None
    answers_itself: bool | None = None


class TargetReading:
    """Reads the targets of one region; a call that is refused once is not made again."""

    def __init__(self, reader: PageReader) -> None:
        self._reader = reader
        self._groups: dict[str, list[str]] | None = None
        self._health: dict[str, tuple[int, int] | None] = {}
        self._gaps: dict[tuple[str, str], Gap] = {}
        self._refused: set[str] = set()

    def gaps(self) -> tuple[Gap, ...]:
        """Return what could not be read so far."""
        return tuple(self._gaps.values())

    def behind(self, arn: str) -> TargetCounts:
        """Return what is behind the load balancer `arn`."""
        groups = self._groups_of(arn)
        if groups is None:
            return TargetCounts()
        known = [self._health_of(group) for group in groups]
        found = [one for one in known if one is not None]
        if len(found) < len(known):
            return TargetCounts(target_groups=len(groups))
        registered = sum(one[0] for one in found)
        return TargetCounts(
            target_groups=len(groups),
            registered_targets=registered,
            healthy_targets=sum(one[1] for one in found),
            answers_itself=None if registered else self._answers_itself(arn),
        )

    def _groups_of(self, arn: str) -> list[str] | None:
        if self._groups is None and _GROUPS not in self._refused:
            groups: dict[str, list[str]] = {}
            try:
                for page in self._reader.pages(_GROUPS, {"PageSize": PAGE}):
                    for group in page.get("TargetGroups", ()):
                        for owner in group.get("LoadBalancerArns") or ():
                            groups.setdefault(str(owner), []).append(str(group["TargetGroupArn"]))
            except AwsError as error:
                # Half a listing would make targets disappear.
                self._failed(_GROUPS, error, permanent=True)
            else:
                self._groups = groups
        return None if self._groups is None else self._groups.get(arn, [])

    def _health_of(self, group: str) -> tuple[int, int] | None:
        """Return how many targets are registered and how many of them are healthy."""
        if group not in self._health:
            self._health[group] = None if _HEALTH in self._refused else self._ask_health(group)
        return self._health[group]

    def _ask_health(self, group: str) -> tuple[int, int] | None:
        try:
            targets = self._reader.once(_HEALTH, {"TargetGroupArn": group}).get("TargetHealthDescriptions", ())
        except AwsError as error:
            self._failed(_HEALTH, error)
            return None
        healthy = sum(1 for one in targets if (one.get("TargetHealth") or {}).get("State") == "healthy")
        return len(targets), healthy

    def _answers_itself(self, arn: str) -> bool | None:
        if {_LISTENERS, _RULES} & self._refused:
            return None
        operation = _LISTENERS
        try:
            listeners = list(self._listed(_LISTENERS, {"LoadBalancerArn": arn}, "Listeners"))
            if any(_alone(one.get("DefaultActions")) for one in listeners):
                return True
            operation = _RULES
            # Only application load balancers have rules.
            return any(
                _alone(rule.get("Actions"))
                for one in listeners
                if str(one.get("Protocol")) in {"HTTP", "HTTPS"}
                for rule in self._listed(_RULES, {"ListenerArn": str(one["ListenerArn"])}, "Rules")
            )
        except AwsError as error:
            self._failed(operation, error)
            return None

    def _listed(self, operation: str, parameters: Mapping[str, Any], key: str) -> Iterator[Mapping[str, Any]]:
        for page in self._reader.pages(operation, {**parameters, "PageSize": PAGE}):
            yield from page.get(key, ())

    def _failed(self, operation: str, error: AwsError, *, permanent: bool = False) -> None:
        if permanent or isinstance(error, AwsDenied):
            self._refused.add(operation)
        self._gaps.setdefault((operation, error.code), gap_of(error, self._reader))


def _alone(actions: Any) -> bool:
    return any(one.get("Type") in _ALONE for one in actions or ())
