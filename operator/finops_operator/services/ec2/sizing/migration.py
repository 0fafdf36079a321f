"""What a change of type asks of people, and whether it may be carried out. Pure.

AWS Compute Optimizer names the migration effort of each of its options, from the architecture alone; this goes by the
processor, the hypervisor and the family too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from finops.domain.recommendation import Effort
from finops_operator.plugins.sizing_policy import SizingPolicy
from finops_operator.pricing.instance_types import InstanceType
from finops_operator.services.ec2.rules.vcpu_limits import VcpuLimits
from finops_operator.services.ec2.rules.vcpu_quota import quota_code

_UNKNOWN: Final = "unknown"


def migration_effort(current: InstanceType, kind: InstanceType) -> Effort:
    """Return how much there is to see to: another image most, drivers next, a test on another processor after it."""
    if not current.architectures & kind.architectures:
        return Effort.HIGH
    if current.hypervisor != kind.hypervisor:
        return Effort.MEDIUM
    if _another_vendor(current, kind) or _becomes_burstable(current, kind):
        return Effort.LOW
    return Effort.VERY_LOW


def not_allowed(
    current: InstanceType, kind: InstanceType, policy: SizingPolicy, limits: VcpuLimits | None = None
) -> str:
    """Return what keeps the change from being carried out: fields of the policy, a quota; empty when nothing does.

    A quota that counts both types always has room for a smaller one: the change gives back no fewer vCPUs than it
    takes. Of another one `limits` say how large it is, and nothing here how much of it is in use.
    """
    return "; ".join(_forbidden(current, kind, policy, limits or VcpuLimits()))


def _forbidden(current: InstanceType, kind: InstanceType, policy: SizingPolicy, limits: VcpuLimits) -> Iterator[str]:
    if not policy.vendor_change and _another_vendor(current, kind):
        old, new = current.processor_maker or _UNKNOWN, kind.processor_maker or _UNKNOWN
        yield f"the maker of the processor changes ({old} → {new}; sizing.allow.vendorChange)"
    if not policy.hypervisor_change and current.hypervisor != kind.hypervisor:
        yield f"the hypervisor changes ({current.hypervisor} → {kind.hypervisor}; sizing.allow.hypervisorChange)"
    if not policy.burstable and _becomes_burstable(current, kind):
        yield "its CPU becomes burstable (sizing.allow.burstable)"
    quota = quota_code(kind.name)
    if quota != quota_code(current.name) or not quota:
        yield f"another quota of vCPUs counts it ({quota or 'of no known code'}), {limits.words(kind.name)}"


def _another_vendor(current: InstanceType, kind: InstanceType) -> bool:
    """A maker that the name of a type does not say is another one, except within a family."""
    if current.family == kind.family:
        return False
    return not current.processor_maker or current.processor_maker != kind.processor_maker


def _becomes_burstable(current: InstanceType, kind: InstanceType) -> bool:
    return current.baseline_percent is None and kind.baseline_percent is not None
