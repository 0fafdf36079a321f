"""What a domain that serves is called, and the names under which CloudWatch keeps its metrics.

Source: "Monitoring OpenSearch cluster metrics with Amazon CloudWatch", Amazon OpenSearch Service developer guide.
"""

from __future__ import annotations

from typing import Final

ACTIVE: Final = "active"
_ACCOUNT: Final = "ClientId"
DIMENSION: Final = "DomainName"


def named(account: str, domain: str) -> tuple[tuple[str, str], ...]:
    """Return the dimensions under which CloudWatch keeps a domain's metrics."""
    return (_ACCOUNT, account), (DIMENSION, domain)
