"""The votes on a request: its Approval objects together with what the ledger counted of them.

Used by the decider and by the judge of votes, under the decider's lock. A watch is no evidence that something is not
there: an approval is missing only when the API server says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from finops.crds.action_request import ActionRequest
from finops.crds.approval import Approval
from finops.crds.invalid import InvalidObject
from finops.domain.decision import Choice, Electorate, Tally, Vote
from finops_operator.cluster.objects import Objects
from finops_operator.cluster.protection import Protected
from finops_operator.decisions.identities import Identities
from finops_operator.decisions.verdicts import RecordedVerdicts
from finops_operator.rules.standing import Standing, standing
from finops_operator.rules.votes import is_about, request_facts, vote_of


@dataclass(frozen=True, slots=True)
class Ballots:
    """Votes by request; see `finops_operator.decisions.decider.Decider` for the attributes."""

    votes: RecordedVerdicts
    approvals: Objects[Approval]
    approvals_of: Callable[[ActionRequest], tuple[Approval, ...]]
    people: Identities
    protection: Protected

    def of(self, request: ActionRequest) -> tuple[Approval, ...]:
        """Return the Approvals of a request, after making sure that all of its namespace are known.

        Raises:
            ClusterUnavailable, Refused: not known now.
        """
        self.approvals.complete_in(request.metadata.namespace or "")
        return self.approvals_of(request)

    def counted(self, request: ActionRequest) -> tuple[Vote, ...]:
        """Return the votes that the ledger counted, in its order; approvals only while their objects exist."""
        return self._stands(request, Electorate({})).votes

    def standing(self, request: ActionRequest, *, fresh: bool = False) -> Tally:
        """Return how the votes stand; `fresh` asks anew who is who.

        Raises:
            LedgerUnavailable, ClusterUnavailable, Refused: not known now.
        """
        # Without votes it does not matter who is who: no need to ask for it every time.
        votes = self._stands(request, Electorate({})).votes
        electorate = self.people.at_vote(fresh=fresh) if votes else Electorate({})
        return self._stands(request, electorate).tally

    def find_missing(self, request: ActionRequest) -> None:
        """Ask the API server for approvals that were counted and that the watch does not show."""
        shown = {approval.metadata.uid for approval in self.of(request)}
        for vote in self.votes.ever_counted(request.metadata.uid or ""):
            if vote.choice is Choice.APPROVE and vote.uid not in shown:
                found = self.approvals.api.get(request.metadata.namespace or "", vote.name)
                if found is not None and found.metadata.uid == vote.uid:
                    self.approvals.cache.put(found)

    def unreadable(self, request: ActionRequest, *, sure: bool) -> str:
        """Return which Approval about a request this version cannot read; empty when it can read all of them.

        It may be a denial, so nobody may take the request for approved.

        Args:
            request: the one.
            sure: ask the API server in any case; else only when the watch has shown such an Approval.

        Raises:
            ClusterUnavailable, Refused: not known now.
        """
        namespace, uid = request.metadata.namespace or "", request.metadata.uid or ""
        shown = self.approvals.cache.broken()
        if not sure and not any(one.key[0] == namespace and is_about(one.raw, uid) for one in shown):
            return ""
        try:
            # What the watch has shown may be gone, and a listing leaves out what it cannot read.
            for _ in self.approvals.api.list_wanted(namespace, lambda raw: is_about(raw, uid)):
                pass
        except InvalidObject as error:
            return f"a vote cannot be read and may be a denial: {error}"
        return ""

    def _stands(self, request: ActionRequest, people: Electorate) -> Standing:
        records, since = self.votes.of_request(request.metadata.uid or ""), self.protection.since()
        present = [vote for vote in map(vote_of, self.of(request)) if vote.at > since]
        return standing(records, present, people, request_facts(request))
