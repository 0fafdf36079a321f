"""Budgets as the API server shows them to the visitor, with the operator's judgement in their status."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from finops.crds.budget import Budget
from finops.crds.conditions import find_condition
from finops.domain.budget import BudgetState
from finops.domain.resource import Gap
from finops.errors import Refused
from finops.k8s.kinds import budgets
from finops_web.people.visitors import Visitor
from finops_web.readings.by_namespace import by_namespace

_ORDER: Final = (BudgetState.EXCEEDED, BudgetState.ALERT_REACHED, BudgetState.UNKNOWN, None, BudgetState.WITHIN_BUDGET)
_FILTERS: Final = ("state", "namespace", "account", "region", "service", "tag")


@dataclass(frozen=True, slots=True)
class ReadBudgets:
    """What a visitor may read of the budgets.

    Attributes:
        found: what needs attention first, then by namespace and name.
        gaps: one per namespace whose budgets the visitor may not read.
    """

    found: tuple[Budget, ...] = ()
    gaps: tuple[Gap, ...] = ()


def budgets_of(visitor: Visitor, namespaces: Iterable[str]) -> ReadBudgets:
    """Return the budgets of the namespaces, and a gap for each namespace that is closed to the visitor.

    Raises:
        ClusterUnavailable: the API server does not answer.
    """
    found, gaps = by_namespace(namespaces, budgets(visitor.connection, newer=True).list, "budgets", "budgets")
    return ReadBudgets(tuple(sorted(found, key=_order)), gaps)


@dataclass(frozen=True, slots=True)
class BudgetFilter:
    """Which budgets are asked for; an empty text narrows nothing.

    A budget fits an account, region or service that its scope names, and one whose scope names none of them is for all.
    """

    state: str = ""
    namespace: str = ""
    account: str = ""
    region: str = ""
    service: str = ""
    tag: str = ""

    def apply(self, found: Iterable[Budget]) -> tuple[Budget, ...]:
        """Return what is asked for, in the order given."""
        return tuple(one for one in found if self._fits(one))

    def _fits(self, one: Budget) -> bool:
        scope, tag = one.spec.scope, one.spec.scope.tag
        named = ((self.account, scope.accounts), (self.region, scope.regions), (self.service, scope.services))
        return (
            (not self.state or self.state.lower() == state_of(one).lower())
            and self.namespace in {"", one.metadata.namespace}
            and all(not wanted or not given or wanted in given for wanted, given in named)
            and (not self.tag or (tag is not None and self.tag in {tag.key, f"{tag.key}={tag.value}"}))
        )

    @property
    def active(self) -> dict[str, str]:
        """Return what narrows the list, by the names of the address's parameters."""
        return {name: value for name in _FILTERS if (value := str(getattr(self, name)))}

    @property
    def query(self) -> str:
        return urlencode(self.active)

    def without(self, name: str) -> str:
        """Return the query of an address that no longer narrows by `name`."""
        return urlencode({key: value for key, value in self.active.items() if key != name})


def state_of(one: Budget) -> str:
    """Return how a budget stands in one word; one that was not judged yet is `Unknown`."""
    return (one.status.state or BudgetState.UNKNOWN).value


def message_of(one: Budget) -> str:
    """Return how a budget stands as sentences."""
    ready = find_condition(one.status.conditions, "Ready")
    return ready.message if ready is not None else "The operator has not judged it yet; it does within a minute."


def scope_to_words(one: Budget) -> str:
    """Return which part of the cost a budget is for."""
    scope = one.spec.scope
    words = [", ".join(part) for part in (scope.services, scope.regions, scope.accounts) if part]
    if scope.tag is not None:
        words.append(f"{scope.tag.key} = {scope.tag.value}")
    return " · ".join(words) or "everything scanned"


def scope_to_json(one: Budget) -> dict[str, Any]:
    """Return which part of the cost a budget is for, as data; empty lists and a null tag are all."""
    scope = one.spec.scope
    return {
        "accounts": list(scope.accounts),
        "regions": list(scope.regions),
        "services": list(scope.services),
        "tag": None if scope.tag is None else {"key": scope.tag.key, "value": scope.tag.value},
    }


def _order(one: Budget) -> tuple[int, str, str]:
    return _ORDER.index(one.status.state), one.metadata.namespace or "", one.metadata.name


def _closed(namespace: str, error: Refused) -> Gap:
    return Gap(
        account=f"namespace {namespace}",
        region="",
        service="kubernetes",
        operation="list budgets",
        code=error.code or "Forbidden",
        message="You may not read the budgets of this namespace; they are missing here. "
        "A role with get and list on budgets shows them.",
    )
