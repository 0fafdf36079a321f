"""Signs of an owner that only databases carry; see `plugins.ownership` for those of every resource."""

from __future__ import annotations

from typing import Final

from finops_operator.plugins.ownership import Sign

SIGNS: Final = (
    Sign(
        ("application-autoscaling:",),
        "Application Auto Scaling",
        "Change the scaling policy of its cluster.",
        instead_of_stop="Lower the minimum of readers in the scaling policy of its cluster.",
    ),
    Sign(
        ("services.k8s.aws/",),
        "a Kubernetes cluster",
        "Change or delete the DBInstance object that it was made for.",
        ("services.k8s.aws/namespace",),
    ),
)
