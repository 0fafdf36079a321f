"""Which rows of AWS's offer file are the figures of functions.

Sources: those of `pricing/listed.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from finops_operator.pricing.listed import REQUESTS, Rule, having, per, usage_type

_DURATIONS: Final = (
    ("x86_gb_second_tier1", "", "0"),
    ("x86_gb_second_tier2", "", "6000000000"),
    ("arm_gb_second_tier1", "-ARM", "0"),
    ("arm_gb_second_tier2", "-ARM", "7500000000"),
)


def _functions() -> Iterator[Rule]:
    seconds = per(frozenset({"lambda-gb-second", "gb-second", "gb-seconds", "seconds"}))
    for dimension, processor, begins in _DURATIONS:
        group, usage = having(group=f"AWS-Lambda-Duration{processor}"), usage_type(f"Lambda-GB-Second{processor}")
        yield Rule("AWSLambda", "lambda", dimension, "gb-second", seconds, group, usage, begins=Decimal(begins))
    yield Rule(
        "AWSLambda",
        "lambda",
        "request",
        "request",
        REQUESTS,
        having(group="AWS-Lambda-Requests"),
        usage_type("Request"),
    )


LISTED: Final = tuple(_functions())
