"""Slack's rate limits as token buckets, and a measure of how fast the app really posts.

Tiers are per method, workspace and app; chat.postMessage has one bucket per channel (one a second, short bursts) and
one for the workspace ("several hundred a minute"). Figures: docs.slack.dev/apis/web-api/rate-limits. The dispatcher
asks before every call; the control API switches the mode and reads the measures.
"""

import math
from collections import Counter, deque
from dataclasses import dataclass
from typing import Literal

from finops_sandbox.slack.clock import Clock
from finops_sandbox.slack.model import Json

Mode = Literal["off", "normal", "strict"]

TIER_PER_MINUTE = {"tier1": 1, "tier2": 20, "tier3": 50, "tier4": 100, "special": 600}
POST_BURST = {"normal": 3.0, "strict": 1.0}
WORKSPACE_POSTS_PER_MINUTE = 300
# Slack does not publish the burst of a tier. Normal allows a whole minute's worth at once, strict a tenth.
TIER_BURST_SHARE = {"normal": 1.0, "strict": 0.1}
MEASURED_SECONDS = (1.0, 10.0)


@dataclass(slots=True)
class Bucket:
    """A token bucket: `capacity` at once, then `per_second`."""

    capacity: float
    per_second: float
    level: float
    at: float

    def refill(self, now: float) -> None:
        """Let the time since the last call flow in."""
        self.level = min(self.capacity, self.level + (now - self.at) * self.per_second)
        self.at = now

    def wait_seconds(self) -> float:
        """Return how long until one call fits; 0 if it fits now."""
        # Floating point: nine tenths of a second and one tenth must make a whole token.
        return max(0.0, (1.0 - 1e-9 - self.level) / self.per_second)


class RateLimiter:
    """Decides 429s and keeps the measures."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.mode: Mode = "normal"
        self.reset()

    def reset(self) -> None:
        """Fill all buckets and forget the measures; the mode stays."""
        self._buckets: dict[str, Bucket] = {}
        self._blocked_until: dict[str, float] = {}
        self._recent: dict[str, deque[float]] = {}
        self._peak: dict[str, dict[str, int]] = {}
        self._posts: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._impatient: Counter[str] = Counter()

    def check(self, method: str, tier: str, channel: str = "") -> int:
        """Account for one call. Returns 0 if it may pass, else the whole seconds for Retry-After."""
        now = self._clock.now()
        keys = self._keys(method, tier, channel)
        blocked = [key for key in keys if self._blocked_until.get(key, 0.0) > now]
        for key in blocked:
            self._impatient[key] += 1
        if self.mode == "off":
            return 0
        buckets = [self._bucket(key, capacity, rate, now) for key, (capacity, rate) in keys.items()]
        wait = max(bucket.wait_seconds() for bucket in buckets)
        if wait > 0:
            seconds = max(1, math.ceil(wait))
            self.block(method, tier, channel, seconds)
            return seconds
        for bucket in buckets:
            bucket.level -= 1.0
        return 0

    def block(self, method: str, tier: str, channel: str, seconds: int) -> None:
        """Note that a 429 was given, so that calls made too early can be counted."""
        self._refused[method] += 1
        # A 429 on posting speaks about the channel, unless none was named.
        key = next(iter(self._keys(method, tier, channel)))
        self._blocked_until[key] = self._clock.now() + seconds

    def posted(self, channel: str) -> None:
        """Measure one message that was really posted."""
        now = self._clock.now()
        recent = self._recent.setdefault(channel, deque())
        recent.append(now)
        while recent[0] <= now - max(MEASURED_SECONDS):
            recent.popleft()
        self._posts[channel] += 1
        peak = self._peak.setdefault(channel, {})
        for window in MEASURED_SECONDS:
            count = sum(1 for at in recent if at > now - window)
            name = f"max_in_{window:g}s"
            peak[name] = max(peak.get(name, 0), count)

    def rates(self) -> Json:
        """Return posts per channel with their peaks, 429s per method, and calls made before Retry-After was over."""
        return {
            "mode": self.mode,
            "channels": {
                channel: {"posts": self._posts[channel], **self._peak.get(channel, {})} for channel in self._posts
            },
            "refused": dict(self._refused),
            "calls_inside_retry_after": dict(self._impatient),
        }

    def _keys(self, method: str, tier: str, channel: str) -> dict[str, tuple[float, float]]:
        if method == "chat.postMessage":
            burst = POST_BURST.get(self.mode, 1.0)
            workspace = float(WORKSPACE_POSTS_PER_MINUTE)
            return {f"{method}:{channel}": (burst, 1.0), method: (workspace, workspace / 60.0)}
        per_minute = TIER_PER_MINUTE[tier]
        burst = max(1.0, per_minute * TIER_BURST_SHARE.get(self.mode, 1.0))
        return {method: (burst, per_minute / 60.0)}

    def _bucket(self, key: str, capacity: float, per_second: float, now: float) -> Bucket:
        bucket = self._buckets.get(key)
        if bucket is None or bucket.capacity != capacity:
            bucket = self._buckets[key] = Bucket(capacity, per_second, capacity, now)
        bucket.refill(now)
        return bucket
