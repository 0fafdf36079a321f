"""IAM's policy logic as far as the double's services need it; pure.

An explicit Deny wins, then an Allow is needed, and with a session policy both the role's policies and the session
policy must allow (IAM user guide, "Policy evaluation logic" and "Session policies"). The identity module calls this
for trust policies, the authorization module for every call and ARN. A condition operator that is not known here
never grants: in an Allow it does not match, in a Deny it does, and it is logged.
"""

import json
import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from operator import eq, ge, gt, le, lt
from typing import Any

_LOG = logging.getLogger(__name__)
_VERSIONS = {"2012-10-17", "2008-10-17"}


class MalformedPolicyError(ValueError):
    """The document is not a policy."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator applied to one context key."""

    operator: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement; ``principals`` is None in identity and session policies."""

    allow: bool
    actions: tuple[str, ...]
    not_actions: tuple[str, ...]
    resources: tuple[str, ...]
    not_resources: tuple[str, ...]
    conditions: tuple[Condition, ...]
    principals: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Policy:
    """A parsed policy document."""

    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """One action on one ARN. Context keys are lower case, values are lists of text."""

    action: str
    resource: str
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    principals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether it is allowed, and in IAM's own words why not."""

    allowed: bool
    explicit_deny: bool
    reason: str


def parse_policy(document: str | Mapping[str, Any], *, trust: bool = False) -> Policy:
    """Parse a policy document.

    Raises:
        MalformedPolicyError: naming the statement that is wrong.
    """
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except ValueError as error:
            raise MalformedPolicyError("the policy is not valid JSON") from error
    if not isinstance(document, Mapping):
        raise MalformedPolicyError("the policy is not an object")
    if document.get("Version", "2008-10-17") not in _VERSIONS:
        raise MalformedPolicyError("the policy has an unknown Version")
    statements = document.get("Statement")
    if isinstance(statements, Mapping):
        statements = [statements]
    if not isinstance(statements, list) or not statements:
        raise MalformedPolicyError("the policy has no Statement")
    return Policy(tuple(_statement(item, number, trust) for number, item in enumerate(statements)))


