"""The kinds that are questions: token, subject access and self reviews. Answered, never stored."""

from collections.abc import Callable

from finops_sandbox.kubernetes.objects import Obj, UserInfo, timestamp
from finops_sandbox.kubernetes.rbac import Authorizer, Question

Authenticate = Callable[[str], UserInfo | None]


def answer(kind: str, body: Obj, user: UserInfo, authorizer: Authorizer, authenticate: Authenticate) -> Obj:
    """The review with its status filled in.

    Args:
        kind: one of ``kinds.REVIEWS``.
        body: what the client sent.
        user: who asks (the subject of the Self… kinds).
        authorizer: decides access.
        authenticate: resolves a token, for TokenReview.
    """
    spec = body.get("spec") or {}
    if kind == "TokenReview":
        found = authenticate(spec.get("token", ""))
        body["status"] = (
            {"authenticated": True, "user": found.body(), **_audiences(spec)}
            if found
            else {"user": {}, "error": "invalid bearer token"}
        )
    elif kind == "SelfSubjectReview":
        body.setdefault("metadata", {})["creationTimestamp"] = timestamp()
        body["status"] = {"userInfo": user.body()}
    elif kind == "SelfSubjectRulesReview":
        body["status"] = _rules(authorizer.rules(user, spec.get("namespace", "")))
        body["spec"] = {}
    else:
        subject = user
        if not kind.startswith("Self"):
            subject = UserInfo(spec.get("user", ""), tuple(spec.get("groups") or ()), spec.get("uid", ""))
        allowed, reason = authorizer.decide(subject, _question(spec))
        body["status"] = {"allowed": allowed, **({"reason": reason} if reason else {})}
    body.setdefault("metadata", {})
    return body


def _audiences(spec: Obj) -> Obj:
    return {"audiences": spec["audiences"]} if spec.get("audiences") else {}


def _question(spec: Obj) -> Question:
    if path := spec.get("nonResourceAttributes"):
        return Question(path.get("verb", ""), path=path.get("path", ""))
    asked = spec.get("resourceAttributes") or {}
    words = ("verb", "group", "resource", "subresource", "namespace", "name")
    return Question(**{word: asked.get(word, "") for word in words})


def _rules(rules: list[Obj]) -> Obj:
    return {
        "resourceRules": [rule for rule in rules if "resources" in rule],
        "nonResourceRules": [rule for rule in rules if "nonResourceURLs" in rule],
        "incomplete": False,
    }
