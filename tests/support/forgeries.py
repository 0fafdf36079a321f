"""What somebody could try in order to make the operator act, and who tries it; each try must be refused.

`docs/security.md` shows this table, `tests/meta/test_security_page.py` compares the two, and `test_forgeries.py` puts
every line to a real API server.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.support.manifests import SLACK_VOTER, manifest

ONLY_OPERATOR: Final = "only the finops operator makes and changes ActionRequests and answers Approvals"
NOT_SELF: Final = "spec.approver.username is not the user who sends this"
NOT_IN_GROUP: Final = "spec.approver.groups names a group the sender is not in"
MAY_NOT_VOUCH: Final = "spec.approver.source is one the sender may not vouch for"
UNCHANGEABLE: Final = "cannot be changed"
NO_RIGHT: Final = re.compile(r"cannot (create|delete|get|patch|impersonate\S*) resource")
"""How RBAC words a refusal."""

WHO: Final[Mapping[str, str]] = {
    "nobody": "somebody without credentials",
    "stranger": "a user of the cluster without rights in the namespace",
    "viewer": "a viewer",
    "editor": "an editor",
    "approver": "an approver",
    "bot": "the bot",
    "dashboard": "the dashboard's account",
    "controller": "a controller with every right in the namespace",
    "impostor": "that controller, sending requests as the operator",
}
_VOTERS: Final = frozenset({"approver", "controller"})
"""Who may create Approvals and is no bot."""


@dataclass(frozen=True, slots=True)
class Place:
    """Names of the objects that are attacked.

    Attributes:
        release: full name of the release, prefix of its objects; `system` is its namespace, `team` the served one.
    """

    release: str
    system: str
    team: str
    request: str = "stop-web"
    vote: str = "vote-of-alice"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the API server."""

    method: str
    path: str
    body: Any = None


@dataclass(frozen=True, slots=True)
class Forgery:
    """One thing to try.

    Attributes:
        words: what, for the security page.
        call: the call that tries it.
        said: how a rule of the kinds or an admission policy refuses those who have the right; empty: all lack it.
        admitted: who has the right of RBAC, so that the rule or the policy has to refuse.
        spared: who may do it: a right of theirs, no forgery.
    """

    words: str
    call: Callable[[Place], Call]
    said: str = ""
    admitted: frozenset[str] = frozenset()
    spared: frozenset[str] = frozenset()

    def who(self) -> tuple[str, ...]:
        """Return who tries it."""
        return tuple(name for name in WHO if name not in self.spared)


def _ours(plural: str, name: str = "", part: str = "") -> Callable[[Place], str]:
    def path(place: Place) -> str:
        words = ["/apis/finops.dev/v1alpha1/namespaces", place.team, plural, name.format(**_names(place)), part]
        return "/".join(word for word in words if word)

    return path


def _names(place: Place) -> dict[str, str]:
    return {"request": place.request, "vote": place.vote, "release": place.release, "system": place.system}


def _call(method: str, path: Callable[[Place], str], body: Any = None) -> Callable[[Place], Call]:
    return lambda place: Call(method, path(place), body)


def _system(path: str) -> Callable[[Place], str]:
    return lambda place: path.format(**_names(place))


def _vote(**approver: Any) -> dict[str, Any]:
    return manifest("Approval", {"spec": {"approver": approver}}, name="vote-forged")


