"""Which rows of AWS's offer file are the figures of load balancers.

Sources: those of `pricing/listed.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from finops_operator.pricing.listed import HOURLY, Rule, constant, having, per, usage_type


def _balancers() -> Iterator[Rule]:
    for word, operation in (
        ("application", "LoadBalancing:Application"),
        ("network", "LoadBalancing:Network"),
        ("classic", "LoadBalancing"),
    ):
        fields, attributes = having(operation=operation), (("type", constant(word)),)
        yield Rule("AWSELB", "elb", "hour", "hour", HOURLY, fields, usage_type("LoadBalancerUsage"), attributes)
        if word != "classic":
            units = per(frozenset({"lcu-hrs", "lcu-hours", "lcu-hour", "nlcu-hrs", "nlcu-hours", "hrs", "hours"}))
            yield Rule("AWSELB", "elb", "lcu_hour", "lcu-hour", units, fields, usage_type("LCUUsage"), attributes)


LISTED: Final = tuple(_balancers())
