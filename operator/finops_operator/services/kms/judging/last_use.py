"""For how long a key was not used, as far as KMS knows, and what follows from it. Pure; shared by the checks."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from finops.domain.recommendation import EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Facts, Parameters, ParameterSpec
from finops_operator.plugins.described import parse_time
from finops_operator.plugins.window import too_young
from finops_operator.services.kms.key import KeyFacts


def deletion(
    check: str, facts: Facts[KeyFacts], parameters: Parameters, state: str, opening: str
) -> Finding | NotRecommended:
    """Return the finding that a key in `state` can be deleted, or why not; its summary begins with `opening`."""
    least = parameters["minimumUnusedDays"]
    passed = _unused_days(facts, state, least)
    if isinstance(passed, str):
        return NotRecommended(check, facts.resource.id, passed)
    return Finding(
        check=check,
        action="",
        parameters={},
        new_monthly_cost=Decimal(0),
        evidence={"unusedDays": passed, "thresholdUnusedDays": str(least)},
        summary=f"{opening}KMS knows of no use of it for {passed} days.",
        facts=_key_facts(facts.own, passed),
    )


def _unused_days(facts: Facts[KeyFacts], state: str, least: Decimal) -> int | str:
    """Return for how many days a key in `state` was surely not used, or why it may not be judged.

    A key that AWS knows no use of was not used since it was made, or since AWS began to keep that, the later of both.
    """
    own, created = facts.own, facts.resource.created
    if facts.resource.state != state:
        return f"it is {facts.resource.state or 'in an unknown state'}, not {state}"
    if not own.tags_known:
        return "its tags could not be read, so it may be protected"
    young = too_young(facts, least)
    if young or created is None:
        return young
    since = _unused_since(own, created)
    if since is None:
        return "when it was used last is not known"
    passed = (facts.now - since) // timedelta(days=1)
    if passed < least:
        how = f"it was used {passed} days ago" if own.last_used else f"its use is known of {passed} days"
        return f"{how}, {least} are needed"
    return passed


def _unused_since(own: KeyFacts, created: datetime) -> datetime | None:
    if own.last_used:
        return parse_time(own.last_used)
    tracked = parse_time(own.use_tracked_since)
    return None if own.last_used is None or tracked is None else max(created, tracked)


def _key_facts(own: KeyFacts, passed: int) -> tuple[EvidenceFact, ...]:
    """Return what a person must know before the key is deleted."""
    return (
        EvidenceFact(
            "Used last", own.last_used[:10] if own.last_used else f"not in the {passed} days that KMS knows of"
        ),
        EvidenceFact("Type", own.key_spec or "not known"),
        EvidenceFact("Multi-region", (own.multi_region or "no").lower()),
        EvidenceFact(
            "Before it is deleted",
            "find what it encrypts: a disk asks for its key only when it is attached; disable it for a month first",
        ),
    )


def unused_parameter(noun: str) -> ParameterSpec:
    """Return the parameter of both checks; `noun` begins its sentence."""
    return ParameterSpec(
        name="minimumUnusedDays",
        unit="days",
        default=Decimal(90),
        minimum=Decimal(30),
        maximum=Decimal(730),
        description=f"{noun} that was used within this time is left alone.",
    )
