"""Signs of an owner that only file systems carry; see `plugins.ownership` for those of every resource."""

from __future__ import annotations

from typing import Final

from finops_operator.plugins.ownership import Sign

SIGNS: Final = (
    Sign(
        ("efs.csi.aws.com/",),
        "a Kubernetes cluster",
        "Change or delete the PersistentVolume or the StorageClass.",
    ),
    Sign(
        ("ManagedByAmazonSageMakerResource",),
        "Amazon SageMaker",
        "Change or delete the domain that it was made for.",
        ("ManagedByAmazonSageMakerResource",),
    ),
)
