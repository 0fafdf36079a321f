"""A scan of functions that use more than the first step of Lambda's price, with an AWS that answers from functions."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from typing import Any

from tests.integration.services.test_bill_by_use import ACCOUNTS, Aws
from tests.support.scanning import dependencies, policy, report_of

from finops.ports.clock import SystemClock
from finops.store.connection import Store
from finops_operator.scan.scan import ScanOutcome, scan

GB_SECONDS_A_SECOND = 2_000
"""Of each of two functions: together 10.5 billion in a month of 730 hours, where the second price begins with 6."""


class Functions(Aws):
    """Two functions on x86, of 1 GB each."""

    def once(
        self, operation: str, parameters: Mapping[str, Any], *, datapoints: int = 0, metrics: int = 0
    ) -> Mapping[str, Any]:
        if operation == "lambda:ListFunctions":
            return {"Functions": [self._function("resize"), self._function("convert")]}
        return super().once(operation, parameters, datapoints=datapoints, metrics=metrics)

    @staticmethod
    def _function(name: str) -> dict[str, Any]:
        return {"FunctionName": name, "MemorySize": 1024, "Architectures": ["x86_64"], "Runtime": "python3.13"}

    def _series(self, query: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
        stat = query["MetricStat"]
        answer = super()._series(query, parameters)
        self.asked = getattr(self, "asked", 0) + 1
        a_second = GB_SECONDS_A_SECOND * 1000 if stat["Metric"]["MetricName"] == "Duration" else 0
        return {**answer, "Values": [float(a_second * stat["Period"])] * len(answer["Values"])}


def scanned(store: Store, aws: Functions) -> ScanOutcome:
    with ThreadPoolExecutor(4) as pool:
        deps = replace(dependencies(store, pool), readers=aws)
        return scan(policy("production", resources=["lambda-function"]), ACCOUNTS, deps, SystemClock())


def test_functions_that_together_reach_the_second_price_share_what_aws_bills_for_them(store: Store) -> None:
    aws = Functions()
    outcome = scanned(store, aws)
    assert outcome.summary.gaps == ()
    found = [part for one in report_of(outcome)["resources"] for part in one["costParts"]]
    durations = [Decimal(one["monthlyCost"]) for one in found if one["dimension"] == "gb_second"]
    units = Decimal(2 * GB_SECONDS_A_SECOND * 3600 * 730)
    first = Decimal(6_000_000_000)
    billed = first * Decimal("0.0000166667") + (units - first) * Decimal("0.000015")
    assert len(durations) == 2
    assert durations[0] == durations[1]
    assert abs(sum(durations) - billed) <= Decimal("0.02")


def test_counting_before_judging_asks_cloudwatch_for_nothing_twice(store: Store) -> None:
    aws = Functions()
    scanned(store, aws)
    # Invocations, duration, the longest one, errors, and memory where it is found: of each function once.
    assert aws.asked == 2 * 4
