"""People and service accounts of the sandbox, their bearer tokens, and the kubeconfig that holds them."""

import base64
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from finops_sandbox.kubernetes.objects import Obj, UserInfo
from finops_sandbox.kubernetes.oidc import AUTHENTICATED, TrustedIssuer
from finops_sandbox.kubernetes.tls import write_private


@dataclass(frozen=True, slots=True)
class User:
    """A person: the name is both the user name and the context in the kubeconfig."""

    name: str
    groups: tuple[str, ...] = ()

    @property
    def context(self) -> str:
        return self.name

    @property
    def identity(self) -> UserInfo:
        return UserInfo(self.name, (*self.groups, AUTHENTICATED))


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A service account with a context of its own, so that a program can run as it."""

    context: str
    namespace: str
    name: str

    @property
    def identity(self) -> UserInfo:
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{self.namespace}", AUTHENTICATED)
        return UserInfo(f"system:serviceaccount:{self.namespace}:{self.name}", groups)


Account = User | ServiceAccount

DEFAULT_USERS = (User("admin", ("system:masters",)), User("alice", ("sre",)), User("bob"))
DEFAULT_SERVICE_ACCOUNTS = (
    ServiceAccount("operator", "finops-system", "finops-operator"),
    ServiceAccount("bot", "finops-system", "finops-slackbot"),
)


class Accounts:
    """Tokens by account; each is random and lives as long as the process."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self.all = tuple(accounts)
        self.tokens = {account.context: secrets.token_urlsafe(24) for account in self.all}
        self._by_token = {self.tokens[account.context]: account.identity for account in self.all}
        self.issuer: TrustedIssuer | None = None
        """Whose id tokens are taken as well."""

    def authenticate(self, token: str) -> UserInfo | None:
        """Whose token it is, or None."""
        found = self._by_token.get(token)
        return self.issuer.authenticate(token) if found is None and self.issuer is not None else found

    def service_accounts(self) -> list[ServiceAccount]:
        return [account for account in self.all if isinstance(account, ServiceAccount)]


def kubeconfig(server: str, ca: bytes, accounts: Accounts, current: str) -> Obj:
    """A kubeconfig with one context per account; service accounts start in their namespace."""
    cluster = {"server": server, "certificate-authority-data": base64.b64encode(ca).decode()}
    contexts = []
    for account in accounts.all:
        namespace = account.namespace if isinstance(account, ServiceAccount) else "default"
        context = {"cluster": "finops-demo", "user": account.context, "namespace": namespace}
        contexts.append({"name": account.context, "context": context})
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "finops-demo", "cluster": cluster}],
        "contexts": contexts,
        "users": [{"name": name, "user": {"token": token}} for name, token in accounts.tokens.items()],
        "current-context": current,
        "preferences": {},
    }


def write_kubeconfig(path: Path, content: Mapping[str, object]) -> None:
    """Write it readable by its owner only: it holds tokens."""
    write_private(path, yaml.safe_dump(dict(content), sort_keys=False).encode())
