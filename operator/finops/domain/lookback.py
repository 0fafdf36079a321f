"""How far back each picture of a metric reaches, in days; used by the policy's schema, its status and the windows.

Source: CloudWatch API reference, GetMetricData: points of 5 minutes are kept for 63 days, points of an hour for 455
days, from which days are put together. A window ends a little before now, so that one as long as the retention begins
before it.
"""

from __future__ import annotations

from typing import Final

HOURS_DAYS: Final = 455
"""The longest lookback: that of hours."""
HOURS_GONE: Final = 2
"""The oldest hours of the longest lookback, which are gone by the time they are asked for: they count as missing."""
FINE_DAYS: Final = 62
"""With 63 days, AWS refuses the period of 5 minutes for the whole window."""
WHOLE_DAYS: Final = 453
"""Days of UTC begin up to a day before the hours that they stand for."""


def out_of_reach(lookback_days: int) -> str:
    """Return which pictures a lookback is too long for and what follows, as sentences; empty when it is not."""
    if lookback_days <= FINE_DAYS:
        return ""
    said = [
        (
            f"spec.metrics.lookbackDays is {lookback_days}, and 5-minute points reach {FINE_DAYS} days back: what days "
            "and hours cannot decide, such as most right-sizing, is not judged."
        )
    ]
    if lookback_days > WHOLE_DAYS:
        said.append(f"Days reach {WHOLE_DAYS} days back, so every resource is read by the hour.")
    if lookback_days == HOURS_DAYS:
        said.append(f"The oldest {HOURS_GONE} hours are no longer kept and count as missing.")
    return " ".join(said)
