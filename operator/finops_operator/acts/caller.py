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
from finops_operator.plugins.action import CallRules

_MESSAGE_CHARACTERS: Final = 300
NO_DRY_RUN: Final = "NoDryRun"
"""Our own code of a dry run that was not made because the API has none."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call came to, and what the ledger keeps of it."""

    result: Result
    detail: Mapping[str, Json]


NOT_CALLED: Final = Answer(
    Result.REJECTED,
    {
        "code": "NotObserved",
        "message": "no call was made: too much time had passed since the resource was observed",
        "retryable": True,
    },
)
"""Our own answer where an announced call was not made; what forbids it is judged anew before the next attempt."""


def call_once(
    client: StepClient, operation: str, parameters: Mapping[str, Any], rules: CallRules, *, unanswered: bool = False
) -> Answer:
    """Call and classify by the action's rules. Never raises for what AWS or the network did.

    `unanswered` says that an earlier attempt of the same step had no answer, and that nothing was seen of it so far.
    """
    try:
        answer = client.call(operation, parameters)
    except AwsOutcomeUnknown as error:
        if error.code in rules.not_done:
            return Answer(Result.REJECTED, _failure(error, retryable=False))
        return Answer(Result.UNKNOWN, _failure(error, retryable=False))
    except (AwsThrottled, AwsUnreachable, AwsCredentialsInvalid) as error:
        return Answer(Result.REJECTED, _failure(error, retryable=True))
    except (AwsRejected, AwsDenied) as error:
        if unanswered and error.code in rules.repeated:
            # The earlier attempt may be the reason for the refusal.
            return Answer(Result.UNKNOWN, _failure(error, retryable=False))
        return Answer(Result.REJECTED, _failure(error, retryable=False))
    # What the call named itself, such as the snapshot that a volume is made from, is nothing that it made.
    named = list(parameters.values())
    made = {key: str(answer[key]) for key in rules.created if key in answer and answer[key] not in named}
    # AWS's word for people who read the ledger, ours for the executor that reads it back.
    return Answer(Result.OK, {**made, **({"created": next(iter(made.values()))} if made else {})})


def says_nothing(answer: Answer) -> bool:
    """Return whether the answer to a dry run leaves open what AWS would say: throttled, unreachable, no credentials."""
    return answer.result is Result.UNKNOWN or answer.detail.get("retryable") is True


def dry_run_once(client: StepClient, operation: str, parameters: Mapping[str, Any], rules: CallRules) -> Answer:
    """Ask whether a call would be permitted; a call of an API without dry runs is not made at all."""
    if not rules.dry_run_passed:
        return Answer(Result.OK, {"code": NO_DRY_RUN, "message": "its API has no dry run", "retryable": False})
    return call_once(client, operation, {**parameters, "DryRun": True}, rules)


def dry_run_end(details: Iterable[Mapping[str, Json]], rules: CallRules) -> tuple[State, str]:
    """Return how a dry run ends, by the details of its records: as an act ends whose first call AWS accepts or refuses.

    Args:
        details: of each changing step `operation` and AWS's `code`.
        rules: which code says that a call is permitted.
    """
    codes = [(str(detail.get("operation")), str(detail.get("code") or "no dry run")) for detail in details]
    passed = all(code in {rules.dry_run_passed, NO_DRY_RUN} for _, code in codes)
    lines = [f"{name} {_dry_run_word(code, rules)}" for name, code in codes]
    return State.SUCCEEDED if passed else State.ROLLED_BACK, f"Dry run, nothing was changed: {', '.join(lines)}."


def _dry_run_word(code: str, rules: CallRules) -> str:
    if code == NO_DRY_RUN:
        return "was not asked about (its API has no dry run)"
    return "is permitted" if code == rules.dry_run_passed else f"is refused ({code})"


def _failure(error: AwsError, *, retryable: bool) -> dict[str, Json]:
    return {"code": error.code, "message": error.message[:_MESSAGE_CHARACTERS], "retryable": retryable}
