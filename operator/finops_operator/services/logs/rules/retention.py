"""The lengths of time that a log group can keep its events for.

Source: CloudWatch Logs API reference, PutRetentionPolicy, `retentionInDays`; CreateLogGroup, `logGroupClass`.
"""

from __future__ import annotations

from typing import Final

RETENTIONS: Final = frozenset(
    {1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731} | {1096, 1827, 2192, 2557, 2922, 3288, 3653}
)
"""Days; AWS refuses every other number."""
KEPT_BY_CLASS: Final = "AWS keeps events of the class Delivery for one day"
"""Why nothing is to be done about a group of that class."""
