"""Secrets, for the tests of the kind and its checks."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from tests.support.facts import NOW
from tests.support.judging import Bench

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops_operator.services.secretsmanager.secret import KIND

SECRETS: Final = Bench(KIND)
ARN: Final = "arn:aws:secretsmanager:us-east-1:111122223333:secret:shop/database-AbCdEf"


def secret(read_days: float | None = 120, days: float = 365, /, **attributes: Json) -> Resource:
    """Return a secret that was read so many days ago, or never, changed as asked."""
    read = "" if read_days is None else (NOW - timedelta(days=read_days)).date().isoformat()
    facts: dict[str, Json] = {
        "last_accessed": read,
        "replica_of": "",
        "replicated": False,
        "owning_service": "",
        "rotates": False,
        **attributes,
    }
    return Resource(
        kind="secretsmanager-secret",
        id="shop/database-AbCdEf",
        arn=ARN,
        name="shop/database",
        account="111122223333",
        region="us-east-1",
        state="active",
        created=NOW - timedelta(days=days),
        attributes={name: value for name, value in facts.items() if value is not None},
    )
