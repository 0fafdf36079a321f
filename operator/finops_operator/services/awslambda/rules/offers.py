"""Where AWS's price list has the figures of concurrency that waits.

Source: "Finding services and products using the AWS Price List Query API", Billing user guide; usage types, groups and
the unit, a gigabyte for a second, as the offer file of the service and Cost and Usage Reports spell them.
"""

from __future__ import annotations

from typing import Final

from finops_operator.pricing.offers import Offer, Offers

_GB_SECONDS: Final = frozenset({"lambda-gb-second"})


def _waiting(processor: str) -> Offer:
    group = ("group", f"AWS-Lambda-Provisioned-Concurrency{processor}")
    usage = f"Lambda-Provisioned-Concurrency{processor}"
    return Offer("AWSLambda", (group,), usage, _GB_SECONDS, "gb-second")


OFFERS: Final[Offers] = {
    ("lambda", "x86_provisioned_concurrency"): _waiting(""),
    ("lambda", "arm_provisioned_concurrency"): _waiting("-ARM"),
}
