"""Which approvals of a destructive act count together when they came through different channels; pure.

Called by the tally. One human may have a Slack account and a Kubernetes user; unless the administrator's mapping names
both handles it is unknown whether two votes of two channels are two people, and then they count as one channel's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping


def together(
    approving: Mapping[str, str],
    named: Collection[str],
    mapping: str,
    worth: Callable[[frozenset[str]], int] = len,
) -> tuple[frozenset[str], str]:
    """Return the best part of the people who approve that are surely different humans, and why it is not all.

    Two votes of one channel are two people, because a channel distinguishes its users. Two votes of two channels are
    two people only if the mapping names both.

    Args:
        approving: person → channel (`kubernetes`, `slack`) of the vote.
        named: the people whom the mapping names.
        mapping: what people call the place of the mapping.
        worth: how many approvals such a part is under the terms; the part worth most is returned, of several the
            largest.
    """
    sets = [frozenset(person for person in approving if person in named)]
    for channel in dict.fromkeys(approving.values()):
        sets.append(frozenset(person for person, by in approving.items() if by == channel))
    counting = max(sets, key=lambda part: (worth(part), len(part)))
    if len(counting) == len(approving):
        return counting, ""
    return counting, (
        f"Of {len(approving)} approvals {len(counting)} count: kubectl and Slack votes on a destructive act count "
        f"together only for people named in {mapping}."
    )


def still_needed(missing: int, *, step_up: bool, outside: bool | None) -> str:
    """Return which approvals a request still lacks, in words; empty when it lacks none.

    Args:
        missing: how many.
        step_up: whether one of all must be given outside Slack.
        outside: whether one that counts was given there; None where that is not known.
    """
    if missing <= 0:
        return ""
    more = f"{missing} more {'approval' if missing == 1 else 'approvals'}"
    if not step_up or outside:
        return more
    if outside is None:
        return f"{more}; one must be given outside Slack"
    return f"{more} outside Slack" if missing == 1 else f"{more}, one of them outside Slack"
