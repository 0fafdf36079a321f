"""Makes the one call of an intent and says what became of it; called by the act stage alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from finops.domain.canonical import Json
from finops.domain.decision import State
from finops.domain.execution import Result
from finops.errors import (
    AwsCredentialsInvalid,
    AwsDenied,
    AwsError,
    AwsOutcomeUnknown,
    AwsRejected,
    AwsThrottled,
    AwsUnreachable,
)
from finops.ports.aws_steps import StepClient

_MESSAGE_CHARACTERS: Final = 300
_DRY_RUN_PASSED: Final = "DryRunOperation"
"""EC2's code for a dry run whose call would have been permitted; it answers every dry run with an error."""

NOT_CARRIED_OUT: Final = frozenset(
    {
        "InsufficientInstanceCapacity",
        "InsufficientHostCapacity",
        "InsufficientCapacityOnHost",
        "InsufficientCapacity",
        "InsufficientReservedInstanceCapacity",
        "ReservationCapacityExceeded",
        "InsufficientVolumeCapacity",
    }
)
"""EC2's server error codes that say clearly that nothing was done, though they come with status 500 (EC2 API
reference, "Server error codes"). Every other 5xx leaves the outcome unknown."""

CREATED: Final = ("SnapshotId", "ImageId")
"""What an answer tells of a thing that the call made; the ledger keeps it under the same name."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call came to, and what the ledger keeps of it."""

    result: Result
    detail: Mapping[str, Json]


def call_once(client: StepClient, operation: str, parameters: Mapping[str, Any]) -> Answer:
    """Call and classify. Never raises for what AWS or the network did."""
    try:
        answer = client.call(operation, parameters)
    except AwsOutcomeUnknown as error:
        if error.code in NOT_CARRIED_OUT:
            return Answer(Result.REJECTED, _failure(error, retryable=False))
        return Answer(Result.UNKNOWN, _failure(error, retryable=False))
    except (AwsThrottled, AwsUnreachable, AwsCredentialsInvalid) as error:
        return Answer(Result.REJECTED, _failure(error, retryable=True))
    except (AwsRejected, AwsDenied) as error:
        return Answer(Result.REJECTED, _failure(error, retryable=False))
    return Answer(Result.OK, {key: str(answer[key]) for key in CREATED if key in answer})


def says_nothing(answer: Answer) -> bool:
    """Return whether the answer to a dry run leaves open what AWS would say: throttled, unreachable, no credentials."""
    return answer.result is Result.UNKNOWN or answer.detail.get("retryable") is True


def dry_run_end(details: Iterable[Mapping[str, Json]]) -> tuple[State, str]:
    """Return how a dry run ends, by the details of its records: as an act ends whose first call AWS accepts or refuses.

    Args:
        details: of each changing step `operation` and AWS's `code`.
    """
    codes = [(str(detail.get("operation")), str(detail.get("code") or "no dry run")) for detail in details]
    lines = [f"{name} {'is permitted' if code == _DRY_RUN_PASSED else f'is refused ({code})'}" for name, code in codes]
    passed = all(code == _DRY_RUN_PASSED for _, code in codes)
    return State.SUCCEEDED if passed else State.ROLLED_BACK, f"Dry run, nothing was changed: {', '.join(lines)}."


def _failure(error: AwsError, *, retryable: bool) -> dict[str, Json]:
    return {"code": error.code, "message": error.message[:_MESSAGE_CHARACTERS], "retryable": retryable}
