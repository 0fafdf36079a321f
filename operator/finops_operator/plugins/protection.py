"""What its owner, a person or the policy has put out of reach of an act; called by the preflights of all actions.

`finops_operator.plugins.ownership` knows who owns what, and turns a recommendation into advice with the same list; here
it is asked again with the tags as they are just before the act.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Final

from finops.domain.execution import Observation
from finops_operator.plugins.action import PolicyFacts, Refusal
from finops_operator.plugins.ownership import Owner, Sign, owners
from finops_operator.rules.readiness import protecting_tags

_STOP_OPT_OUT: Final = "DoNotStop"
_HOLDS: Final = ("legalhold", "litigationhold")
"""Words by which people mark what a court or an authority makes them keep as it is."""
DELETION_WORDS: Final = ("donotdelete", "archive", "audit", "compliance", "retention")
"""Further words in tag keys by which people mark copies of data that a law, a contract or an audit makes them keep."""


def observed_tags(observation: Observation) -> Mapping[str, str]:
    """Return the fact `tags` of an observation as texts; none where it was not read."""
    found = observation.facts.get("tags")
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, Mapping) else {}


def tag_refusals(
    tags: Mapping[str, str], facts: PolicyFacts, signs: tuple[Sign, ...] = (), further: tuple[str, ...] = ()
) -> tuple[Refusal, ...]:
    """Refuse what the policy, a law, a controller or a template has put out of reach: the head of most preflights.

    Args:
        tags: as AWS has them.
        facts: of the policy.
        signs: of owners that only this kind of resource has.
        further: words in tag keys that mark what must be kept, see `kept`.
    """
    return (
        *protected(tags, facts),
        *kept(tags, further),
        *controlled(tags, signs),
        *described_by_template(tags, signs),
    )


def protected(tags: Mapping[str, str], facts: PolicyFacts) -> tuple[Refusal, ...]:
    """Refuse what its owner or the policy has put out of reach by a tag."""
    return tuple(Refusal("Protected", sentence) for sentence in protecting_tags(tags, facts.protect_tags))


def stop_opt_out(tags: Mapping[str, str]) -> tuple[Refusal, ...]:
    """Refuse what carries DoNotStop, whatever its value and however it is written."""
    marked = any(_letters(key).startswith(_letters(_STOP_OPT_OUT)) for key in tags)
    return (Refusal("Protected", f"The tag {_STOP_OPT_OUT} is set."),) if marked else ()


def kept(tags: Mapping[str, str], further: tuple[str, ...] = ()) -> tuple[Refusal, ...]:
    """Refuse what a tag marks as kept by law or contract, in its key or its value, whatever the value says.

    Args:
        tags: as AWS has them.
        further: words that count in a key alone, in small letters without spaces or signs: as values they also name
            teams and purposes.
    """
    marked = any(
        any(word in _letters(text) for text in (key, value) for word in _HOLDS)
        or any(word in _letters(key) for word in further)
        for key, value in tags.items()
    )
    return (Refusal("KeptByTag", "One of its tags says that it must be kept."),) if marked else ()


def _letters(text: str) -> str:
    """Return letters and digits in small: `legal hold`, `Legal_Hold` and `legal-hold=true` mean the same."""
    return "".join(sign for sign in text.casefold() if sign.isalnum())


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
