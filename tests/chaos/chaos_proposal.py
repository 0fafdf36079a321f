"""Proposes an act as the operator does, and lets people vote on it with their own credentials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.chaos.chaos_world import Place
from tests.support.act_cases import CASES, find
from tests.support.act_world import ACCESS, REGION, TENANT, make_sessions
from tests.support.ledger_keys import KEYS
from tests.support.scan_samples import recommendation

from finops.crds.action_request import ActionRequest
from finops.crds.approval import Approval
from finops.crds.metadata import Metadata, OwnerReference
from finops.crds.part import API_VERSION
from finops.domain.audit import Entry, RecordKind
from finops.domain.decision import State
from finops.domain.plan import PlanStep
from finops.domain.recommendation import ResourceRef
from finops.k8s.connection import connect
from finops.k8s.kinds import action_requests, approvals, aws_accounts, scan_policies
from finops.ledger.durable import open_ledger
from finops.store.connection import open_ledger_connection
from finops_operator.plugins.action import Target
from finops_operator.plugins.loaded import plugins
from finops_operator.requests.presenting import in_words
from finops_operator.rules.candidates import request_spec
from finops_operator.rules.origin import intended_id, spec_hash

PEOPLE = ("alice", "bob")


@dataclass(frozen=True, slots=True)
class Proposal:
    """What people were asked: the request, and the calls that it and its rollback may make."""

    uid: str
    name: str
    plan_hash: str
    resource: ResourceRef
    forward: tuple[PlanStep, ...]
    back: tuple[PlanStep, ...]


def propose(place: Place, name: str, *, voters: int) -> Proposal:
    """Make the request for an action's case and the approvals of the first `voters` people."""
    action = plugins().actions[name]
    resource_name, parameters, _ = CASES[name]
    resource = find(resource_name)
    reader = make_sessions(place.clock).reader(ACCESS, REGION, tenant=TENANT)
    observation = action.observe(reader, Target(resource, parameters))
    plan = action.plan(resource, parameters, observation.fingerprint)
    connection = connect(str(place.world.k8s.kubeconfig_for("operator")))
    policy = scan_policies(connection).get(place.namespace, "p")
    account = aws_accounts(connection).get("", "production")
    assert policy is not None
    assert account is not None
    item = recommendation(
        id=f"rec-{place.namespace}",
        policy=f"{place.namespace}/p",
        action=action.id,
        resource=resource,
        parameters=parameters,
        destructive=action.destructive,
        restart_needed=action.restart_needed,
        rollback_possible=action.rollback_possible,
        effort=action.effort,
    )
    words = in_words(plugins().kinds[resource.kind], action, item, observation, plan)
    owner = OwnerReference(api_version=API_VERSION, kind="ScanPolicy", name="p", uid=policy.metadata.uid or "")
    metadata = Metadata(name=f"chaos-{place.namespace}", namespace=place.namespace, owner_references=(owner,))
    wanted = ActionRequest(metadata=metadata, spec=request_spec(policy, account, item, plan, words, place.clock.now()))
    _record(place, wanted)
    made = action_requests(connection).create(wanted)
    return _voted_on(place, made, PEOPLE[:voters])


def ask_for_undo(place: Place, act: Proposal) -> None:
    """Let one of the people ask for the undo of an act."""
    made = action_requests(connect(str(place.world.k8s.kubeconfig_for("operator")))).get(place.namespace, act.name)
    assert made is not None
    _vote(place, made, PEOPLE[0], "Undo")


def undo_of(place: Place, act: Proposal) -> Proposal | None:
    """Let people vote on the request that the operator made to undo an act; None while there is none."""
    found = action_requests(connect(str(place.world.k8s.kubeconfig_for("operator")))).list(place.namespace)
    undos = [one for one in found if one.spec.undoes is not None and one.spec.undoes.uid == act.uid]
    waiting = [one for one in undos if one.status.state is State.PENDING]
    return _voted_on(place, waiting[0], PEOPLE) if waiting else None


def _voted_on(place: Place, made: ActionRequest, people: tuple[str, ...]) -> Proposal:
    for person in people:
        _vote(place, made, person)
    plan = made.spec.to_plan()
    back = plugins().actions[made.spec.action].procedure.compensation(plan)
    return Proposal(
        uid=made.metadata.uid or "",
        name=made.metadata.name,
        plan_hash=plan.hash,
        resource=plan.resource,
        forward=tuple(step for step in plan.steps if step.changes),
        back=tuple(step for step in back if step.changes),
    )


def _record(place: Place, wanted: ActionRequest) -> None:
    """Record what the proposer records before the object exists; whoever takes the lease has a later fence."""
    store = open_ledger_connection(place.world.valkey.url, prefix=place.prefix)
    ledger = open_ledger(store, place.ledger_path, keys=KEYS, clock=place.clock, fence=lambda: 1)
    ledger.start()
    ledger.append(
        Entry(
            operation_id=intended_id(wanted),
            actor="operator",
            kind=RecordKind.PROPOSED,
            request=f"{place.namespace}/{wanted.metadata.name}/",
            plan_hash=wanted.spec.plan_hash,
            result="intent",
            detail={"specHash": spec_hash(wanted.spec)},
        )
    )
    store.client.close()


def _vote(place: Place, request: ActionRequest, person: str, decision: str = "Approve") -> None:
    spec: dict[str, Any] = {
        "request": {"name": request.metadata.name, "uid": request.metadata.uid},
        "planHash": request.spec.plan_hash,
        "decision": decision,
        "approver": {"source": "kubernetes", "username": person},
    }
    owner = {"apiVersion": API_VERSION, "kind": "ActionRequest", "name": request.metadata.name}
    document = {
        "apiVersion": API_VERSION,
        "kind": "Approval",
        "metadata": {
            "name": f"{request.metadata.name}-{person}{'-undo' if decision == 'Undo' else ''}",
            "namespace": place.namespace,
            "ownerReferences": [{**owner, "uid": request.metadata.uid}],
        },
        "spec": spec,
    }
    approvals(connect(str(place.world.k8s.kubeconfig), person)).create(Approval.from_object(document))
