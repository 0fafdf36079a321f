"""What a policy's fields say to the checks."""

from __future__ import annotations

from tests.support.facts import NOW
from tests.support.manifests import manifest

from finops.crds.scan_policy import ScanPolicy
from finops_operator.plugins.sizing_policy import SizingPolicy
from finops_operator.pricing.bundled import SOURCE
from finops_operator.scan.policy_rules import PolicyRules


def rules(sizing: dict[str, object]) -> PolicyRules:
    return PolicyRules(
        policy=("team-a", "sizing"),
        spec_policy=ScanPolicy.from_object(manifest("ScanPolicy", {"spec": {"sizing": sizing}})),
        now=NOW,
        accounts={},
        kinds={},
        checks={},
        actions={},
        enabled=(),
        lookup=SOURCE.lookup,
    )


def test_every_field_of_sizing_reaches_the_checks() -> None:
    said = rules(
        {
            "preset": "Balanced",
            "allowFamilies": ["m5"],
            "denyFamilies": ["t2"],
            "minimumVcpus": 1,
            "allow": {"vendorChange": True, "hypervisorChange": True, "burstable": False},
        }
    )
    assert said.settings.sizing == SizingPolicy(
        preset="Balanced",
        allow_families=frozenset({"m5"}),
        deny_families=frozenset({"t2"}),
        minimum_vcpus=1,
        vendor_change=True,
        hypervisor_change=True,
        burstable=False,
    )


def test_a_policy_that_says_nothing_of_sizing_means_the_defaults_of_the_checks() -> None:
    assert rules({}).settings.sizing == SizingPolicy()
