"""The admission policies that decide who may write what; the single source of the chart's template.

Schemas can judge an object, only these can judge its author. The generator renders them into the chart with
placeholders, tests install them under names of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from finops.crds.action_request import ActionRequest
from finops.crds.approval import Approval
from finops.crds.crd import GROUP, VERSION

ATTEST: Final = "attest"
SOURCES: Final = "approvalsources"
"""Verb and virtual resource of the right to vouch for voters of another source."""

_API = "admissionregistration.k8s.io/v1"
_CREATED: Final = "request.operation == 'CREATE'"
_HOUSEKEEPERS: Final = (
    "system:serviceaccount:kube-system:generic-garbage-collector",
    "system:serviceaccount:kube-system:namespace-controller",
    "system:serviceaccount:kube-system:storage-version-migrator-controller",
    "system:kube-controller-manager",
)
"""The control plane's own users that update metadata (owners, finalizers) or rewrite objects unchanged."""


def policies(
    operator_user: str, attesters: Mapping[str, str], name_prefix: str, namespaces: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """The ValidatingAdmissionPolicies and their bindings, policy before binding.

    Args:
        operator_user: user name of the operator, `system:serviceaccount:NAMESPACE:NAME`.
        attesters: source of votes → the one user who may vouch for voters of it; a source without one takes no votes.
            The right to attest does not do alone: every role with wildcards includes it.
        name_prefix: start of the objects' names; they are cluster-wide, so releases need different ones.
        namespaces: where the policies hold; empty is everywhere.
    """
    made = []
    for name, spec in (("voter", _voter_policy(attesters)), ("operator-writes", _operator_policy(operator_user))):
        metadata = {"name": f"{name_prefix}-{name}"}
        binding: dict[str, Any] = {"policyName": metadata["name"], "validationActions": ["Deny"]}
        # Written also when it selects everything: Helm 3 leaves in a kept binding what a manifest does not name.
        binding["matchResources"] = {
            "namespaceSelector": _named(namespaces) if namespaces else {"matchExpressions": []}
        }
        made.append({"apiVersion": _API, "kind": "ValidatingAdmissionPolicy", "metadata": metadata, "spec": spec})
        made.append(
            {"apiVersion": _API, "kind": "ValidatingAdmissionPolicyBinding", "metadata": {**metadata}, "spec": binding}
        )
    return made


def _named(namespaces: Sequence[str]) -> dict[str, Any]:
    expression = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": list(namespaces)}
    return {"matchExpressions": [expression]}


def _voter_policy(attesters: Mapping[str, str]) -> dict[str, Any]:
    """An Approval says who votes; only that user, or the attester of the source, can have written it.

    That a vote stays as it was written is a rule of its kind too, which whoever may edit kinds can take out: the
    operator watches its policies, and no kinds.
    """
    sender = "request.userInfo.username"
    pinned = " || ".join(
        f"(variables.voter.source == '{source}' && {sender} == '{user}')" for source, user in attesters.items()
    )
    names = ", ".join(f"'{user}'" for user in attesters.values())
    return {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [_matching(Approval.crd.plural, "CREATE", "UPDATE")]},
        "variables": [
            {"name": "voter", "expression": "object.spec.approver"},
            {"name": "isAttester", "expression": f"{sender} in [{names}]"},
            {"name": "isAttesterOfSource", "expression": pinned or "false"},
        ],
        "validations": [
            _validation(
                f"{_CREATED} || object.spec == oldObject.spec",
                "spec of an Approval cannot be changed; create another Approval",
            ),
            _validation(
                f"!({_CREATED}) || variables.voter.source != 'kubernetes' || "
                "(has(variables.voter.username) && variables.voter.username == request.userInfo.username)",
                "spec.approver.username is not the user who sends this; "
                "votes of source kubernetes are one's own: write the name that kubectl auth whoami shows",
            ),
            _validation(
                f"!({_CREATED}) || variables.voter.source != 'kubernetes' || !has(variables.voter.groups) || "
                "variables.voter.groups.all(group, group in request.userInfo.groups)",
                "spec.approver.groups names a group the sender is not in; "
                "leave it out or write groups that kubectl auth whoami shows",
            ),
            _validation(
                f"!({_CREATED}) || variables.voter.source == 'kubernetes' || "
                f"(variables.isAttesterOfSource && {_right('variables.voter.source')})",
                "spec.approver.source is one the sender may not vouch for; "
                f"only this release's own service account for that source may, with the right {ATTEST} on "
                f"{SOURCES}.{GROUP} of that name in this namespace: vote with source kubernetes instead",
            ),
            _validation(
                f"!({_CREATED}) || variables.voter.source != 'kubernetes' || !variables.isAttester",
                "spec.approver.source is kubernetes, but the sender vouches for others and has no vote of its own; "
                "write the source it attests",
            ),
        ],
    }


def _operator_policy(operator_user: str) -> dict[str, Any]:
    """ActionRequests, and the answers to votes, come from the operator alone."""
    requests, approvals = ActionRequest.crd.plural, Approval.crd.plural
    housekeepers = ", ".join(f"'{user}'" for user in _HOUSEKEEPERS)
    return {
        "failurePolicy": "Fail",
        "matchConstraints": {
            "resourceRules": [
                _matching(requests, "CREATE", "UPDATE"),
                _matching(f"{requests}/status", "UPDATE"),
                _matching(f"{approvals}/status", "UPDATE"),
            ]
        },
        "variables": [
            {"name": "isOperator", "expression": f"request.userInfo.username == '{operator_user}'"},
            {
                "name": "isHousekeeping",
                "expression": "request.operation == 'UPDATE' && "
                # The API server leaves the key out of a request for the object itself.
                "(!has(request.subResource) || request.subResource == '') && "
                f"request.userInfo.username in [{housekeepers}]",
            },
        ],
        "validations": [
            _validation(
                "variables.isOperator || variables.isHousekeeping",
                "only the finops operator makes and changes ActionRequests and answers Approvals; "
                "to decide on a request, create an Approval",
            )
        ],
    }


def _right(source: str) -> str:
    """CEL: whether the sender may vouch for a source, given as a CEL expression."""
    return (
        f"authorizer.group('{GROUP}').resource('{SOURCES}').namespace(request.namespace)"
        f".name({source}).check('{ATTEST}').allowed()"
    )


def _matching(resource: str, *operations: str) -> dict[str, Any]:
    return {
        "apiGroups": [GROUP],
        "apiVersions": [VERSION],
        "operations": list(operations),
        "resources": [resource],
        "scope": "Namespaced",
    }


def _validation(expression: str, message: str) -> dict[str, str]:
    return {"expression": expression, "message": message, "reason": "Forbidden"}
