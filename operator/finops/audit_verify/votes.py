"""The votes on one request, as they were counted: who approves, who objects, and whether that is a quorum.

A vote belongs to the person whom its record names, or to its voter where it names none: of one person the last word
counts. Whom a mapping of identities names may be corrected: a decision says who each voter is by then (`people`), and a
vote under which other handles the same person has voted before (`alsoAs`).
Where a decision so parts handles that earlier votes were recorded as one person's, one person could be two of a quorum:
no record says who corrected the mapping and whether rightly, so that is a warning (`parted`).
The approvals with which an act that destroys was decided count together only as far as they are surely of
different people: those of one channel, or those that the decision lists as named by the mapping of identities
(`mapped`). Whoever approves later or is mapped later is judged by the operator alone: no record holds that mapping.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

from finops.audit_verify.shelf import Kept

_NO_VOTES = frozenset({"Resume", "Wake", "Undo"})
"""Words about other acts, or about what comes later: no votes on the act of the request that they name."""

_AGAINST = frozenset({"Deny", "Snooze"})


@dataclass(frozen=True, slots=True)
class _Word(Kept):
    """One counted vote. `also` are other handles of the same person."""

    plan_hash: str
    handle: str
    person: str
    choice: str
    also: frozenset[str]


def _as_named(word: _Word, people: dict[str, str]) -> _Word:
    """Return a word as that of the person whom a decision names; of other handles those stay that are named alike."""
    person = people.get(word.handle, word.person)
    return replace(word, person=person, also=frozenset(one for one in word.also if people.get(one, person) == person))


@dataclass(slots=True)
class Votes(Kept):
    """Follows the counted votes on one request.

    Attributes:
        approvals: plan hash and person → handle of the voter.
        objections: person → handle of who denied it, or snoozed it, which is a denial for a while.
    """

    approvals: dict[tuple[str, str], str] = field(default_factory=dict)
    objections: dict[str, str] = field(default_factory=dict)
    _words: list[_Word] = field(default_factory=list)
    _recorded: dict[str, set[str]] = field(default_factory=dict)
    """Handle → whom the records of its votes name: the person, and other handles of the same."""

    def add(self, record: dict[str, Any]) -> None:
        """Take in a counted vote."""
        detail, handle = record["detail"], str(record["actor"])
        choice, also = str(detail.get("choice")), detail.get("alsoAs")
        if choice in _NO_VOTES:
            return
        others = frozenset(map(str, also)) if isinstance(also, list) else frozenset()
        word = _Word(str(record["planHash"]), handle, str(detail.get("person") or handle), choice, others)
        self._words.append(word)
        self._recorded.setdefault(handle, {handle}).update({word.person, *others})
        self._apply(word)

    def parted(self, plan_hash: str, decision: dict[str, Any]) -> list[tuple[str, str]]:
        """Return the handles of two people by a decision whose votes were recorded as those of one.

        Only where a vote of one of the two stands as an approval of the plan. Asked after `as_decided`.
        """
        people = decision.get("people")
        named = people if isinstance(people, dict) else {}
        approving = set(self._for(plan_hash))
        voters = sorted((handle, names) for handle, names in self._recorded.items() if handle in named)
        return [
            (one, other)
            for (one, names), (other, others) in combinations(voters, 2)
            if named[one] != named[other] and names & others and approving & {one, other}
        ]

    def as_decided(self, decision: dict[str, Any]) -> None:
        """Take every voter for the person whom the decision names; one of an older release names nobody."""
        people = decision.get("people")
        if isinstance(people, dict):
            named = {handle: str(person) for handle, person in people.items()}
            self._words = [_as_named(one, named) for one in self._words]
            self.approvals, self.objections = {}, {}
            for word in self._words:
                self._apply(word)

    def _apply(self, word: _Word) -> None:
        self.approvals = {key: voter for key, voter in self.approvals.items() if voter not in word.also}
        self.objections = {person: voter for person, voter in self.objections.items() if voter not in word.also}
        # Whatever somebody says last takes back what they said before.
        self.objections.pop(word.person, None)
        if word.choice == "Approve":
            self.approvals[word.plan_hash, word.person] = word.handle
            return
        self.approvals.pop((word.plan_hash, word.person), None)
        if word.choice in _AGAINST:
            self.objections[word.person] = word.handle

    def problem_of_quorum(self, plan_hash: str, decision: dict[str, Any]) -> str:
        """Return why the votes that stand are no quorum for a plan by its decision's terms, empty when they are."""
        voters = self._for(plan_hash)
        if len(voters) < decision["required"]:
            return f"approved by {len(voters)} of {decision['required']} people for this plan"
        if decision.get("stepUp") and not any(voter.startswith("k8s.") for voter in voters):
            return "approved in Slack alone, though one approval had to come from elsewhere"
        return ""

    def surely_different(self, plan_hash: str, decision: dict[str, Any]) -> int:
        """Return how many approvals of a plan are surely of different people, whatever their channels.

        A decision that lists nobody, not even as an empty list, is of a release that did not write them down: its
        records do not say who is whom, and all approvals count.
        """
        voters, mapped = self._for(plan_hash), decision.get("mapped")
        if not isinstance(mapped, list):
            return len(voters)
        named = sum(voter in mapped for voter in voters)
        channels = [voter.partition(".")[0] for voter in voters]
        return max([named, *(channels.count(one) for one in set(channels))])

    def _for(self, plan_hash: str) -> list[str]:
        return [voter for (plan, _), voter in self.approvals.items() if plan == plan_hash]
