"""One call to Slack: counted, and the SDK's errors translated into ours. Nothing is sent twice here."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Mapping
from typing import Any

from slack_sdk.errors import SlackApiError

from finops_slackbot.metrics import Metrics
from finops_slackbot.slack_errors import SlackRateLimited, SlackRefused, SlackUnavailable


class SlackWeb:
    """Makes calls and counts how they came out."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def count(self, method: str, result: str) -> None:
        """Count one call."""
        self._metrics.slack_calls.labels(method, result).inc()

    def call(self, method: str, send: Callable[[], Any]) -> dict[str, Any]:
        """Make one call of `method` by `send`, and return Slack's answer.

        Raises:
            SlackRefused, SlackRateLimited, SlackUnavailable: see `slack_errors`.
        """
        try:
            answer = send()
        except SlackApiError as error:
            raise self._translated(method, error) from error
        except (OSError, http.client.HTTPException) as error:
            raise self.lost(method, error) from error
        self.count(method, "ok")
        data: dict[str, Any] = answer.data
        return data

    def _translated(self, method: str, error: SlackApiError) -> Exception:
        response: Any = error.response
        # The SDK gives its own class for JSON answers, a plain dictionary for everything else.
        by_sdk = not isinstance(response, dict)
        status = int(response.status_code if by_sdk else response.get("status", 0))
        headers: Mapping[str, Any] = response.headers if by_sdk else response.get("headers", {})
        code = str(response.get("error") or "") if by_sdk else ""
        self.count(method, code or str(status))
        if status == http.HTTPStatus.TOO_MANY_REQUESTS or code == "ratelimited":
            return SlackRateLimited(method, _seconds(headers))
        if status != http.HTTPStatus.OK or not code:
            return SlackUnavailable(method, f"HTTP status {status}")
        detail = response.get("needed") or "; ".join((response.get("response_metadata") or {}).get("messages", [])[:3])
        if code in {"internal_error", "fatal_error", "service_unavailable", "request_timeout"}:
            # Slack's own words for "it may or may not have happened".
            return SlackUnavailable(method, code)
        return SlackRefused(method, code, str(detail or ""))

    def lost(self, method: str, error: Exception) -> SlackUnavailable:
        """Count a call whose answer never came, and return the error to raise."""
        self.count(method, "lost")
        return SlackUnavailable(method, f"{type(error).__name__}: {error}")


def _seconds(headers: Mapping[str, Any]) -> int:
    value = next((value for name, value in headers.items() if name.lower() == "retry-after"), "30")
    text = str(value[0] if isinstance(value, list) else value)
    return max(1, int(text)) if text.isdecimal() else 30
