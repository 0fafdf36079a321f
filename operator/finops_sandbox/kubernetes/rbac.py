"""Role-based access control: who may do what, decided from the Role and binding objects in the store.

The server asks it for every request, the reviews and the ``authorizer`` of admission policies ask it too. Nothing is
allowed by default; ``system:masters`` may do everything, as on a real cluster.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from finops_sandbox.kubernetes.kinds import CLUSTER_ROLE, CLUSTER_ROLE_BINDING, RBAC_GROUP, ROLE, ROLE_BINDING
from finops_sandbox.kubernetes.objects import ApiError, Obj, UserInfo
from finops_sandbox.kubernetes.selectors import labels_match
from finops_sandbox.kubernetes.store import Store

_READ = ["get", "list", "watch"]
_WRITE = ["create", "delete", "deletecollection", "patch", "update"]
_AGGREGATE = "rbac.authorization.k8s.io/aggregate-to-"
_PUBLIC_PATHS = ["/healthz", "/livez", "/readyz", "/version", "/version/"]
_DISCOVERY_PATHS = ["/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*", *_PUBLIC_PATHS]


@dataclass(frozen=True, slots=True)
class Question:
    """One access to be judged: a resource, or a path when ``path`` is set."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def full_resource(self) -> str:
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


class Authorizer:
    """Judges questions by the objects in the store at that moment."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def decide(self, user: UserInfo, question: Question) -> tuple[bool, str]:
        """Whether the user may, and by which binding (the reason a SubjectAccessReview shows)."""
        if "system:masters" in user.groups:
            return True, ""
        for rule, reason in self._grants(user, question.namespace):
            if _covers(rule, question):
                return True, reason
        return False, ""

    def rules(self, user: UserInfo, namespace: str) -> list[Obj]:
        """All policy rules of a user in a namespace (SelfSubjectRulesReview)."""
        return [rule for rule, _ in self._grants(user, namespace)]

    def demand(self, user: UserInfo, question: Question) -> None:
        """Let pass what is allowed.

        Raises:
            ApiError: 403 in the words of the real server.
        """
        if not self.decide(user, question)[0]:
            raise _refusal(user, question)

    def _grants(self, user: UserInfo, namespace: str) -> Iterator[tuple[Obj, str]]:
        bindings = [(b, "ClusterRoleBinding", "") for b in self._store.all(CLUSTER_ROLE_BINDING)]
        if namespace:
            bindings += [(b, "RoleBinding", namespace) for b in self._store.all(ROLE_BINDING, namespace)]
        for binding, word, where in bindings:
            subject = _subject_of(user, binding)
            if subject is None:
                continue
            reference, name = binding["roleRef"], binding["metadata"]["name"]
            label = f"{name}/{where}" if where else name
            role = f'{reference["kind"]} "{reference["name"]}"'
            reason = f'RBAC: allowed by {word} "{label}" of {role} to {subject}'
            for rule in self._rules_of(reference, where):
                yield rule, reason

    def _rules_of(self, reference: Obj, namespace: str) -> Sequence[Obj]:
        if reference["kind"] == "Role":
            role = self._store.get(ROLE, namespace, reference["name"])
            return (role or {}).get("rules") or ()
        role = self._store.get(CLUSTER_ROLE, "", reference["name"]) or {}
        rules = list(role.get("rules") or ())
        for selector in (role.get("aggregationRule") or {}).get("clusterRoleSelectors") or ():
            for other in self._store.all(CLUSTER_ROLE):
                if other is not role and labels_match(selector, other["metadata"].get("labels") or {}):
                    rules += self._rules_of({"kind": "ClusterRole", "name": other["metadata"]["name"]}, namespace)
        return rules


def _subject_of(user: UserInfo, binding: Obj) -> str | None:
    for subject in binding.get("subjects") or ():
        kind, name = subject["kind"], subject["name"]
        if kind == "ServiceAccount":
            where = subject.get("namespace") or binding["metadata"].get("namespace", "")
            if user.username == f"system:serviceaccount:{where}:{name}":
                return f'ServiceAccount "{name}/{where}"'
        elif (kind == "User" and name == user.username) or (kind == "Group" and name in user.groups):
            return f'{kind} "{name}"'
    return None


def _covers(rule: Obj, question: Question) -> bool:
    if not _in(question.verb, rule.get("verbs")):
        return False
    if question.path:
        return any(
            url == question.path or (url.endswith("*") and question.path.startswith(url[:-1]))
            for url in rule.get("nonResourceURLs") or ()
        )
    resources = rule.get("resources") or ()
    fits = {"*", question.full_resource}
    if question.subresource:
        fits.add(f"*/{question.subresource}")
    names = rule.get("resourceNames")
    named = not names or (bool(question.name) and question.name in names)
    return named and _in(question.group, rule.get("apiGroups")) and any(r in fits for r in resources)


def _in(value: str, allowed: Sequence[str] | None) -> bool:
    return bool(allowed) and ("*" in (allowed or ()) or value in (allowed or ()))


def _refusal(user: UserInfo, question: Question) -> ApiError:
    if question.path:
        message = f'forbidden: User "{user.username}" cannot {question.verb} path "{question.path}"'
        return ApiError(403, "Forbidden", message, {})
    where = f'in the namespace "{question.namespace}"' if question.namespace else "at the cluster scope"
    resource = f"{question.resource}.{question.group}" if question.group else question.resource
    subject = f'{resource} "{question.name}"' if question.name else resource
    message = (
        f'{subject} is forbidden: User "{user.username}" cannot {question.verb} resource '
        f'"{question.full_resource}" in API group "{question.group}" {where}'
    )
    details = {
        **({"name": question.name} if question.name else {}),
        **({"group": question.group} if question.group else {}),
        "kind": question.resource,
    }
    return ApiError(403, "Forbidden", message, details)


def _cluster_role(name: str, rules: list[Obj], *, aggregates: str = "", into: str = "") -> Obj:
    labels = {f"{_AGGREGATE}{into}": "true"} if into else {}
    selectors = [{"matchLabels": {f"{_AGGREGATE}{aggregates}": "true"}}] if aggregates else []
    return {
        "apiVersion": f"{RBAC_GROUP}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name, **({"labels": labels} if labels else {})},
        **({"aggregationRule": {"clusterRoleSelectors": selectors}} if selectors else {}),
        "rules": rules,
    }


def _binding(name: str, *groups: str) -> Obj:
    return {
        "apiVersion": f"{RBAC_GROUP}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": RBAC_GROUP, "kind": "ClusterRole", "name": name},
        "subjects": [{"apiGroup": RBAC_GROUP, "kind": "Group", "name": group} for group in groups],
    }


def _rule(groups: list[str], resources: list[str], verbs: list[str]) -> Obj:
    return {"apiGroups": groups, "resources": resources, "verbs": verbs}


def bootstrap_objects() -> list[Obj]:
    """The roles and bindings every cluster has from the start, cut to the resources of the double."""
    shown = ["configmaps", "events", "namespaces", "serviceaccounts"]
    edited = ["configmaps", "events", "secrets", "serviceaccounts"]
    leases = _rule(["coordination.k8s.io"], ["leases"], [*_READ, *_WRITE])
    own_roles = _rule([RBAC_GROUP], ["roles", "rolebindings"], [*_READ, *_WRITE])
    self_reviews = ["selfsubjectaccessreviews", "selfsubjectrulesreviews"]
    return [
        _cluster_role("cluster-admin", [_rule(["*"], ["*"], ["*"]), {"nonResourceURLs": ["*"], "verbs": ["*"]}]),
        _cluster_role("admin", [], aggregates="admin"),
        _cluster_role("edit", [], aggregates="edit", into="admin"),
        _cluster_role("view", [], aggregates="view", into="edit"),
        _cluster_role("system:aggregate-to-admin", [own_roles], into="admin"),
        _cluster_role("system:aggregate-to-edit", [_rule([""], edited, [*_READ, *_WRITE]), leases], into="edit"),
        _cluster_role("system:aggregate-to-view", [_rule([""], shown, _READ)], into="view"),
        _cluster_role(
            "system:basic-user",
            [
                _rule(["authorization.k8s.io"], self_reviews, ["create"]),
                _rule(["authentication.k8s.io"], ["selfsubjectreviews"], ["create"]),
            ],
        ),
        _cluster_role("system:discovery", [{"nonResourceURLs": _DISCOVERY_PATHS, "verbs": ["get"]}]),
        _cluster_role("system:public-info-viewer", [{"nonResourceURLs": _PUBLIC_PATHS, "verbs": ["get"]}]),
        _binding("cluster-admin", "system:masters"),
        _binding("system:basic-user", "system:authenticated"),
        _binding("system:discovery", "system:authenticated"),
        _binding("system:public-info-viewer", "system:authenticated", "system:unauthenticated"),
    ]
