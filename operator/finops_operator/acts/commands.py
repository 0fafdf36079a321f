"""Makes the executor's ActRequest from objects read just now, before each run of an act.

Called by the request loop. A corrected role, a protected tag or a raised limit takes effect at the next run, also in
the middle of an act; what was approved (plan, estimate, dry run) never changes again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from finops.crds.action_request import ActionRequest, Estimate
from finops.crds.aws_account import AwsAccount
from finops.crds.scan_policy import ScanPolicy
from finops.domain.decision import Vote
from finops.k8s.kinds import KindApi
from finops.ports.act import ActRequest, Limits
from finops.ports.aws_access import AccountAccess, Tenant
from finops_operator.rules.access import revoked


@dataclass(frozen=True, slots=True)
class ActRequests:
    """Reads from the API server, whose answers are newer than what the watch has shown.

    Attributes:
        counted_approvals: the approvals that stand, the deciding one last.
        fleet: number of resources of a kind in the policy's last scan, for the cap by share of the fleet.
    """

    requests: KindApi[ActionRequest]
    policies: KindApi[ScanPolicy]
    accounts: KindApi[AwsAccount]
    counted_approvals: Callable[[ActionRequest], tuple[Vote, ...]]
    access: Callable[[AwsAccount], AccountAccess]
    fleet: Callable[[ScanPolicy, str], int]

    def of(self, request: ActionRequest) -> ActRequest | None:
        """Return an approved request as the executor takes it; None while its account does not exist or is another one.

        Raises:
            ClusterUnavailable, Refused, InvalidInput, StoreUnavailable, LedgerUnavailable: not known now.
        """
        spec, metadata = request.spec, request.metadata
        namespace = metadata.namespace or ""
        account = self.accounts.get("", spec.account)
        if account is None or account.spec.account_id != spec.resource.account_id:
            return None
        policy = self.policies.get(namespace, spec.policy)
        return ActRequest(
            uid=metadata.uid or "",
            name=metadata.name,
            tenant=Tenant(namespace=namespace, policy=spec.policy),
            access=self.access(account),
            plan=spec.to_plan(),
            plan_hash=spec.plan_hash,
            deciders=self._deciders(request),
            dry_run=spec.dry_run,
            estimate={
                **_figures(spec.estimate),
                "currency": spec.estimate.currency,
                **_hours(policy),
                **({"lastsDays": str(spec.estimate.lasts_days)} if spec.estimate.lasts_days else {}),
            },
            limits=self._limits(policy, spec.resource.kind),
            protect_tags=policy.spec.actions.protect_tags if policy is not None else {},
            titles=spec.titles,
        )

    def again(self, last: ActRequest, *, begun: bool) -> ActRequest:
        """Return `last` with role, grant, protected tags and limits as they are now; before its first call votes too.

        What is gone by now (the object, its policy, its account) leaves what was known of it: an act that has begun
        still has to reach its end, and one that has not is the gate's to end.

        Raises:
            As `of`.
        """
        namespace, resource = last.tenant.namespace, last.plan.resource
        account = self.accounts.get("", last.access.name)
        if account is not None and account.spec.account_id == resource.account:
            # An act that has begun is led back without its grant; the gate ends one that has not.
            only_back = last.abandoned or (revoked(account, namespace, last.plan.action) if begun else "")
            last = replace(last, access=self.access(account), only_back=only_back)
        policy = self.policies.get(namespace, last.tenant.policy)
        if policy is not None:
            # Caps are asked again too where the first call was announced and turned out never to have reached AWS.
            limits = self._limits(policy, resource.kind)
            last = replace(last, protect_tags=policy.spec.actions.protect_tags, limits=limits)
        if begun:
            # Its way to an end leans on as little as can be.
            return last
        request = self.requests.get(namespace, last.name)
        deciders = self._deciders(request) if request is not None and request.metadata.uid == last.uid else ()
        limits = last.limits if policy is not None else self._limits(None, resource.kind)
        return replace(last, limits=limits, deciders=deciders or last.deciders)

    def _limits(self, policy: ScanPolicy | None, kind: str) -> Limits:
        if policy is None:
            return Limits(per_hour=1, per_day=1, percent_of_fleet=1, fleet=0)
        limits = policy.spec.actions.limits
        return Limits(
            per_hour=limits.per_hour,
            per_day=limits.per_day,
            percent_of_fleet=limits.percent_of_fleet,
            fleet=self.fleet(policy, kind),
        )

    def _deciders(self, request: ActionRequest) -> tuple[str, ...]:
        return tuple(vote.voter.handle for vote in reversed(self.counted_approvals(request)))


def _figures(estimate: Estimate) -> dict[str, str]:
    """Return the amounts that are known; an absent one is no zero."""
    amounts = {
        "currentMonthlyCost": estimate.current_monthly_cost,
        "newMonthlyCost": estimate.new_monthly_cost,
        "monthlySavings": estimate.monthly_savings,
    }
    return {name: f"{amount}" for name, amount in amounts.items() if amount is not None}


def _hours(policy: ScanPolicy | None) -> dict[str, str]:
    return {} if policy is None else {"hoursPerMonth": f"{policy.spec.pricing.hours_per_month}"}
