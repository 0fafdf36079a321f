"""For how long a notebook has been in its state: SageMaker publishes nothing else about its use. Pure."""

from __future__ import annotations

from decimal import Decimal

from finops_operator.plugins.check import Facts, ParameterSpec
from finops_operator.plugins.described import parse_time
from finops_operator.services.sagemaker.notebook import NotebookFacts


def unchanged_days(facts: Facts[NotebookFacts], state: str, least: Decimal) -> int | str:
    """Return the whole days since a notebook in `state` was changed, or why that says nothing yet.

    Any change counts, so that it has been in its state for so long at least.
    """
    own, now = facts.own, facts.resource.state
    since = parse_time(own.notebook_changed_at)
    if now != state:
        return f"it is {now or 'in an unknown state'}, not {state}"
    if not own.tags_known:
        return "its tags could not be read, so it may be protected"
    if since is None:
        return "when it was changed last is not known"
    passed = facts.whole_days_since(since)
    return passed if passed >= least else f"it was changed {passed} days ago, {least} are needed"


def minimum_days(name: str, default: int, change: str) -> ParameterSpec:
    """Return the threshold; `change` is what puts a notebook into the state."""
    return ParameterSpec(
        name=name,
        unit="days",
        default=Decimal(default),
        minimum=Decimal(1),
        maximum=Decimal(365),
        description=f"A notebook that was {change} or changed within this time is left alone.",
    )
