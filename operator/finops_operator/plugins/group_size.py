"""The size of a group of machines: the fewest, the wanted and the most, which one call sets together.

In facts, fingerprints and parameters it is one text, `1/2/4`, so that a `NumberSetting` can set it and set it back.
`size_setting` makes that setting for a kind of group.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from finops.domain.execution import Observation, Rule
from finops.domain.plan import Plan
from finops.domain.quantity import counted
from finops.domain.recommendation import ResourceRef
from finops.errors import InvalidInput
from finops_operator.plugins.action import Parameters, Refusal
from finops_operator.plugins.number_setting import Call, NumberSetting, Others, Pace

PARAMETER: Final = "size"
FACT: Final = "size"
_NUMBERS: Final = 3


@dataclass(frozen=True, slots=True)
class GroupSize:
    """The fewest, the wanted and the most members."""

    minimum: int
    desired: int
    maximum: int

    @property
    def text(self) -> str:
        """As it stands in a fact or a parameter."""
        return f"{self.minimum}/{self.desired}/{self.maximum}"


def read_size(text: str) -> GroupSize:
    """Return the size that a text holds. Raises ValueError: it is none."""
    minimum, desired, maximum = (int(one) for one in text.split("/"))
    if not 0 <= minimum <= desired <= maximum:
        raise ValueError(f"{text!r} is no size")
    return GroupSize(minimum, desired, maximum)


def checked(text: str) -> str:
    """Return the text of a size as it is. Raises ValueError: it is none."""
    return read_size(text).text


def size_text(minimum: object, desired: object, maximum: object) -> str:
    """Return the text of what AWS said, empty where it left a number out."""
    found = (minimum, desired, maximum)
    return "/".join(str(one) for one in found) if all(isinstance(one, int) for one in found) else ""


def wanted_size(parameters: Parameters) -> str:
    """Return the wanted size of an act. Raises InvalidInput: it is none."""
    wanted = parameters.get(PARAMETER)
    try:
        return checked(str(wanted))
    except ValueError as error:
        hint = "the fewest, the wanted and the most members, such as 1/2/4"
        raise InvalidInput(f"{wanted!r} is no size of a group", field=f"parameters.{PARAMETER}", hint=hint) from error


def _always(_plan: Plan, _now: Observation) -> bool:
    return True


def size_setting(
    action: str,
    call: Callable[[ResourceRef, GroupSize], Call],
    working: str,
    others_set: str,
    pace: Pace,
    *,
    wanted: Callable[[Parameters], str] = wanted_size,
    settled: Rule = _always,
) -> NumberSetting:
    """Return how an action sets a group's size, and sets it back.

    Args:
        action: id of the action.
        call: what sets a size.
        working: the observed fact that holds how many of the group's `members` work.
        others_set: who else may have set another size, in a clause after "because".
        pace: how AWS applies it.
        wanted: the size among the action's parameters; raises InvalidInput for one that cannot be set.
        settled: whether AWS is applying no change.
    """

    def has(plan: Plan, now: Observation, text: str) -> bool:
        """Return whether AWS is done and the members are those of a size, all of them at work."""
        desired = read_size(text).desired
        return settled(plan, now) and now.facts.get("members") == desired == now.facts.get(working)

    def as_before(plan: Plan, now: Observation) -> bool:
        """How many members work of somebody else's size is theirs to watch."""
        return not setting.is_old(plan, now) or has(plan, now, str(setting.old(plan)))

    setting = NumberSetting(
        action=action,
        parameter=PARAMETER,
        fact=FACT,
        identity="arn",
        label="size",
        shown=shown_size,
        steps=("set_size", "wait_scaled"),
        wanted=wanted,
        call=lambda resource, size: call(resource, read_size(str(size))),
        others=Others(set=others_set, replaced="it was deleted, and somebody made another one under its name"),
        pace=pace,
        settled=settled,
        applied=lambda plan, now: has(plan, now, wanted(plan.parameters)),
        restored=as_before,
        read=checked,
    )
    return setting


def shown_size(text: str) -> str:
    """Return a size in words (`2, from 1 to 4`)."""
    size = read_size(text)
    return f"{size.desired}, from {size.minimum} to {size.maximum}"


def step_titles(member: str, before: str, after: str, *, starts: bool) -> dict[str, str]:
    """Return the titles of the steps of setting a size and of setting it back.

    Args:
        member: what the group consists of, in the singular.
        before: its size in words.
        after: the size that it gets, in words.
        starts: whether the act gives the group more members, as an undo does.
    """
    fewer, more = f"Wait until the {member}s beyond that are gone", f"Wait until as many {member}s work"
    return {
        "set_size": f"Set its size to {after}",
        "wait_scaled": more if starts else fewer,
        "restore": f"Set its size back to {before}",
        "wait_restored": fewer if starts else f"{more} again",
    }


def found_in(group: str, member: str, working: str) -> Callable[[Plan, Observation], str]:
    """Return what says in one sentence how a group was found.

    Args:
        group: what it is.
        member: what it consists of, in the singular.
        working: the fact that holds how many of its members work.
    """

    def found(_plan: Plan, now: Observation) -> str:
        if not now.exists:
            return f"The {group} does not exist any more."
        try:
            size = read_size(now.text(FACT))
        except ValueError:
            return f"The {group} is there; AWS did not say its size."
        at_work = now.facts.get(working)
        return f"The {group} wants {counted(size.desired, member)}; {'?' if at_work is None else at_work} of them work."

    return found


def working_now(observation: Observation, working: str) -> str:
    """Return how many members work, for people; `working` is the fact that holds it."""
    found = observation.facts.get(working)
    return "not known" if found is None else str(found)


def not_smaller(observation: Observation, wanted: str) -> tuple[Refusal, ...]:
    """Refuse a size that keeps as many members or more, or lets the group grow further than it may today."""
    try:
        now = read_size(observation.text(FACT))
    except ValueError:
        return (Refusal("SizeUnknown", "AWS did not say how large it is and may become."),)
    then = read_size(wanted)
    if then.desired >= now.desired:
        return (Refusal("SizeNotSmaller", f"It wants {now.desired} members, and {then.desired} would be no saving."),)
    if then.minimum > now.minimum or then.maximum > now.maximum:
        return (Refusal("BoundRaised", f"It may have {now.minimum} to {now.maximum} members, and no bound is raised."),)
    return ()


def not_larger(observation: Observation, wanted: str) -> tuple[Refusal, ...]:
    """Refuse an undo that would not give the group more members: what forbids fewer is not asked of an undo."""
    try:
        now = read_size(observation.text(FACT))
    except ValueError:
        return (Refusal("SizeUnknown", "AWS did not say how large it is and may become."),)
    if now.desired < read_size(wanted).desired:
        return ()
    return (Refusal("NotBack", f"It wants {now.desired} members, not fewer than before the act."),)
