"""Signs of an owner that buckets carry; see `plugins.ownership` for those of every resource."""

from __future__ import annotations

from typing import Final

from finops_operator.plugins.ownership import Sign

SIGNS: Final = (
    Sign(
        ("services.k8s.aws/",),
        "a Kubernetes cluster",
        "Change or delete the Bucket object that it was made for.",
        ("services.k8s.aws/namespace",),
    ),
)
