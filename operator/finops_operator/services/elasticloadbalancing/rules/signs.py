"""Signs of an owner that only load balancers carry; see `plugins.ownership` for those of every resource."""

from __future__ import annotations

from typing import Final

from finops_operator.plugins.ownership import Sign

SIGNS: Final = (
    Sign(
        (
            "elbv2.k8s.aws/",
            "service.k8s.aws/",
            "ingress.k8s.aws/",
            "gateway.k8s.aws.",
            "kubernetes.io/service-name",
            "kubernetes.io/ingress-name",
            "kubernetes.io/cluster/",
        ),
        "a Kubernetes cluster",
        "Change or delete the Service, Ingress or Gateway that it was made for.",
        (
            "service.k8s.aws/stack",
            "ingress.k8s.aws/stack",
            "kubernetes.io/service-name",
            "kubernetes.io/ingress-name",
            "elbv2.k8s.aws/cluster",
        ),
    ),
)
