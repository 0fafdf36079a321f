"""An act in words for its request, from what the kind, the check and the action declare; pure.

Called by the proposer once per new request. What is too long for the request is cut at its end, never refused: words
explain an act, only its plan is executed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from finops.crds.presentation import (
    EVIDENCE_FACTS,
    LABEL_CHARACTERS,
    STEPS,
    TEXT_CHARACTERS,
    UNDO_CHARACTERS,
    VALUE_CHARACTERS,
    WARNINGS,
    Presentation,
    PresentedFact,
    StepTitle,
)
from finops.domain.execution import Observation
from finops.domain.plan import Plan
from finops.domain.recommendation import EvidenceFact, Recommendation
from finops.domain.resource import Resource
from finops.domain.tags import owner_of
from finops_operator.plugins.action import Action
from finops_operator.plugins.kind import ResourceKind
from finops_operator.rules.candidates import PresentedAct

_VERB_CHARACTERS: Final = 32
_KIND_CHARACTERS: Final = 48
_URL_CHARACTERS: Final = 1024


def in_words(
    kind: ResourceKind[Any], action: Action, item: Recommendation, observation: Observation, plan: Plan
) -> PresentedAct:
    """Return how a request presents the act that `plan` describes on the resource as it was observed."""
    words = action.words(observation, item.parameters, plan)
    warnings = [cut(text, TEXT_CHARACTERS) for text in action.warnings(observation, item.parameters)]
    back = [step.id for step in action.procedure.compensation(plan)]
    titles = {step: cut(title, LABEL_CHARACTERS) for step, title in words.steps.items()}
    presentation = Presentation(
        verb=cut(words.verb, _VERB_CHARACTERS),
        kind=cut(kind.title, _KIND_CHARACTERS),
        target=cut(words.target, LABEL_CHARACTERS),
        change=cut(words.change, TEXT_CHARACTERS),
        expectation=cut(item.expectation, TEXT_CHARACTERS),
        performance_risk=item.performance_risk.value if item.performance_risk else "",
        consequence=cut(words.consequence, TEXT_CHARACTERS),
        downtime=cut(words.downtime, LABEL_CHARACTERS),
        undo=cut(words.undo, UNDO_CHARACTERS),
        warnings=tuple(warnings[:WARNINGS]),
        evidence=tuple(_presented(fact) for fact in _evidence(item.facts, words.facts)[:EVIDENCE_FACTS]),
        rollback=tuple(StepTitle(id=step, title=titles[step]) for step in back[:STEPS] if step in titles),
        owner=cut(_owner(observation), VALUE_CHARACTERS),
        console_url=_console_url(kind, item, observation),
    )
    return PresentedAct(presentation, titles, action.lasts_days)


def with_warning(words: PresentedAct, text: str) -> PresentedAct:
    """Return the words with one more thing to know before deciding; it comes first, so that no list cuts it."""
    shown = words.presentation
    warnings = (cut(text, TEXT_CHARACTERS), *shown.warnings)[:WARNINGS]
    return replace(words, presentation=shown.model_copy(update={"warnings": warnings}))


def _evidence(found: tuple[EvidenceFact, ...], observed: tuple[EvidenceFact, ...]) -> tuple[EvidenceFact, ...]:
    """Return the evidence of the check, then of the action, whose facts are newer: they replace its own."""
    newer = {fact.label for fact in observed}
    return (*(fact for fact in found if fact.label not in newer), *observed)


def cut(text: str, limit: int) -> str:
    """Return `text` with at most `limit` characters; what is cut ends with an ellipsis."""
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"


def _presented(fact: EvidenceFact) -> PresentedFact:
    return PresentedFact(label=cut(fact.label, LABEL_CHARACTERS), value=cut(fact.value, VALUE_CHARACTERS))


def _tags(observation: Observation) -> dict[str, str]:
    tags = observation.facts.get("tags")
    return {str(key): str(value) for key, value in tags.items()} if isinstance(tags, Mapping) else {}


def _owner(observation: Observation) -> str:
    return owner_of(_tags(observation))


def _console_url(kind: ResourceKind[Any], item: Recommendation, observation: Observation) -> str:
    """Return the link to the resource's page, empty when it is no address that a request can hold."""
    ref = item.resource
    link = kind.console_url(
        Resource(ref.kind, ref.id, ref.arn, ref.name, ref.account, ref.region, observation.text("state"))
    )
    return link if link.startswith("https://") and link.isascii() and len(link) <= _URL_CHARACTERS else ""
