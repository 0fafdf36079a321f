"""ValidatingAdmissionPolicy: the rules that see who asks, evaluated for every write.

Mandatory in the sandbox, because one such policy binds an Approval to its author. A policy that cannot be evaluated
refuses what it matches (``failurePolicy: Fail``) and is listed in ``not_evaluated``; it never lets pass unseen.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from celpy import celtypes

from finops_sandbox.kubernetes.cel import EvaluationFailed, Expression, NotEvaluable, expression_of, plain
from finops_sandbox.kubernetes.cel_functions import AuthorizerValue
from finops_sandbox.kubernetes.kinds import ADMISSION_GROUP, CONFIG_MAP, NAMESPACE, POLICY, POLICY_BINDING
from finops_sandbox.kubernetes.objects import ApiError, Kind, Obj, UserInfo, forbidden
from finops_sandbox.kubernetes.rbac import Authorizer, Question
from finops_sandbox.kubernetes.selectors import labels_match
from finops_sandbox.kubernetes.store import Store

_CONFIG_MAP_PARAMETER = {"apiVersion": "v1", "kind": "ConfigMap"}
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Review:
    """One write as admission sees it."""

    operation: str
    kind: Kind
    namespace: str
    name: str
    subresource: str
    user: UserInfo
    obj: Obj | None
    old: Obj | None
    dry_run: bool = False


class _Variables(celtypes.MapType):
    """``variables.x``, each computed when first used, as Kubernetes does."""

    def __init__(self, compiled: Mapping[str, Expression], scope: dict[str, Any]) -> None:
        super().__init__()
        self._compiled = compiled
        self._scope = scope
        self._known: dict[str, Any] = {}

    def __contains__(self, name: object) -> bool:
        return str(name) in self._compiled

    def __getitem__(self, name: Any) -> Any:
        if name not in self._compiled:
            raise KeyError(name)
        if name not in self._known:
            self._known[name] = self._compiled[name].evaluate(self._scope)
        return self._known[name]


@dataclass(frozen=True)
class _Validation:
    text: str
    expression: Expression
    message: str
    message_expression: Expression | None
    reason: str


@dataclass(frozen=True)
class _Compiled:
    conditions: tuple[tuple[str, Expression], ...]
    variables: dict[str, Expression]
    validations: tuple[_Validation, ...]
    broken: tuple[str, ...]


class Admission:
    """Enforces the policies in the store that have a binding."""

    def __init__(self, store: Store, authorizer: Authorizer, warn: Callable[[str], None] = _logger.warning) -> None:
        self._store = store
        self._authorizer = authorizer
        self._warn = warn
        self._compiled: dict[tuple[str, str], _Compiled] = {}

    @property
    def not_evaluated(self) -> list[str]:
        """Expressions of stored policies that this evaluator lacks, with the policy's name."""
        return [text for policy in self._store.all(POLICY) for text in self._of(policy).broken]

    def check(self, review: Review) -> None:
        """Let the write pass or refuse it.

        Raises:
            ApiError: in the words of the real server, naming policy and binding.
        """
        if review.kind.group == ADMISSION_GROUP:
            return
        for binding in self._store.all(POLICY_BINDING):
            policy = self._store.get(POLICY, "", binding["spec"]["policyName"])
            if policy is None or "Deny" not in binding["spec"].get("validationActions", ()):
                continue
            within = binding["spec"].get("matchResources") or {}
            if not self._matches(policy["spec"].get("matchConstraints") or {}, review, bounded=True):
                continue
            if within and not self._matches(within, review, bounded=False):
                continue
            self._enforce(policy, binding, review)

    def compile_now(self, policy: Obj) -> list[str]:
        """Compile a policy that was just written and warn about what cannot be evaluated."""
        broken = self._of(policy).broken
        for text in broken:
            self._warn(f"not evaluated: {text}")
        return list(broken)

    # -- matching
    def _matches(self, constraints: Obj, review: Review, *, bounded: bool) -> bool:
        rules = constraints.get("resourceRules")
        if (rules or bounded) and not any(_rule_fits(rule, review) for rule in rules or ()):
            return False
        if any(_rule_fits(rule, review) for rule in constraints.get("excludeResourceRules") or ()):
            return False
        seen = [o for o in (review.obj, review.old) if o is not None]
        selector = constraints.get("objectSelector")
        if selector and not any(labels_match(selector, o["metadata"].get("labels") or {}) for o in seen):
            return False
        return labels_match(constraints.get("namespaceSelector"), self._namespace_labels(review))

    def _namespace_labels(self, review: Review) -> Mapping[str, str]:
        namespace = self._store.get(NAMESPACE, "", review.namespace) if review.namespace else review.obj or review.old
        labels: Mapping[str, str] = ((namespace or {}).get("metadata") or {}).get("labels") or {}
        return labels

    # -- evaluating
    def _enforce(self, policy: Obj, binding: Obj, review: Review) -> None:
        compiled = self._of(policy)
        strict = policy["spec"].get("failurePolicy", "Fail") == "Fail"
        if compiled.broken:
            if strict:
                raise self._denial(policy, binding, review, f"cannot be evaluated here: {compiled.broken[0]}")
            return
        scope = self._scope(review)
        if policy["spec"].get("paramKind"):
            params = self._params(binding)
            if params is None:
                if (binding["spec"].get("paramRef") or {}).get("parameterNotFoundAction") == "Allow":
                    return
                raise self._denial(policy, binding, review, "failed to configure binding: no params found")
            scope["params"] = plain(params)
        try:
            if not all(condition.holds(scope) for _, condition in compiled.conditions):
                return
        except EvaluationFailed as error:
            if strict:
                raise self._denial(policy, binding, review, f"match condition resulted in error: {error}") from error
            return
        scope["variables"] = _Variables(compiled.variables, scope)
        for validation in compiled.validations:
            try:
                if validation.expression.holds(scope):
                    continue
            except EvaluationFailed as error:
                if strict:
                    text = f"expression '{validation.text}' resulted in error: {error}"
                    raise self._denial(policy, binding, review, text) from error
                continue
            raise self._denial(policy, binding, review, _message(validation, scope), validation.reason)

    def _params(self, binding: Obj) -> Obj | None:
        """The ConfigMap that a binding names; a selector names none here."""
        named = binding["spec"].get("paramRef") or {}
        return self._store.get(CONFIG_MAP, named.get("namespace", ""), named["name"]) if named.get("name") else None

    def _scope(self, review: Review) -> dict[str, Any]:
        namespace = self._store.get(NAMESPACE, "", review.namespace) if review.namespace else None
        resource = {"group": review.kind.group, "version": review.kind.version, "resource": review.kind.plural}
        kind = {"group": review.kind.group, "version": review.kind.version, "kind": review.kind.kind}
        request = {
            "kind": kind,
            "requestKind": kind,
            "resource": resource,
            "requestResource": resource,
            "subResource": review.subresource,
            "requestSubResource": review.subresource,
            "name": review.name,
            "namespace": review.namespace,
            "operation": review.operation,
            "userInfo": review.user.body(),
            "dryRun": review.dry_run,
        }

        own = {
            "group": review.kind.group,
            "resource": review.kind.plural,
            "subresource": review.subresource,
            "namespace": review.namespace,
            "name": review.name,
        }

        def allows(question: dict[str, str]) -> tuple[bool, str]:
            return self._authorizer.decide(review.user, Question(**question))

        return {
            "object": plain(review.obj),
            "oldObject": plain(review.old),
            "request": plain(request),
            "namespaceObject": plain(namespace),
            "params": None,
            "authorizer": AuthorizerValue(allows, own=own),
        }

    def _denial(self, policy: Obj, binding: Obj, review: Review, text: str, reason: str = "Invalid") -> ApiError:
        names = f"'{policy['metadata']['name']}' with binding '{binding['metadata']['name']}'"
        why = f"ValidatingAdmissionPolicy {names} denied request: {text}"
        refusal = forbidden(review.kind, review.name, why)
        code = {"Forbidden": 403, "Unauthorized": 401, "RequestEntityTooLarge": 413}.get(reason, 422)
        details = {**(refusal.details or {}), "causes": [{"message": why}]}
        return ApiError(code, reason, refusal.message, details)

    def _of(self, policy: Obj) -> _Compiled:
        key = policy["metadata"]["uid"], policy["metadata"]["resourceVersion"]
        if key not in self._compiled:
            self._compiled[key] = _compile(policy)
        return self._compiled[key]


