"""A policy as judging needs it: its checks with their parameters, its prices and terms. Pure.

Made once for a scan and once for `finops policy test`, so that both judge alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from finops.crds.aws_account import AwsAccount
from finops.crds.scan_policy import ScanPolicy, Sizing
from finops.domain.money import DEFAULT_HOURS_PER_MONTH
from finops.domain.price import Cost, GroupOf, PriceQuery, cost_of_group
from finops.domain.resource import Resource, Shard
from finops.domain.utilization import Utilization
from finops.ports.price_source import PriceSource
from finops_operator.plugins.action import Action
from finops_operator.plugins.check import Check, JudgeSettings
from finops_operator.plugins.kind import PriceLookup, ResourceKind
from finops_operator.plugins.sizing_policy import SizingPolicy
from finops_operator.pricing.price_list import failed_in
from finops_operator.rules.access import accounts_by_id, unknown_accounts
from finops_operator.rules.readiness import act_terms
from finops_operator.scan.check import CheckSetting, EnabledCheck, enabled_checks
from finops_operator.scan.custom.checks import Catalog, custom_checks
from finops_operator.scan.price import Beside, MemoizedPrices, SharedUnits, cost_of
from finops_operator.scan.recommend import Terms, never_failed
from finops_operator.scan.select import selects


class Offered(Protocol):
    """What the release offers."""

    @property
    def kinds(self) -> Mapping[str, ResourceKind[Any]]: ...
    @property
    def checks(self) -> Mapping[str, Check[Any]]: ...
    @property
    def actions(self) -> Mapping[str, Action]: ...
    @property
    def price_sources(self) -> tuple[PriceSource, ...]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRules:
    """What one policy says about judging, at one instant.

    Attributes:
        policy: (namespace, name).
        now: the one instant.
        accounts: the policy's AwsAccount objects by account id.
        kinds: those that the policy asks for.
        checks: all that findings can name, the policy's own among them.
        enabled: the checks that run.
        price_failed: as in `Terms`.
        shared: of the shard that is judged, the units of a month that share steps of a price; see `scan.price`.
    """

    policy: tuple[str, str]
    spec_policy: ScanPolicy
    now: datetime
    accounts: Mapping[str, AwsAccount]
    kinds: Mapping[str, ResourceKind[Any]]
    checks: Mapping[str, Check[Any]]
    actions: Mapping[str, Action]
    enabled: tuple[EnabledCheck, ...]
    lookup: PriceLookup
    price_failed: Callable[[PriceQuery], bool] = never_failed
    shared: SharedUnits = field(default_factory=SharedUnits)

    @property
    def settings(self) -> JudgeSettings:
        spec = self.spec_policy.spec
        return JudgeSettings(
            minimum_hours=Decimal(spec.metrics.minimum_hours),
            minimum_coverage_percent=Decimal(spec.metrics.minimum_coverage_percent),
            hours_per_month=self.hours_per_month,
            sizing=_sizing_policy(spec.sizing),
            time_zone=str(spec.time_zone),
        )

    @property
    def hours_per_month(self) -> Decimal:
        return Decimal(self.spec_policy.spec.pricing.hours_per_month)

    def terms(self, account_id: str) -> Terms:
        """Return what the policy says about recommendations for resources of an account."""
        acts = act_terms(self.spec_policy, self.accounts.get(account_id))
        discount = self.spec_policy.spec.pricing.discount_percent
        return Terms("/".join(self.policy), acts, discount, self.hours_per_month, self.price_failed)

    def cost(self, resource: Resource, utilization: Utilization | None) -> Cost:
        """Return what a resource costs at this policy's hours per month: its share of what all units cost."""
        return self._cost(resource, utilization, self.hours_per_month, self.shared.units)

    def at_margin(self, resource: Resource, utilization: Utilization | None) -> Callable[[Resource], Cost] | None:
        """Return what a changed copy of `resource` adds to the bill of all others, with the same use.

        Differences of such costs are what the bill falls by. None where no price falls with the amount: then every
        unit costs the same, whoever goes.
        """
        kind = self.kinds[resource.kind]
        if not kind.steps_from or not self.shared.units or not self.shared.reached:
            return None
        beside = self.shared.beside(resource, kind.billed_parts, utilization)
        return lambda changed: self._cost(changed, utilization, self.hours_per_month, beside)

    def shared_cost(self, resource: Resource, utilization: Utilization | None) -> Cost:
        """Return what `resource` costs in a month of 730 hours: what all policies write down must not differ."""
        return self._cost(resource, utilization, DEFAULT_HOURS_PER_MONTH, self.shared.units)

    def _cost(
        self,
        resource: Resource,
        utilization: Utilization | None,
        hours_per_month: Decimal,
        shared: Mapping[PriceQuery, Decimal] | Beside,
    ) -> Cost:
        kind = self.kinds[resource.kind]
        members = kind.members
        group = None if members is None else GroupOf(members.kind, members.of(resource), members.through)
        if members is not None and group is not None and not members.billed_itself:
            return cost_of_group(group)
        cost = cost_of(resource, kind.billed_parts, self.lookup, hours_per_month, utilization, shared)
        return replace(cost, group=group)

    def reaches(self, shard: Shard) -> bool:
        """Return whether the policy reads a shard of a kind that it asks for.

        Regions are those of the policy and of the account object, as `choose_regions` takes them; a global kind is in
        none of them. Accounts narrow where every one that the policy names is known: of one that is not, nobody knows
        which of the stored accounts it is.
        """
        spec = self.spec_policy.spec
        if shard.account not in self.accounts and not unknown_accounts(self.spec_policy, self.accounts.values()):
            return False
        if self.kinds[shard.kind].is_global:
            return True
        account = self.accounts.get(shard.account)
        allowed = account.spec.regions if account is not None else ()
        return all(not regions or shard.region in regions for regions in (spec.regions, allowed))

    def selects(self, resource: Resource) -> bool:
        return selects(self.spec_policy.spec.selector, resource)


