"""GET /policies/NAMESPACE/NAME: one policy, and what it would find with another spec."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from finops.crds.scan_policy import ScanPolicy
from finops.domain.report import Change
from finops.errors import InvalidInput, Refused
from finops.store.recommendations import RecommendationStore
from finops.store.what_if import Answer, KnownCheck, Line, State, WhatIfs
from finops_web.api.what_if import answer_of, answer_to_json, live_of, put, scanned_of
from finops_web.context import Asked, Visit
from finops_web.readings.policies import ScannedPolicy, trust_in
from finops_web.readings.what_ifs import (
    LONGEST_TEXT,
    Problem,
    as_yaml,
    differences,
    problems_in,
    spec_in,
    with_thresholds,
    written,
)
from finops_web.rendering import csv_of, render

ROUTER = APIRouter(include_in_schema=False)
_MOST_VALUES: Final = 20
_CSV: Final = (
    *("change", "check", "action", "aim", "kind", "resource", "name", "account", "region"),
    *("monthlySavings", "status", "monthlySavingsBefore", "statusBefore", "summary"),
)
_SECTIONS: Final = (
    (Change.NEW, "Would be found", "Nothing more would be found."),
    (Change.GONE, "Would no longer be found", "Everything that stands would still be found."),
    (Change.CHANGED, "With another saving", ""),
    (Change.UNDECIDED, "Only a scan can say whether these would still be found", ""),
)


@dataclass(frozen=True, slots=True)
class Asking:
    """What the forms of the page hold.

    Attributes:
        check: whose thresholds are shown.
        values, runs: what was sent of it; None: nothing yet.
        text: the spec as YAML.
        open_text: whether it is what the person works on.
    """

    check: str = ""
    values: Mapping[str, str] | None = None
    runs: bool = True
    text: str = ""
    open_text: bool = False
    problems: tuple[Problem, ...] = ()


@ROUTER.get("/policies/{namespace}/{name}")
def policy(asked: Visit, request: Request, namespace: str, name: str, check: str = "", again: str = "") -> Response:
    """Show a policy; `check` has its thresholds opened, `again` the spec of an earlier question."""
    asking = Asking(check[:200])
    if again:
        spec = answer_of(asked, namespace, name, again).question.spec
        asking = Asking(check[:200], text=as_yaml(spec), open_text=True)
    return _page(asked, request, scanned_of(asked, namespace, name), asking)


@ROUTER.post("/policies/{namespace}/{name}/what-if")
def ask(
    asked: Visit,
    request: Request,
    namespace: str,
    name: str,
    form_secret: Annotated[str, Form(max_length=128)] = "",
    check: Annotated[str, Form(max_length=200)] = "",
    runs: Annotated[str, Form(max_length=8)] = "",
    parameter: Annotated[list[str] | None, Form(max_length=_MOST_VALUES)] = None,
    value: Annotated[list[str] | None, Form(max_length=_MOST_VALUES)] = None,
    text: Annotated[str, Form(max_length=LONGEST_TEXT)] = "",
) -> Response:
    """Put a question and show where its answer will be; with what cannot be taken, the page again."""
    asked.require_form(form_secret)
    found, live = scanned_of(asked, namespace, name), live_of(asked, namespace, name)
    values = dict(zip(parameter or (), value or (), strict=False))
    asking = Asking(check, values, runs == "yes", text, open_text=not check)
    try:
        if check:
            spec = with_thresholds(live, _known(asked, check), enabled=asking.runs, values=values)
        else:
            spec = spec_in(text)
        question = put(asked, live, spec)
    except InvalidInput as error:
        return _page(asked, request, found, replace(asking, problems=problems_in(error, text)), status=422)
    except Refused as error:
        problems = (Problem("", error.message, error.hint),)
        return _page(asked, request, found, replace(asking, problems=problems), status=403)
    return RedirectResponse(f"/policies/{namespace}/{name}/what-if/{question}", status_code=303)


@ROUTER.get("/policies/{namespace}/{name}/what-if/{question}.json")
def answer_json(asked: Visit, namespace: str, name: str, question: str) -> Response:
    """Return where a question stands as data."""
    return JSONResponse(answer_to_json(answer_of(asked, namespace, name, question)))


@ROUTER.get("/policies/{namespace}/{name}/what-if/{question}.csv")
def answer_csv(asked: Visit, namespace: str, name: str, question: str) -> Response:
    """Return what would differ for a spreadsheet."""
    outcome = answer_of(asked, namespace, name, question).outcome
    return csv_of(_CSV, map(_csv_row, outcome.lines if outcome is not None else ()), "what-if")


@ROUTER.get("/policies/{namespace}/{name}/what-if/{question}")
def answer(asked: Visit, request: Request, namespace: str, name: str, question: str) -> Response:
    """Show where a question stands; with script the page follows, without it is opened again."""
    found, shown = scanned_of(asked, namespace, name), answer_of(asked, namespace, name, question)
    outcome = shown.outcome
    lines = outcome.lines if outcome is not None else ()
    return render(
        asked,
        request,
        "what_if.html",
        title=f"What {found.title} would find",
        trust=None,
        policy=found,
        answer=shown,
        outcome=outcome,
        waits=shown.state in {State.WAITING, State.RUNNING},
        newer=outcome is not None and found.head.summary.completion_time > outcome.scanned,
        sections=[
            (head, none, [one for one in lines if one.change == change.value], _count(shown, change))
            for change, head, none in _SECTIONS
        ],
        same=_count(shown, Change.SAME),
        differs=differences(live_of(asked, namespace, name), shown.question.spec),
        field_line=_line_in(shown),
    )


def _page(asked: Asked, request: Request, found: ScannedPolicy, asking: Asking, status: int = 200) -> Response:
    live, summary = live_of(asked, *found.key), found.head.summary
    checks = _checks(asked, live)
    chosen = next((one for one in checks if one.id == asking.check), None)
    stored = RecommendationStore(asked.parts.store)
    counts = Counter(one.check for one in stored.stream(found.key, found.head.generation) if one.counted)
    shown = render(
        asked,
        request,
        "policy.html",
        title=found.title,
        trust=trust_in(
            (found,), summary.resources, summary.resources - summary.unpriced_resources, asked.parts.clock.now()
        ),
        policy=found,
        live=live,
        asking=asking,
        checks=checks,
        finding=sorted((one for one in checks if counts[one.id]), key=lambda one: (-counts[one.id], one.id)),
        counts=counts,
        chosen=chosen,
        setting=_setting(live, chosen, asking),
        text=asking.text or as_yaml(written(live)),
    )
    shown.status_code = status
    return shown


def _checks(asked: Asked, live: ScanPolicy) -> tuple[KnownCheck, ...]:
    kinds = set(live.spec.resources)
    return tuple(one for one in WhatIfs(asked.parts.store).checks() if not kinds or kinds & set(one.kinds))


def _known(asked: Asked, check: str) -> KnownCheck:
    found = next((one for one in WhatIfs(asked.parts.store).checks() if one.id == check), None)
    if found is None:
        raise InvalidInput(f"there is no check {check}", field="check", hint="choose one of the list")
    return found


def _setting(live: ScanPolicy, check: KnownCheck | None, asking: Asking) -> dict[str, Any]:
    """Return whether a check runs, and its thresholds: as they were sent, else as they are live."""
    if check is None:
        return {}
    has = next((one for one in live.spec.checks if one.id == check.id), None)
    is_live = has is None or has.enabled
    given = {} if has is None else {name: f"{value.normalize():f}" for name, value in has.parameters.items()}
    values = {one.name: given.get(one.name, f"{one.default.normalize():f}") for one in check.thresholds}
    if asking.values is not None:
        return {"live": is_live, "runs": asking.runs, "values": {**values, **asking.values}}
    return {"live": is_live, "runs": is_live, "values": values}


def _count(shown: Answer, change: Change) -> int:
    return shown.outcome.counts.get(change.value, 0) if shown.outcome is not None else 0


def _line_in(shown: Answer) -> int:
    """Return in which line of the spec that "ask again" opens the field stands that cannot be taken; 0: in none."""
    if not shown.field:
        return 0
    error = InvalidInput(shown.message, field=shown.field)
    return problems_in(error, as_yaml(shown.question.spec))[0].line


def _csv_row(one: Line) -> dict[str, Any]:
    now, before = one.now, one.before
    return {
        "change": one.change,
        "check": one.check,
        "action": one.action,
        "aim": one.aim,
        "kind": one.kind,
        "resource": one.resource,
        "name": one.name,
        "account": one.account,
        "region": one.region,
        "monthlySavings": None if now is None else now.saving,
        "status": None if now is None else now.status.value,
        "monthlySavingsBefore": None if before is None else before.saving,
        "statusBefore": None if before is None else before.status.value,
        "summary": one.summary,
    }
