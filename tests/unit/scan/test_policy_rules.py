"""What a policy's fields say to the checks."""

from __future__ import annotations

from tests.support.facts import NOW
from tests.support.manifests import manifest
from tests.support.scan_samples import ACCOUNT, account

from finops.crds.scan_policy import ScanPolicy
from finops.domain.resource import Shard
from finops_operator.plugins.loaded import plugins
from finops_operator.plugins.sizing_policy import SizingPolicy
from finops_operator.pricing.bundled import SOURCE
from finops_operator.scan.policy_rules import PolicyRules, policy_rules

OTHER = "222222222222"


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


def reached(regions: list[str], *shards: tuple[str, str, str], allowed: tuple[str, ...] = ()) -> list[bool]:
    """Return which shards (account, region, kind) a policy of the accounts `production` and `staging` reads."""
    spec = {"accounts": [{"name": "production"}, {"name": "staging"}], "regions": regions}
    policy = ScanPolicy.from_object(manifest("ScanPolicy", {"spec": spec}))
    other = account("staging", accountId=OTHER, executorRoleArn=f"arn:aws:iam::{OTHER}:role/x", regions=allowed)
    known = {"production": account(), "staging": other}
    said = policy_rules(policy, known, plugins(), NOW)
    return [said.reaches(Shard(*one)) for one in shards]


def test_a_policy_reads_its_own_regions_and_those_that_the_account_allows() -> None:
    here, there = (ACCOUNT, "us-east-1", "ec2-instance"), (OTHER, "eu-west-1", "ec2-instance")
    assert reached([], here, there) == [True, True]
    assert reached(["us-east-1"], here, there) == [True, False]
    assert reached([], here, there, allowed=("eu-central-1",)) == [True, False]


def test_what_is_in_no_region_is_read_whichever_are_named_and_no_account_that_is_not_named() -> None:
    assert reached(["eu-west-1"], (ACCOUNT, "us-east-1", "route53-health-check")) == [True]
    assert reached([], ("333333333333", "us-east-1", "ec2-instance")) == [False]
