"""Service Quotas of EC2: the limits of running on-demand vCPUs, which moto does not have, and the metric of their use.

Every limit is the same until a test sets another in `FurtherFacts.quotas`. A code that is not of these is answered as
AWS answers one that does not exist. Source: Service Quotas API reference, GetServiceQuota and ListServiceQuotas.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from finops_sandbox.aws.calls import Call
from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.wire import Answer

_LIMIT = 1152
_PAGE = 100
_JSON = (("content-type", "application/x-amz-json-1.1"),)
# Code → the word of AWS's usage metric, the name, and the first letters of the types that it counts.
_QUOTAS: dict[str, tuple[str, str, frozenset[str]]] = {
    "L-1216C47A": (
        "Standard/OnDemand",
        "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances",
        frozenset({"a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"}),
    ),
    "L-DB2E81BA": ("G/OnDemand", "Running On-Demand G and VT instances", frozenset({"g", "gr", "vt"})),
    "L-417A185B": ("P/OnDemand", "Running On-Demand P instances", frozenset({"p"})),
    "L-7295265B": ("X/OnDemand", "Running On-Demand X instances", frozenset({"x"})),
    "L-1945791B": ("Inf/OnDemand", "Running On-Demand Inf instances", frozenset({"inf"})),
}


def _get(call: Call) -> Answer:
    code = str(call.parameters.get("QuotaCode"))
    if call.parameters.get("ServiceCode") != "ec2" or code not in _QUOTAS:
        raise AwsError("NoSuchResourceException", "The request failed because the specified quota does not exist.")
    return _answer({"Quota": _quota(call, code)})


def _list(call: Call) -> Answer:
    """A page of the quotas, a hundred at most, by the number of the first in its token."""
    if call.parameters.get("ServiceCode") != "ec2":
        raise AwsError("NoSuchResourceException", "The request failed because the specified service does not exist.")
    start = _number(call.parameters.get("NextToken", "0"), "InvalidPaginationTokenException")
    size = _number(call.parameters.get("MaxResults", _PAGE), "IllegalArgumentException")
    if not 1 <= size <= _PAGE:
        raise AwsError("IllegalArgumentException", f"MaxResults must be between 1 and {_PAGE}.")
    page = [_quota(call, code) for code in sorted(_QUOTAS)[start : start + size]]
    more = {"NextToken": str(start + size)} if start + size < len(_QUOTAS) else {}
    return _answer({"Quotas": page, **more})


def _number(text: Any, code: str) -> int:
    if not str(text).isdigit():
        raise AwsError(code, f"{text!r} is no number that this service gave or takes.")
    return int(text)


def _answer(content: Mapping[str, Any]) -> Answer:
    return Answer(200, _JSON, json.dumps(content).encode())


def _quota(call: Call, code: str) -> dict[str, Any]:
    word, name, _ = _QUOTAS[code]
    return {
        "ServiceCode": "ec2",
        "ServiceName": "Amazon Elastic Compute Cloud (Amazon EC2)",
        "QuotaCode": code,
        "QuotaName": name,
        "Value": float(call.estate.further.quotas.get((call.account, call.region, code), _LIMIT)),
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
        "UsageMetric": {
            "MetricNamespace": "AWS/Usage",
            "MetricName": "ResourceCount",
            "MetricDimensions": _dimensions(word),
            "MetricStatisticRecommendation": "Maximum",
        },
    }


def _dimensions(word: str) -> dict[str, str]:
    return {"Service": "EC2", "Type": "Resource", "Resource": "vCPU", "Class": word}


def vcpus_in_use(dimensions: Mapping[str, str], running: Iterable[tuple[str, int]]) -> int | None:
    """Return what a metric of AWS/Usage counts of the running instances' types and vCPUs; None: no such metric."""
    for word, _, letters in _QUOTAS.values():
        if dict(dimensions) == _dimensions(word):
            return sum(count for kind, count in running if _letters(kind) in letters)
    return None


def _letters(kind: str) -> str:
    found = re.match("[a-z]+", kind)
    return found.group() if found else ""


HANDLERS: dict[tuple[str, str], Callable[[Call], Answer]] = {
    ("servicequotas", "GetServiceQuota"): _get,
    ("servicequotas", "ListServiceQuotas"): _list,
}