def _message(validation: _Validation, scope: dict[str, Any]) -> str:
    if validation.message_expression is not None:
        try:
            return str(validation.message_expression.evaluate(scope))
        except EvaluationFailed:
            return validation.message
    return validation.message


def _rule_fits(rule: Obj, review: Review) -> bool:
    resource = f"{review.kind.plural}/{review.subresource}" if review.subresource else review.kind.plural
    below = {f"*/{review.subresource}", f"{review.kind.plural}/*"}
    wild = {"*/*"} | (below if review.subresource else {"*"})
    scope = rule.get("scope", "*")
    return (
        _has(rule.get("operations"), review.operation)
        and _has(rule.get("apiGroups"), review.kind.group)
        and _has(rule.get("apiVersions"), review.kind.version)
        and any(r == resource or r in wild for r in rule.get("resources") or ())
        and scope in ("*", "Namespaced" if review.kind.namespaced else "Cluster")
        and (not rule.get("resourceNames") or review.name in rule["resourceNames"])
    )


def _has(allowed: list[str] | None, value: str) -> bool:
    return bool(allowed) and ("*" in (allowed or ()) or value in (allowed or ()))


def _compile(policy: Obj) -> _Compiled:
    spec, name = policy["spec"], policy["metadata"]["name"]
    broken: list[str] = []

    def build(text: str) -> Expression | None:
        try:
            return expression_of(text)
        except NotEvaluable as error:
            broken.append(f"ValidatingAdmissionPolicy {name}: {text} ({error})")
            return None

    if spec.get("paramKind") not in (None, _CONFIG_MAP_PARAMETER):
        broken.append(f"ValidatingAdmissionPolicy {name}: paramKind (only ConfigMaps are supported)")
    conditions = [(c["name"], build(c["expression"])) for c in spec.get("matchConditions") or ()]
    variables = {v["name"]: build(v["expression"]) for v in spec.get("variables") or ()}
    validations: list[_Validation] = []
    for rule in spec.get("validations") or ():
        expression = build(rule["expression"])
        text = rule.get("messageExpression")
        spoken = build(text) if text else None
        if expression is not None:
            fallback = f"failed expression: {rule['expression'].strip()}"
            message = rule.get("message") or fallback
            reason = rule.get("reason") or "Invalid"
            validations.append(_Validation(rule["expression"], expression, message, spoken, reason))
    return _Compiled(
        tuple((label, e) for label, e in conditions if e is not None),
        {label: e for label, e in variables.items() if e is not None},
        tuple(validations),
        tuple(broken),
    )