def policy_rules(
    policy: ScanPolicy, accounts: Mapping[str, AwsAccount], offered: Offered, now: datetime
) -> PolicyRules:
    """Return what `policy` says; `accounts` are all AwsAccount objects by name.

    Raises:
        InvalidInput: a check or parameter of the policy is unknown or out of range, or a check of its own is wrong;
            names the field.
    """
    settings = [CheckSetting(one.id, one.enabled, one.parameters) for one in policy.spec.checks]
    catalog = Catalog(offered.kinds, offered.checks, offered.actions)
    own = custom_checks(policy.spec.custom_checks, catalog, policy.spec.resources)
    wanted: tuple[str, ...] = policy.spec.resources or tuple(offered.kinds)
    return PolicyRules(
        policy=(policy.metadata.namespace or "default", policy.metadata.name),
        spec_policy=policy,
        now=now,
        accounts=accounts_by_id(policy, accounts.values()),
        kinds={kind: offered.kinds[kind] for kind in wanted},
        checks={**offered.checks, **own},
        actions=offered.actions,
        enabled=(*enabled_checks(offered.checks, settings), *(EnabledCheck(one, {}) for one in own.values())),
        lookup=MemoizedPrices(offered.price_sources).lookup,
        price_failed=lambda query: failed_in(offered.price_sources, query),
    )


def _sizing_policy(sizing: Sizing) -> SizingPolicy:
    return SizingPolicy(
        preset=sizing.preset.value,
        allow_families=frozenset(sizing.allow_families),
        deny_families=frozenset(sizing.deny_families),
        minimum_vcpus=sizing.minimum_vcpus,
        vendor_change=sizing.allow.vendor_change,
        hypervisor_change=sizing.allow.hypervisor_change,
        burstable=sizing.allow.burstable,
    )
