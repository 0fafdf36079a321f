"""What its owner, a person or the policy has put out of reach of an act; called by the preflights of all actions.

`finops_operator.plugins.ownership` knows who owns what, and turns a recommendation into advice with the same list; here
it is asked again with the tags as they are just before the act.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Final

from finops_operator.plugins.action import PolicyFacts, Refusal
from finops_operator.plugins.ownership import Owner, Sign, owners
from finops_operator.rules.readiness import protecting_tags

_STOP_OPT_OUT: Final = "DoNotStop"


def protected(tags: Mapping[str, str], facts: PolicyFacts) -> tuple[Refusal, ...]:
    """Refuse what its owner or the policy has put out of reach by a tag."""
    return tuple(Refusal("Protected", sentence) for sentence in protecting_tags(tags, facts.protect_tags))


def stop_opt_out(tags: Mapping[str, str]) -> tuple[Refusal, ...]:
    """Refuse instances that carry DoNotStop, whatever its value."""
    return (Refusal("Protected", "The tag DoNotStop is set."),) if _STOP_OPT_OUT in tags else ()


def controlled(tags: Mapping[str, str], signs: tuple[Sign, ...] = ()) -> tuple[Refusal, ...]:
    """Refuse what a controller watches over, naming the nearest one: it replaces or restarts what it owns."""
    controllers = (owner for owner in owners(tags, signs) if not owner.is_template)
    return tuple(_refusal("OwnedByController", owner) for owner in islice(controllers, 1))


def described_by_template(tags: Mapping[str, str], signs: tuple[Sign, ...] = ()) -> tuple[Refusal, ...]:
    """Refuse a change of settings that a template would revert when it is applied again."""
    return tuple(_refusal("OwnedByTemplate", owner) for owner in owners(tags, signs) if owner.is_template)


def template_owners(tags: Mapping[str, str], signs: tuple[Sign, ...] = ()) -> tuple[str, ...]:
    """Name the templates that will see a drift."""
    return tuple(owner.system for owner in owners(tags, signs) if owner.is_template)


def _refusal(code: str, owner: Owner) -> Refusal:
    return Refusal(code, f"It belongs to {owner.system}, which would revert or break the act. {owner.instead}")
