"""Makes one ActionRequest: into the ledger first, then into the cluster.

Used by the proposer and for undos. A crash in between leaves either a ledger record without an object (nothing
happens) or an object without a state (the decider takes it in, because the ledger knows its exact spec).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from finops.crds.action_request import ActionRequest, ActionRequestSpec
from finops.crds.metadata import Metadata, OwnerReference
from finops.crds.part import API_VERSION
from finops.crds.scan_policy import ScanPolicy
from finops.domain.audit import Entry, RecordKind
from finops.domain.canonical import Json
from finops.errors import Conflict
from finops.ports.ledger import Ledger
from finops_operator.cluster.objects import Objects
from finops_operator.decisions.decider import Decider
from finops_operator.killpoint import killpoint
from finops_operator.rules.log_fields import request_fields
from finops_operator.rules.origin import intended_id, spec_hash

logger = logging.getLogger(__name__)
_POLICY_LABEL: Final = "finops.dev/policy"


@dataclass(frozen=True, slots=True)
class RequestMaker:
    """Makes requests of policies."""

    requests: Objects[ActionRequest]
    ledger: Ledger
    decider: Decider

    def create(
        self, policy: ScanPolicy, name: str, spec: ActionRequestSpec, further: Mapping[str, Json] | None = None
    ) -> ActionRequest:
        """Make a request of `policy`; return it as it stands then.

        Args:
            policy: its owner, with which it goes.
            name: a free one.
            spec: what people will vote on.
            further: what the ledger's record holds besides.

        Raises:
            LedgerUnavailable, LedgerDiverged, FenceLost: nothing was created.
            Conflict, Refused, InvalidInput, ClusterUnavailable: not created, or not known to be.
        """
        namespace = policy.metadata.namespace or "default"
        metadata = Metadata(
            name=name,
            namespace=namespace,
            labels={_POLICY_LABEL: policy.metadata.name[:63]},
            owner_references=(_owner(policy),),
        )
        request = ActionRequest(metadata=metadata, spec=spec)
        self.ledger.append(_intent(request, further or {}))
        killpoint("propose.intended")
        created = self.requests.create(request)
        killpoint("propose.created")
        try:
            return self.decider.advance(created)
        except Conflict as error:
            # The request exists, so it was proposed; the request loop takes it in.
            logger.info("request is checked again later: %s", error, extra=request_fields(created))
            return created


def _intent(request: ActionRequest, further: Mapping[str, Json]) -> Entry:
    """Return the record that is made before the object."""
    spec, metadata = request.spec, request.metadata
    return Entry(
        operation_id=intended_id(request),
        actor="operator",
        kind=RecordKind.PROPOSED,
        request=f"{metadata.namespace}/{metadata.name}/",
        plan_hash=spec.plan_hash,
        result="intent",
        detail={
            "specHash": spec_hash(spec),
            "policy": spec.policy,
            "action": spec.action,
            "resource": spec.resource.arn,
            **_saving(spec),
            **({"lastsDays": str(lasts)} if (lasts := spec.estimate.lasts_days) else {}),
            "dryRun": spec.dry_run,
            **further,
        },
    )


def _saving(spec: ActionRequestSpec) -> dict[str, Json]:
    """Return what the act is proposed to save, or why nobody can know it."""
    saving, unknown = spec.estimate.monthly_savings, spec.estimate.saving_unknown
    return {"savingUnknown": unknown} if saving is None else {"monthlySavings": f"{saving}"}


def _owner(policy: ScanPolicy) -> OwnerReference:
    """Return the reference that lets a deleted policy take its requests along."""
    return OwnerReference(
        api_version=API_VERSION, kind="ScanPolicy", name=policy.metadata.name, uid=policy.metadata.uid or ""
    )
