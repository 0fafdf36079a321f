"""Where AWS's price list has the figures of concurrency that waits and of very long durations, and where those begin.

Source: "Finding services and products using the AWS Price List Query API", Billing user guide; usage types, groups and
the unit, a gigabyte for a second, as the offer file of the service and Cost and Usage Reports spell them. Steps:
"Introducing tiered pricing for AWS Lambda", https://aws.amazon.com/blogs/compute/introducing-tiered-pricing-for-aws-lambda/
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from finops_operator.pricing.offers import Offer, Offers

_GB_SECONDS: Final = frozenset({"lambda-gb-second"})


def _waiting(processor: str) -> Offer:
    group = ("group", f"AWS-Lambda-Provisioned-Concurrency{processor}")
    usage = f"Lambda-Provisioned-Concurrency{processor}"
    return Offer("AWSLambda", (group,), usage, _GB_SECONDS, "gb-second")


FURTHER_STEPS: Final[Mapping[str, tuple[Decimal, Decimal]]] = {
    "x86": (Decimal(6_000_000_000), Decimal(15_000_000_000)),
    "arm": (Decimal(7_500_000_000), Decimal(18_750_000_000)),
}
"""Processor → gigabyte-seconds of a month above which the second and the third price hold."""


def _last_step(processor: str) -> Offer:
    """Return the step that no table has: the last one."""
    suffix = {"x86": "", "arm": "-ARM"}[processor]
    group = ("group", f"AWS-Lambda-Duration{suffix}")
    usage, begins = f"Lambda-GB-Second{suffix}", FURTHER_STEPS[processor][-1]
    return Offer("AWSLambda", (group,), usage, _GB_SECONDS, "gb-second", begins=begins)


OFFERS: Final[Offers] = {
    ("lambda", "x86_provisioned_concurrency"): _waiting(""),
    ("lambda", "arm_provisioned_concurrency"): _waiting("-ARM"),
    ("lambda", "x86_gb_second_tier3"): _last_step("x86"),
    ("lambda", "arm_gb_second_tier3"): _last_step("arm"),
}