def _texts(value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    return tuple(str(item).lower() if isinstance(item, bool) else str(item) for item in items)


def _statement(item: Any, number: int, trust: bool) -> Statement:
    if not isinstance(item, Mapping) or item.get("Effect") not in {"Allow", "Deny"}:
        raise MalformedPolicyError(f"statement {number} needs an Effect of Allow or Deny")
    if ("Action" in item) == ("NotAction" in item):
        raise MalformedPolicyError(f"statement {number} needs exactly one of Action and NotAction")
    if trust != ("Principal" in item):
        raise MalformedPolicyError(f"statement {number} {'needs a' if trust else 'must not have a'} Principal")
    if not trust and ("Resource" in item) == ("NotResource" in item):
        raise MalformedPolicyError(f"statement {number} needs exactly one of Resource and NotResource")
    principals: tuple[str, ...] | None = None
    if trust:
        principal = item["Principal"]
        principals = _texts(principal.get("AWS", []) if isinstance(principal, Mapping) else principal)
    return Statement(
        allow=item["Effect"] == "Allow",
        actions=_texts(item.get("Action", [])),
        not_actions=_texts(item.get("NotAction", [])),
        resources=_texts(item.get("Resource", "*" if trust else [])),
        not_resources=_texts(item.get("NotResource", [])),
        conditions=tuple(_conditions(item.get("Condition", {}), number)),
        principals=principals,
    )


def _conditions(block: Any, number: int) -> Iterable[Condition]:
    if not isinstance(block, Mapping):
        raise MalformedPolicyError(f"statement {number} has a Condition that is not an object")
    for operator, tests in block.items():
        if not isinstance(tests, Mapping):
            raise MalformedPolicyError(f"statement {number}, condition {operator}: keys and values are missing")
        for key, values in tests.items():
            yield Condition(str(operator), str(key).lower(), _texts(values))


# ---------------------------------------------------------------- matching


@lru_cache(maxsize=4096)
def _pattern(text: str, ignore_case: bool) -> re.Pattern[str]:
    body = "".join(".*" if char == "*" else "." if char == "?" else re.escape(char) for char in text)
    return re.compile(body, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def like(pattern: str, text: str, *, ignore_case: bool = False) -> bool:
    """IAM wildcards: ``*`` any run of characters, ``?`` any one character."""
    return _pattern(pattern, ignore_case).fullmatch(text) is not None


def arn_like(pattern: str, text: str) -> bool:
    """Compare ARNs part by part: a wildcard never crosses one of the first five colons."""
    if pattern == "*":
        return True
    wanted, given = pattern.split(":", 5), text.split(":", 5)
    return len(wanted) == len(given) and all(like(one, two) for one, two in zip(wanted, given, strict=True))


def _equals(value: str, wanted: str) -> bool:
    return value == wanted


def _equals_ignoring_case(value: str, wanted: str) -> bool:
    return value.casefold() == wanted.casefold()


def _like(value: str, wanted: str) -> bool:
    return like(wanted, value)


def _arn_like(value: str, wanted: str) -> bool:
    return arn_like(wanted, value)


def _instant(text: str) -> float | None:
    """Read a date of a policy: the W3C's form of ISO 8601, or seconds since 1970; None when it is neither."""
    try:
        return float(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _by_date(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    def compared(value: str, wanted: str) -> bool:
        one, other = _instant(value), _instant(wanted)
        return one is not None and other is not None and compare(one, other)

    return compared


# operator → (comparison, negated)
_OPERATORS: dict[str, tuple[Callable[[str, str], bool], bool]] = {
    "StringEquals": (_equals, False),
    "StringNotEquals": (_equals, True),
    "StringEqualsIgnoreCase": (_equals_ignoring_case, False),
    "StringNotEqualsIgnoreCase": (_equals_ignoring_case, True),
    "StringLike": (_like, False),
    "StringNotLike": (_like, True),
    "ArnEquals": (_arn_like, False),
    "ArnLike": (_arn_like, False),
    "ArnNotEquals": (_arn_like, True),
    "ArnNotLike": (_arn_like, True),
    "Bool": (_equals_ignoring_case, False),
    "DateEquals": (_by_date(eq), False),
    "DateNotEquals": (_by_date(eq), True),
    "DateLessThan": (_by_date(lt), False),
    "DateLessThanEquals": (_by_date(le), False),
    "DateGreaterThan": (_by_date(gt), False),
    "DateGreaterThanEquals": (_by_date(ge), False),
}


def _condition_holds(condition: Condition, context: Mapping[str, tuple[str, ...]]) -> bool | None:
    """True or False, or None when the operator is unknown."""
    values = context.get(condition.key)
    if condition.operator == "Null":
        wanted = condition.values[0].lower() == "true" if condition.values else False
        return (values is None) == wanted
    name, _, bare = condition.operator.rpartition(":")
    bare, if_exists = (bare[: -len("IfExists")], True) if bare.endswith("IfExists") else (bare, False)
    if bare not in _OPERATORS or name not in {"", "ForAnyValue", "ForAllValues"}:
        _LOG.warning("unknown condition operator %s on %s: nothing is granted by it", condition.operator, condition.key)
        return None
    compare, negated = _OPERATORS[bare]
    if values is None:
        # A missing key fails a plain comparison, passes a negated one, IfExists and ForAllValues.
        return if_exists or negated or name == "ForAllValues"
    results = [any(compare(value, wanted) for wanted in condition.values) != negated for value in values]
    if name == "ForAnyValue":
        return any(results)
    return all(results)


def _conditions_hold(statement: Statement, context: Mapping[str, tuple[str, ...]]) -> bool:
    for condition in statement.conditions:
        holds = _condition_holds(condition, context)
        if holds is None:
            # Unknown: an Allow must not grant by it, a Deny must still deny.
            holds = not statement.allow
        if not holds:
            return False
    return True


def _principal_matches(statement: Statement, request: AccessRequest) -> bool:
    if statement.principals is None:
        return True
    return "*" in statement.principals or any(one in statement.principals for one in request.principals)


def _matches(statement: Statement, request: AccessRequest) -> bool:
    if statement.actions:
        action_fits = any(like(pattern, request.action, ignore_case=True) for pattern in statement.actions)
    else:
        action_fits = not any(like(pattern, request.action, ignore_case=True) for pattern in statement.not_actions)
    if not action_fits or not _principal_matches(statement, request):
        return False
    if statement.resources:
        resource_fits = any(_resource_fits(pattern, request.resource) for pattern in statement.resources)
    else:
        resource_fits = not any(_resource_fits(pattern, request.resource) for pattern in statement.not_resources)
    return resource_fits and _conditions_hold(statement, request.context)


def _resource_fits(pattern: str, resource: str) -> bool:
    # A call without resource-level permissions asks for "*": only a policy that says "*" grants it.
    return pattern == "*" if resource == "*" else arn_like(pattern, resource)


def evaluate(policies: Sequence[Policy], request: AccessRequest) -> Decision:
    """Evaluate one set of policies: any matching Deny, else any matching Allow, else an implicit deny."""
    matching = [item for policy in policies for item in policy.statements if _matches(item, request)]
    if any(not statement.allow for statement in matching):
        return Decision(allowed=False, explicit_deny=True, reason="with an explicit deny in")
    if matching:
        return Decision(allowed=True, explicit_deny=False, reason="")
    return Decision(allowed=False, explicit_deny=False, reason="because no")


def authorize(identity: Sequence[Policy], session: Policy | None, request: AccessRequest) -> Decision:
    """What a role session may do: the intersection of its role's policies and its session policy."""
    for policies, kind in ((identity, "identity-based policy"), ([session] if session else None, "session policy")):
        if policies is None:
            continue
        decision = evaluate(policies, request)
        if decision.explicit_deny:
            return Decision(allowed=False, explicit_deny=True, reason=f"with an explicit deny in an {kind}")
        if not decision.allowed:
            reason = f"because no {kind} allows the {request.action} action"
            return Decision(allowed=False, explicit_deny=False, reason=reason)
    return Decision(allowed=True, explicit_deny=False, reason="")
