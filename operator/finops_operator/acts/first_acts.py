"""Lets the first act of a kind go alone where the policy wants that, and says of each other what it waits for.

Asked by the gate. A status proves nothing: that an act ended well is read from the ledger, and so is an act whose
request somebody deleted while it ran.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from finops.crds.action_request import ActionRequest
from finops.crds.scan_policy import ScanPolicy
from finops.domain.execution import Stop, StopKind
from finops.k8s.kinds import KindApi
from finops.ports.clock import Clock
from finops.ports.ledger import Ledger
from finops_operator.rules.canary import begun_without_request, ended_well, goes_first, is_act, is_of_kind, may_prove

_PROOFS: Final = 3
"""How many acts that ended well are read in the ledger; an act may wait although an older one would prove its kind."""


@dataclass(frozen=True, slots=True)
class FirstActs:
    """Each method raises ClusterUnavailable, Refused, LedgerUnavailable, LedgerDiverged: not known now."""

    requests: KindApi[ActionRequest]
    ledger: Ledger
    clock: Clock

    def stop(self, request: ActionRequest, policy: ScanPolicy | None) -> Stop | None:
        """Return which act goes first, while the policy wants one to and it is not verified yet."""
        if policy is None or not policy.spec.actions.canary:
            return None
        found = self._of_kind(request)
        first = goes_first(request, found)
        ahead = self._begun_unseen(request, found) if first is None else first.metadata.name
        if not ahead or self._is_proven(found):
            return None
        gone = "" if first is not None else " Its request was deleted, and its act goes on."
        why = f"Waiting: of its kind {ahead} goes first, until it is verified.{gone}"
        return Stop(StopKind.HOLD, "Canary", why)

    def goes_alone(self, request: ActionRequest, policy: ScanPolicy | None) -> bool:
        """Return whether an act that may start is the first of its kind, so that the others wait for it."""
        if policy is None or not policy.spec.actions.canary or not is_act(request):
            return False
        return not self._is_proven(self._of_kind(request))

    def _of_kind(self, request: ActionRequest) -> tuple[ActionRequest, ...]:
        named, action = request.spec.policy, request.spec.action
        wanted = self.requests.list_wanted(request.metadata.namespace, lambda raw: is_of_kind(raw, named, action))
        return tuple(wanted)

    def _begun_unseen(self, request: ActionRequest, found: tuple[ActionRequest, ...]) -> str:
        """Return the act of its kind that the ledger alone still shows: somebody deleted its request while it ran."""
        if not is_act(request):
            return ""
        kind = (request.metadata.namespace or "", request.spec.policy, request.spec.action)
        seen = {one.metadata.uid or "" for one in found}
        return begun_without_request(self.ledger.unfinished(), kind, seen, request.metadata.uid or "")

    def _is_proven(self, found: tuple[ActionRequest, ...]) -> bool:
        return any(self._is_verified(one) for one in may_prove(found, self.clock.now())[:_PROOFS])

    def _is_verified(self, request: ActionRequest) -> bool:
        return ended_well(self.ledger.of_request(request.metadata.uid or ""))
