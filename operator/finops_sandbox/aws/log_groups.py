"""Log groups of an estate, and the retention that AWS refuses and moto takes.

Source: CloudWatch Logs API reference, PutRetentionPolicy. Seeded by the seeding module; the gateway asks for refusals
before moto answers.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from finops_sandbox.aws.calls import Call
from finops_sandbox.aws.clock import naive_utc
from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.estate import Place
from finops_sandbox.aws.further_specs import LogGroupSpec

_RETENTIONS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)


PREFIX = "log-group:"
"""Of a log group's name where a resource of any kind is named."""


def _backend(account: str, region: str) -> Any:
    from moto.logs.models import logs_backends  # noqa: PLC0415 - moto loads slowly

    return logs_backends[account][region]


def seed(place: Place, spec: LogGroupSpec, created: datetime) -> None:
    """Put a log group into moto; it keeps its events for ever unless the estate says otherwise."""
    group = _backend(place.account, place.region).create_log_group(spec.name, dict(spec.tags))
    group.creation_time = naive_utc(created)
    group.set_retention_policy(spec.retention)


def shown(account: str, region: str, name: str) -> dict[str, Any]:
    """State of one log group.

    Raises:
        AwsError: there is none of that name.
    """
    group = _backend(account, region).groups.get(name)
    if group is None:
        raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
    return {"id": f"{PREFIX}{name}", "kind": "log-group", "retention": group.retention_in_days}


def change(account: str, region: str, name: str, changes: Mapping[str, Any]) -> None:
    """Change a log group as a person would: `retention` in days or None, `delete`."""
    backend = _backend(account, region)
    shown(account, region, name)
    if "retention" in changes:
        backend.groups[name].set_retention_policy(changes["retention"])
    if changes.get("delete"):
        backend.delete_log_group(name)


def _refuse_retention(call: Call) -> None:
    days = call.parameters.get("retentionInDays")
    if days not in _RETENTIONS:
        listed = ", ".join(map(str, _RETENTIONS))
        message = f"Invalid retention value: {days}. Valid values are: [{listed}]"
        raise AwsError("InvalidParameterException", message)


REFUSALS: dict[tuple[str, str], Callable[[Call], None]] = {("logs", "PutRetentionPolicy"): _refuse_retention}
"""What is asked before moto answers; raises AwsError for what AWS refuses."""
