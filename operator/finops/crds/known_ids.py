"""Admission of ids: a policy or account that names a check, action or kind this release lacks is refused when applied.

The schema takes any id of the right form; which ones exist stands in a ConfigMap that the operator keeps. It is a help
for whoever writes a policy, not a protection: the operator judges every policy itself. So a missing or empty ConfigMap
(before the first start) lets everything pass, and what an object held before may stay in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from finops.crds.aws_account import AwsAccount
from finops.crds.crd import GROUP, VERSION
from finops.crds.part import Kind
from finops.crds.scan_policy import ScanPolicy

KNOWN_IDS: Final = "known-ids"
"""End of the ConfigMap's name, after the release's."""
CHECKS: Final = "checks"
ACTIONS: Final = "actions"
KINDS: Final = "kinds"

_API: Final = "admissionregistration.k8s.io/v1"
_FIX: Final = "correct it, or upgrade finops; finops policy validate names the nearest one"


def known_ids_data(checks: Iterable[str], actions: Iterable[str], kinds: Iterable[str]) -> dict[str, str]:
    """Return the data of the ConfigMap: ids separated by single spaces."""
    named = ((CHECKS, checks), (ACTIONS, actions), (KINDS, kinds))
    return {key: " ".join(sorted(ids)) for key, ids in named}


def known_id_policies(
    config_map: str, namespace: str, name_prefix: str, namespaces: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """The ValidatingAdmissionPolicies and their bindings, policy before binding.

    Args:
        config_map: name of the ConfigMap, in `namespace`.
        namespace: the release's.
        name_prefix: start of the objects' names; they are cluster-wide, so releases need different ones.
        namespaces: where policies are judged; empty is everywhere. Accounts belong to the cluster.
    """
    made = []
    for name, kind, judged in (("policy-ids", ScanPolicy, _POLICY), ("account-ids", AwsAccount, _ACCOUNT)):
        metadata = {"name": f"{name_prefix}-{name}"}
        binding: dict[str, Any] = {
            "policyName": metadata["name"],
            "paramRef": {"name": config_map, "namespace": namespace, "parameterNotFoundAction": "Allow"},
            "validationActions": ["Deny"],
        }
        if kind.crd.scope == "Namespaced":
            named = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": list(namespaces)}
            # Written also when it selects everything, as in `admission_policies`.
            binding["matchResources"] = {"namespaceSelector": {"matchExpressions": [named] if namespaces else []}}
        spec = _spec(kind, judged)
        made.append({"apiVersion": _API, "kind": "ValidatingAdmissionPolicy", "metadata": metadata, "spec": spec})
        made.append(
            {"apiVersion": _API, "kind": "ValidatingAdmissionPolicyBinding", "metadata": {**metadata}, "spec": binding}
        )
    return made


def _listed(key: str) -> dict[str, str]:
    """A variable: whether the operator has written the ids of one sort."""
    return {"name": f"{key}Known", "expression": f"has(params.data) && '{key}' in params.data"}


def _ids(key: str) -> dict[str, str]:
    return {"name": key, "expression": f"variables.{key}Known ? params.data['{key}'].split(' ') : []"}


_IN_SPEC: Final = {
    "checks": ("has({0}.spec.checks)", "{0}.spec.checks.map(one, one.id)"),
    "allowed": (
        "has({0}.spec.actions) && has({0}.spec.actions.allowed)",
        "{0}.spec.actions.allowed.map(one, string(one))",
    ),
    "resources": ("has({0}.spec.resources)", "{0}.spec.resources.map(one, string(one))"),
    "customKinds": ("has({0}.spec.customChecks)", "{0}.spec.customChecks.map(one, string(one.kind))"),
}
_POLICY: Final = (
    (CHECKS, "checks", "spec.checks", "check"),
    (ACTIONS, "allowed", "spec.actions.allowed", "action"),
    (KINDS, "resources", "spec.resources", "kind of resource"),
    (KINDS, "customKinds", "spec.customChecks", "kind of resource"),
)
_ACCOUNT: Final = ((ACTIONS, "grants", "spec.allow", "action"),)


def _named(where: str, place: str) -> str:
    """CEL: the ids that an object names in one place, [] when it names none."""
    present, ids = (text.format(where) for text in _IN_SPEC[place])
    return f"{present} ? {ids} : []"


def _spec(kind: type[Kind], judged: Sequence[tuple[str, str, str, str]]) -> dict[str, Any]:
    keys = dict.fromkeys(key for key, *_ in judged)
    variables = [variable for key in keys for variable in (_listed(key), _ids(key))]
    validations = []
    for key, place, field, noun in judged:
        if place == "grants":
            variables.append({"name": "unknownGrants", "expression": _unknown_grants(key)})
            unknown = "variables.unknownGrants"
        else:
            old = f"oldObject == null ? [] : ({_named('oldObject', place)})"
            variables += [
                {"name": f"{place}Before", "expression": old},
                {"name": f"{place}Now", "expression": _named("object", place)},
            ]
            unknown = (
                f"variables.{place}Now.filter(one, !(one in variables.{key}) && !(one in variables.{place}Before))"
            )
        validations.append(
            {
                "expression": f"!variables.{key}Known || {unknown}.size() == 0",
                "message": f"{field} names an id that this release does not know; {_FIX}",
                "messageExpression": f"'{field}: there is no {noun} ' + {unknown}.join(', ') + '; {_FIX}'",
                "reason": "Invalid",
            }
        )
    return {
        "failurePolicy": "Fail",
        "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
        "matchConstraints": {
            "resourceRules": [
                {
                    "apiGroups": [GROUP],
                    "apiVersions": [VERSION],
                    "operations": ["CREATE", "UPDATE"],
                    "resources": [kind.crd.plural],
                    "scope": kind.crd.scope,
                }
            ]
        },
        "variables": variables,
        "validations": validations,
    }


def _unknown_grants(key: str) -> str:
    """CEL: the first unknown action of each grant that has one, unless the object named it before.

    A list of lists has no sum in CEL, so each grant is judged by itself.
    """
    before = (
        "(oldObject != null && has(oldObject.spec.allow) && oldObject.spec.allow.exists(old, "
        "has(old.actions) && one in old.actions))"
    )
    unknown = f"grant.actions.filter(one, !(one in variables.{key}) && !{before})"
    return (
        "has(object.spec.allow) ? object.spec.allow.filter(grant, has(grant.actions) && "
        f"{unknown}.size() > 0).map(grant, string({unknown}[0])) : []"
    )
