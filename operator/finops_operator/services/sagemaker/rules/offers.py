"""Where AWS's price list has the hours of SageMaker's machines and the disks of notebooks; no table has them.

Source: "Finding services and products using the AWS Price List Query API", Billing user guide; usage types as Cost and
Usage Reports spell them: "Analyze Amazon SageMaker spend and determine cost optimization opportunities based on usage",
https://aws.amazon.com/blogs/machine-learning/part-2-analyze-amazon-sagemaker-spend-and-determine-cost-optimization-opportunities-based-on-usage-part-2-sagemaker-notebooks-and-studio/
"""

from __future__ import annotations

from typing import Final

from finops.domain.price import PriceQuery
from finops_operator.pricing.offers import GB_MONTH, GB_MONTHS, HOURS, Offer, Offers

_TYPE: Final = "instance_type"
_NAMED: Final = (("instanceName", f"{{{_TYPE}}}"),)
_CODE: Final = "AmazonSageMaker"
HOSTED: Final[Offers] = {
    ("sagemaker", "endpoint_hour"): Offer(_CODE, _NAMED, f"Host:{{{_TYPE}}}", HOURS, "hour", named=(_TYPE,)),
    # Machines that take requests from a queue are a product of their own, which not every type has.
    ("sagemaker", "async_endpoint_hour"): Offer(_CODE, _NAMED, f"AsyncInf:{{{_TYPE}}}", HOURS, "hour", named=(_TYPE,)),
}
NOTEBOOKS: Final[Offers] = {
    ("sagemaker", "notebook_hour"): Offer(_CODE, _NAMED, f"Notebk:{{{_TYPE}}}", HOURS, "hour", named=(_TYPE,)),
    ("sagemaker", "notebook_gb_month"): Offer(
        _CODE, (("productFamily", "Storage"),), "Notebk:VolumeUsage.gp2", GB_MONTHS, GB_MONTH
    ),
}


def hour_query(region: str, dimension: str, instance_type: str) -> PriceQuery:
    """Return what to ask a price source about an hour of a machine."""
    return PriceQuery("sagemaker", region, dimension, ((_TYPE, instance_type),))
