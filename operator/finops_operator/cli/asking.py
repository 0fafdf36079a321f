"""Shows what a vote would set in motion and asks whether it is meant; called by `approve` and `deny`.

Says what the card in Slack says, from the words that the request carries (`spec.presentation`); a request of an older
operator has none, and is shown by its ids.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import typer

from finops.crds.action_request import ActionRequest
from finops.domain.money import CURRENCY
from finops.domain.quantity import words as in_words
from finops.errors import InvalidInput
from finops_operator.cli.failures import FAILED
from finops_operator.cli.listings import what_of
from finops_operator.cli.output import amount, note
from finops_operator.cli.printable import printable
from finops_operator.cli.tables import fold, terminal_width

_INDENT = 14


def confirm(request: ActionRequest, verb: str, *, yes: bool) -> None:
    """Show the act on stderr and return when the person means it; `yes` was said on the command line.

    Raises:
        InvalidInput: there is nobody to ask.
        typer.Exit: the person says no; nothing was sent.
    """
    for line in preview(request):
        note(line)
    ask(verb, yes=yes)


def ask(verb: str, *, yes: bool) -> None:
    """Return when the person means it. Raises as `confirm`."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise InvalidInput(
            "nobody can be asked: this is not a terminal", field="--yes", hint=f"add --yes to {verb} without a question"
        )
    sys.stderr.write(f"{verb.capitalize()} this? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        note("Nothing was sent.")
        raise typer.Exit(FAILED)


def preview(request: ActionRequest) -> Iterator[str]:
    """Yield the lines that say what would happen, folded to the terminal."""
    spec = request.to_object()["spec"]
    words: Mapping[str, Any] = spec.get("presentation") or {}
    yield from folded(facts_of(request, spec, words))


def folded(facts: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield label and text of facts as lines."""
    for label, text in facts:
        lines = fold(printable(text), max(20, terminal_width() - _INDENT))
        yield f"{label:<{_INDENT}}{lines[0]}".rstrip()
        yield from (" " * _INDENT + line for line in lines[1:])


def facts_of(request: ActionRequest, spec: Mapping[str, Any], words: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield label and text of each line; `words` is the request's presentation, empty when it has none."""
    resource = spec["resource"]
    verb = words.get("verb") or what_of(spec["action"], "", spec.get("parameters", {}))
    named = f" {resource['name']}" if resource.get("name") else ""
    yield "Act", f"{'Dry run: ' if spec.get('dryRun') else ''}{verb}{named}"
    yield "Resource", f"{words.get('kind') or resource['kind']} {resource['id']}, {spec['region']}, {spec['account']}"
    if words.get("change"):
        yield "Change", words["change"]
    yield money_of(spec)
    yield "Why", spec["evidence"].get("reason", "") or spec["evidence"]["check"]
    for number, fact in enumerate(words.get("evidence", ())):
        yield "" if number else "Evidence", f"{fact['label']}: {fact['value']}"
    yield from _consequences(spec, words)
    for number, step in enumerate(spec["plan"], start=1):
        yield "Steps" if number == 1 else "", f"{number}. {step.get('title') or step['operation']}"
    yield from _terms(request)


def money_of(spec: Mapping[str, Any]) -> tuple[str, str]:
    """Return label and text of the line about money: what an act saves, or what its undo costs."""
    estimate = spec["estimate"]
    if estimate.get("monthlySavings") is None:
        unknown = f"unknown: {estimate['savingUnknown']}"
        return ("Costs", f"what it saved again, {unknown}") if "undoes" in spec else ("Saves", unknown)
    before, after = estimate["currentMonthlyCost"], estimate["newMonthlyCost"]
    days = estimate.get("lastsDays")
    often = f"once, in at most {days} days" if days else "a month"
    figures = f"{often} ({amount(before)} → {amount(after)})"
    more = max(Decimal(after) - Decimal(before), Decimal(0))
    if "undoes" in spec or more:
        return "Costs", f"{amount(f'{more}')} {CURRENCY} more {figures}"
    return "Saves", f"{amount(estimate['monthlySavings'])} {CURRENCY} {figures}"


def _consequences(spec: Mapping[str, Any], words: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    risk = words.get("performanceRisk")
    for label, text in (
        ("Expect", words.get("expectation")),
        ("Risk", f"Performance risk {in_words(risk)}" if risk else ""),
        ("Then", words.get("consequence")),
        ("Downtime", words.get("downtime") or ("Yes" if spec["restartNeeded"] else "None")),
        ("Undo", words.get("undo") or ("Possible" if spec["rollbackPossible"] else "Not possible")),
        ("Permanent", "It deletes data." if spec["destructive"] else ""),
    ):
        if text:
            yield label, text
    for warning in words.get("warnings", ()):
        yield "Warning", warning


def _terms(request: ActionRequest) -> Iterator[tuple[str, str]]:
    votes, required = request.status.votes, request.spec.approval.required
    elsewhere = ", one of them outside Slack" if request.spec.approval.step_up else ""
    yield "Approvals", f"{votes.approve if votes is not None else 0} of {required}{elsewhere}"
    yield "Expires", local_time(request.spec.expires_at)


def local_time(instant: datetime) -> str:
    """Return an instant in the reader's time zone, with the zone named."""
    return instant.astimezone().strftime("%Y-%m-%d %H:%M %Z")
