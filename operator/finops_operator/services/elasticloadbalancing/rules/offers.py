"""Where AWS's price list has the figures of classic load balancers.

Source: "Finding services and products using the AWS Price List Query API", Billing user guide; the usage type as the
offer file of the service and Cost and Usage Reports spell it.
"""

from __future__ import annotations

from typing import Final

from finops_operator.pricing.offers import GIGABYTES, Offer, Offers

_FAMILY: Final = (("productFamily", "Load Balancer"),)
OFFERS: Final[Offers] = {
    ("elb", "gb"): Offer("AWSELB", _FAMILY, "DataProcessing-Bytes", GIGABYTES, "gb", attributes=(("type", "classic"),)),
}
