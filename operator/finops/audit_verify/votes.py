"""The votes on one request, as they were counted: who approves, who objects, and whether that is a quorum.

A vote belongs to the person whom its record names, or to its voter where it names none: of one person the last word
counts. The approvals with which an act that destroys was decided count together only as far as they are surely of
different people: those of one channel, or those that the decision lists as named by the mapping of identities
(`mapped`). Whoever approves later or is mapped later is judged by the operator alone: no record holds that mapping.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

_NO_VOTES = frozenset({"Resume", "Wake", "Undo"})
"""Words about other acts, or about what comes later: no votes on the act of the request that they name."""


@dataclass(slots=True)
class Votes:
    """Follows the counted votes on one request.

    Attributes:
        approvals: plan hash and person → handle of the voter.
        objections: who denied it.
    """

    approvals: dict[tuple[str, str], str] = field(default_factory=dict)
    objections: set[str] = field(default_factory=set)

    def add(self, record: dict[str, Any]) -> None:
        """Take in a counted vote."""
        choice = record["detail"].get("choice")
        person = str(record["detail"].get("person") or record["actor"])
        if choice in _NO_VOTES:
            return
        if choice == "Approve":
            self.approvals[record["planHash"], person] = record["actor"]
            self.objections.discard(person)
        else:
            self.approvals.pop((record["planHash"], person), None)
            if choice == "Deny":
                self.objections.add(person)

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