_CONTROLLER: Final = frozenset({"controller"})
_ADMISSION: Final = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolic"
_FREEZE: Final = "/api/v1/namespaces/{system}/configmaps/{release}-freeze"
GRANT: Final = {"namespaces": ["*"], "actions": ["ebs_volume_delete"]}
_COUNTED: Final = {"status": {"result": "Counted", "reason": "Approve", "message": "counted"}}
FORGERIES: Final = (
    Forgery(
        "make a request of one's own",
        _call("POST", _ours("actionrequests"), manifest("ActionRequest", name="forged")),
        ONLY_OPERATOR,
        _CONTROLLER,
    ),
    Forgery(
        "change the plan of a request",
        _call("PATCH", _ours("actionrequests", "{request}"), {"spec": {"action": "ebs_volume_delete"}}),
        UNCHANGEABLE,
        _CONTROLLER,
    ),
    Forgery(
        "put off the end of a request",
        _call("PATCH", _ours("actionrequests", "{request}"), {"spec": {"expiresAt": "2039-01-31T09:00:00Z"}}),
        UNCHANGEABLE,
        _CONTROLLER,
    ),
    Forgery(
        "mark a request as approved",
        _call("PATCH", _ours("actionrequests", "{request}", "status"), {"status": {"state": "Approved"}}),
        ONLY_OPERATOR,
        _CONTROLLER,
    ),
    Forgery(
        "vote as another person",
        _call("POST", _ours("approvals"), _vote(source="kubernetes", username="alice")),
        NOT_SELF,
        _VOTERS | {"bot"},
    ),
    Forgery(
        "vote with a group one is not in",
        _call("POST", _ours("approvals"), _vote(source="kubernetes", username="carol", groups=["sre"])),
        NOT_IN_GROUP,
        frozenset({"approver"}),
        spared=frozenset({"controller", "bot"}),
    ),
    Forgery(
        "vote as a person of Slack",
        _call("POST", _ours("approvals"), _vote(**SLACK_VOTER)),
        MAY_NOT_VOUCH,
        _VOTERS,
        spared=frozenset({"bot"}),
    ),
    Forgery(
        "change a vote that was cast",
        _call("PATCH", _ours("approvals", "{vote}"), {"spec": {"decision": "Deny"}}),
        UNCHANGEABLE,
        _CONTROLLER,
    ),
    Forgery(
        "mark a vote as counted",
        _call("PATCH", _ours("approvals", "{vote}", "status"), _COUNTED),
        ONLY_OPERATOR,
        _CONTROLLER,
    ),
    Forgery("remove a vote against the act", _call("DELETE", _ours("approvals", "{vote}")), spared=_CONTROLLER),
    Forgery(
        "lower the number of approvals in the policy",
        _call("PATCH", _ours("scanpolicies", "p"), {"spec": {"approval": {"required": 1}}}),
        spared=frozenset({"editor", "controller"}),
    ),
    Forgery(
        "grant the namespace an action in an account",
        _call("PATCH", _system("/apis/finops.dev/v1alpha1/awsaccounts/production"), {"spec": {"allow": [GRANT]}}),
    ),
    Forgery(
        "remove the admission policy on votes", _call("DELETE", _system(_ADMISSION + "ies/{release}-{system}-voter"))
    ),
    Forgery(
        "weaken the binding of that policy",
        _call(
            "PATCH",
            _system(_ADMISSION + "ybindings/{release}-{system}-voter"),
            {"spec": {"validationActions": ["Audit"]}},
        ),
    ),
    Forgery("lift a freeze", _call("PATCH", _system(_FREEZE), {"data": {"frozen": "false"}})),
    Forgery(
        "name oneself as another person",
        _call(
            "PATCH",
            _system("/api/v1/namespaces/{system}/configmaps/{release}-identities"),
            {"data": {"alice": "slack: U0123"}},
        ),
    ),
    Forgery(
        "take the operator's lease",
        _call(
            "PATCH",
            _system("/apis/coordination.k8s.io/v1/namespaces/{system}/leases/{release}-executor"),
            {"spec": {"holderIdentity": "me"}},
        ),
    ),
    Forgery(
        "read the key that signs the ledger",
        _call("GET", _system("/api/v1/namespaces/{system}/secrets/{release}-secrets")),
    ),
    Forgery(
        "get a token of the operator",
        _call(
            "POST",
            _system("/api/v1/namespaces/{system}/serviceaccounts/{release}/token"),
            {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}},
        ),
    ),
)


ADMINISTRATOR: Final = "a controller with every right in the cluster"
"""A ClusterRole with `*` in each field: an administrator by another name, who may remove every admission policy."""

_TOKEN_OF_BOT: Final = _call(
    "POST",
    _system("/api/v1/namespaces/{system}/serviceaccounts/{release}-slackbot/token"),
    {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}},
)
_AS_BOT: Final = _call("POST", lambda place: f"{_ours('approvals')(place)}?dryRun=All", _vote(**SLACK_VOTER))
ONLY_ADMINISTRATORS: Final[Mapping[str, Callable[[Place], Call]]] = {
    "get a token of the bot": _TOKEN_OF_BOT,
    "send requests as the bot": _AS_BOT,
}
"""What every right in the cluster lets somebody do, and every right in a namespace does not."""


def refused_to_all() -> tuple[Forgery, ...]:
    """Return what a rule of the kinds or an admission policy refuses, whatever rights of RBAC somebody has."""
    return tuple(one for one in FORGERIES if one.said and "controller" in one.admitted)


def tries() -> list[tuple[Forgery, str]]:
    """Return every forgery with everybody who tries it."""
    return [(forgery, who) for forgery in FORGERIES for who in forgery.who()]


def table() -> list[str]:
    """Return the lines of the security page, without their head."""
    return [f"| {one.words} | {_tried_by(one)} | {_refused_by(one)} |" for one in FORGERIES]


def everybody() -> str:
    """Return who is meant by "all" on the security page."""
    return ", ".join(WHO.values())


def _tried_by(forgery: Forgery) -> str:
    spared = [WHO[who] for who in WHO if who in forgery.spared]
    return f"all but {' and '.join(spared)}" if spared else "all"


def _refused_by(forgery: Forgery) -> str:
    if not forgery.said:
        return "rights"
    admitted = ", ".join(WHO[who] for who in WHO if who in forgery.admitted)
    return f"rights; {admitted}: “{forgery.said}”"
