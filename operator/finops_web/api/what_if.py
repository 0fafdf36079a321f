"""POST /api/policies/…/what-if: ask what a policy would find with another spec; GET …/what-if/…: the answer."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeAlias

from fastapi import APIRouter, Header, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from finops.crds.scan_policy import ScanPolicy
from finops.domain.report import Savings, StatusSum
from finops.errors import InvalidInput
from finops.store.what_if import Answer, Line, Outcome, Question, Side, WhatIfs
from finops_web.answers import NotThere, number, success
from finops_web.context import Asked, Visit
from finops_web.readings.policies import ScannedPolicy
from finops_web.readings.what_ifs import live_policy, policy_with, with_checks, written

ROUTER = APIRouter(tags=["policies"])
_FormSecret: TypeAlias = Annotated[
    str, Header(max_length=128, description="Of the form, where a browser's session asks; programs need none.")
]
Namespace: TypeAlias = Annotated[str, Path(max_length=63, description="The policy's namespace.")]
Name: TypeAlias = Annotated[str, Path(max_length=253, description="The policy's name.")]
Identifier: TypeAlias = Annotated[str, Path(max_length=64, description="`question` of the answer to the POST.")]
_SIDES: Final = ("actionable", "advice", "blocked")


class WholeSpec(BaseModel):
    """A whole spec to judge the data of the last scan by."""

    model_config = ConfigDict(extra="forbid")

    spec: dict[str, Any] = Field(description="The spec of a ScanPolicy.")


class SomeChecks(BaseModel):
    """Other settings of some checks; the rest of the spec is as the policy has it now."""

    model_config = ConfigDict(extra="forbid")

    checks: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=200)] = Field(
        description="Entries of `spec.checks`, in place of those with the same `id`."
    )


@ROUTER.post("/api/policies/{namespace}/{name}/what-if", status_code=202)
def ask_what_if(
    asked: Visit,
    namespace: Namespace,
    name: Name,
    sent: WholeSpec | SomeChecks,
    response: Response,
    x_form_secret: _FormSecret = "",
) -> dict[str, Any]:
    """Ask what a policy would find with another spec; `Location` says where the answer will be, within minutes.

    Judged are the data of its last scan. AWS is not asked and nothing is changed.
    """
    asked.require_form(x_form_secret)
    policy, live = scanned_of(asked, namespace, name), live_of(asked, namespace, name)
    spec = with_checks(live, sent.checks) if isinstance(sent, SomeChecks) else sent.spec
    try:
        question = put(asked, live, spec)
    except InvalidInput as error:
        hint = error.hint or "correct what is named; docs/kinds.md has every field of a ScanPolicy with its range"
        message = error.message.removeprefix(f"{error.field}: ")
        raise InvalidInput(message, field=error.field or "spec", code="InvalidSpec", hint=hint) from error
    response.headers["Location"] = f"/api/policies/{namespace}/{name}/what-if/{question}"
    data = {"question": question, "namespace": namespace, "policy": name, "state": "Waiting"}
    return success(data, as_of=policy.head.summary.completion_time)


@ROUTER.get("/api/policies/{namespace}/{name}/what-if/{question}")
def what_if(asked: Visit, namespace: Namespace, name: Name, question: Identifier) -> dict[str, Any]:
    """Return where a question of yours stands: `state` is Waiting, Running, Answered, Refused or Failed.

    An answer is kept for 15 minutes. Its `outcome` has what would be new, gone or of another saving.
    """
    found = answer_of(asked, namespace, name, question)
    outcome = found.outcome
    as_of, gaps = (outcome.scanned, outcome.gaps) if outcome is not None else (None, ())
    return success(answer_to_json(found), as_of=as_of, gaps=gaps)


def scanned_of(asked: Asked, namespace: str, name: str) -> ScannedPolicy:
    """Return a policy that the visitor may read. Raises NotThere, StoreUnavailable, ClusterUnavailable."""
    found = next((one for one in asked.policies() if one.key == (namespace, name)), None)
    if found is None:
        raise NotThere(
            f"there is no policy {namespace}/{name} whose scan you may see",
            code="NotFound",
            hint="reading it takes the right to get scanpolicies in its namespace, and its first scan must have ended",
        )
    return found


def live_of(asked: Asked, namespace: str, name: str) -> ScanPolicy:
    """Return a policy as the cluster has it. Raises NotThere, Refused, ClusterUnavailable."""
    found = live_policy(asked.visitor, namespace, name)
    if found is None:
        raise NotThere(
            f"the policy {namespace}/{name} is gone from the cluster",
            code="NotFound",
            hint="what is shown is its last scan",
        )
    return found


def put(asked: Asked, live: ScanPolicy, spec: Mapping[str, Any]) -> str:
    """Put a question in the visitor's name, and return its id.

    Raises:
        InvalidObject: the spec is none.
        InvalidInput: it is too large.
        Refused: too much is asked at once.
        StoreUnavailable: the store does not answer.
    """
    tried = policy_with(live, spec)
    question = Question(
        secrets.token_hex(16),
        live.metadata.namespace or "default",
        live.metadata.name,
        asked.visitor.name[:256],
        asked.parts.clock.now(),
        written(tried),
    )
    WhatIfs(asked.parts.store).ask(question)
    return question.id


def answer_of(asked: Asked, namespace: str, name: str, identifier: str) -> Answer:
    """Return where a question of the visitor stands. Raises NotThere, StoreUnavailable, ClusterUnavailable."""
    scanned_of(asked, namespace, name)
    found = WhatIfs(asked.parts.store).of(identifier)
    about = None if found is None else (found.question.namespace, found.question.policy, found.question.by)
    if found is None or about != (namespace, name, asked.visitor.name[:256]):
        raise NotThere(
            f"there is no question {identifier} of yours any more",
            code="NotFound",
            hint="ask again: without an answer it goes after 5 minutes (does the operator run?), with one after 15",
        )
    return found


def answer_to_json(found: Answer) -> dict[str, Any]:
    """Return an answer, money a month as numbers; `outcome` is null as long as there is none."""
    question = found.question
    return {
        "question": question.id,
        "namespace": question.namespace,
        "policy": question.policy,
        "askedAt": question.at.isoformat(),
        "spec": dict(question.spec),
        "state": found.state.value,
        "message": found.message,
        "hint": found.hint,
        "field": found.field,
        "done": found.done,
        "total": found.total,
        "outcome": None if found.outcome is None else _outcome_to_json(found.outcome),
    }


def _outcome_to_json(outcome: Outcome) -> dict[str, Any]:
    return {
        "scannedAt": outcome.scanned.isoformat(),
        "resources": outcome.resources,
        "unknownResources": outcome.unknown,
        "counts": {change: outcome.counts.get(change, 0) for change in ("New", "Gone", "Changed", "Same")},
        "savings": _savings_to_json(outcome.now, outcome.before),
        "changes": [_line_to_json(one) for one in outcome.lines],
        "changesLeftOut": outcome.left_out,
        "undecided": dict(outcome.undecided),
        "gapsLeftOut": outcome.more_gaps,
        "needsScan": list(outcome.needs_scan),
    }


def _savings_to_json(now: Savings, before: Savings) -> dict[str, Any]:
    def both(name: str) -> dict[str, Any]:
        after, stands = getattr(now, name), getattr(before, name)
        return {"now": _sum_to_json(after), "before": _sum_to_json(stands), "difference": _sum_to_json(after - stands)}

    return {name: both(name) for name in _SIDES}


def _sum_to_json(one: StatusSum) -> dict[str, Any]:
    return {
        "monthly": number(one.monthly_savings),
        "once": number(one.once_savings),
        "count": one.count,
        "unknown": one.unknown,
    }


def _line_to_json(one: Line) -> dict[str, Any]:
    return {
        "change": one.change,
        "check": one.check,
        "action": one.action or None,
        "aim": one.aim,
        "summary": one.summary,
        "resource": {
            "kind": one.kind,
            "id": one.resource,
            "name": one.name,
            "account": one.account,
            "region": one.region,
        },
        "once": one.once,
        "now": _side_to_json(one.now),
        "before": _side_to_json(one.before),
    }


def _side_to_json(one: Side | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {"monthlySavings": number(one.saving), "status": one.status.value, "counted": one.counted}
