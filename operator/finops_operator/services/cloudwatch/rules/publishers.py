"""Who publishes a namespace: a service, a feature of AWS that somebody turned on, or the account's programs. Pure.

Called by the kind and its checks. What services publish by themselves costs nothing. What a feature publishes is billed
by the feature's own rules, some of it for each series and some not: Container Insights in its newer form by
observations, Application Signals by signals, canaries by runs; of others AWS does not say it clearly. Its dimensions
are the feature's. Source: CloudWatch user guide, "AWS services that publish CloudWatch metrics", "Metrics collected by
Application Signals", "CloudWatch metrics published by canaries"; https://aws.amazon.com/cloudwatch/pricing/
"""

from __future__ import annotations

from typing import Final

_SERVICES: Final = ("AWS/", "/aws/")
"""Begin the namespaces of what services publish by themselves; those of AWS's agents are billed like any other."""
_FEATURES: Final = (
    "AmazonMWAA",
    "ApplicationSignals",
    "CloudWatchSynthetics",
    "ContainerInsights",
    "ECS/ContainerInsights",
    "ECS/ManagedScaling",
    "Glue",
    "LambdaInsights",
    "WAF",
)


def is_of_a_service(namespace: str) -> bool:
    """Return whether a service publishes it by itself, at no charge."""
    return namespace.startswith(_SERVICES)


def is_of_a_feature(namespace: str) -> bool:
    """Return whether a feature of AWS publishes it, or something below it such as `ContainerInsights/Prometheus`."""
    return any(namespace == one or namespace.startswith(f"{one}/") for one in _FEATURES)
