"""Parts of a cost history for tests of what is concluded from them."""

from __future__ import annotations

from datetime import date, timedelta

from finops.domain.analytics.series import Part


def flat(first: date, last: date, cost: float = 100.0, *, region: str = "us-east-1") -> Part:
    """Return a part that costs the same on each day."""
    costs = {first + timedelta(days=number): cost for number in range((last - first).days + 1)}
    return Part("1", region, "ec2-instance", costs, dict.fromkeys(costs, 1))
