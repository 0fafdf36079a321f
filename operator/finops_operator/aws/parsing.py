"""Two levers on botocore's parser, installed on every session: times stay text, metric points skip the shape walker.

Called by `session.py`. Building a datetime per field costs half of a page's CPU, and GetMetricData carries 100,000
points a request: over them the shape walker takes fifteen times as long as `orjson.loads`. Answers that are not
plain successful JSON (errors, another protocol) go the SDK's own way, so throttling is still seen.
"""

from __future__ import annotations

from array import array
from typing import Any, Final

import orjson

GET_METRIC_DATA_EVENT: Final = "before-parse.cloudwatch.GetMetricData"
_OK: Final = 200
_RESULTS: Final = "MetricDataResults"


def keep_text(value: Any) -> str:
    """Parse a timestamp to the text AWS sent."""
    return str(value)


def take_metric_points(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_ignored: Any
) -> None:
    """Take the results out of a GetMetricData answer before botocore parses the rest of it.

    Timestamps then are arrays of seconds since the epoch, as the JSON protocol sends them.
    """
    if response_dict.get("status_code") != _OK:
        return
    headers = response_dict.get("headers") or {}
    if "json" not in str(headers.get("content-type", "")).lower():
        return
    try:
        body = orjson.loads(response_dict["body"])
    except orjson.JSONDecodeError:
        return
    if not isinstance(body, dict):
        return
    results = body.pop(_RESULTS, [])
    for result in results:
        _pack(result)
    customized_response_dict[_RESULTS] = results
    response_dict["body"] = orjson.dumps(body)


def _pack(result: dict[str, Any]) -> None:
    """Turn a series into arrays at once: 100,000 float objects kept would be 7 MB a thread."""
    for key in ("Timestamps", "Values"):
        numbers = result.get(key)
        if isinstance(numbers, list):
            try:
                result[key] = array("d", numbers)
            except TypeError:
                return
